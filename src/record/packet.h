// Packets on their way: up to PACKETS_MAX of them, pointing into reference-counted buffers.
//
// A source fills the upper half, decode the lower. A batch keeps the buffers its packets lie in
// until it is cleared.
#pragma once

#include "base/address.h"
#include "base/time.h"

enum { PACKETS_MAX = 256, PACKET_BUFFERS_MAX = 260 };

// A buffer that batches share. `unref` of the last holder gives it back to `owner`'s pool or the
// heap.
struct packet_buffer {
    uint32_t refs; // atomic
    uint32_t size;
    uint8_t data[];
};

struct packet_buffer *packet_buffer_create(uint32_t size); // with one reference
void packet_buffer_ref(struct packet_buffer *b);
void packet_buffer_unref(struct packet_buffer *b);

enum packet_class {
    PACKET_IP,          // belongs to a conversation
    PACKET_NOT_IP,      // ARP, LLDP, spanning tree, ...: counted by its layer
    PACKET_UNDECODABLE, // cut or malformed below the transport layer: counted by reason
    PACKET_UNKNOWN_LINK,
};

enum tcp_flag {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
    TCP_ECE = 64,
    TCP_CWR = 128,
};

// What tells conversations apart: the innermost tuple, ordered so that both directions are equal,
// and the symmetric identifiers of the layers around it. No padding: it is hashed and compared as
// bytes.
struct conversation_key {
    struct address a, b; // a:port_a is the lower of the two
    uint16_t port_a, port_b;
    uint32_t proto;
    uint64_t scope; // VLAN identifiers, 12 bits each, outermost highest; hashed together with
                    // others where there are any
};

struct packet {
    // Set by the source.
    const uint8_t *data;
    uint32_t captured, length; // bytes that are there, and bytes that were on the wire
    nanos time;
    nanos watermark;  // greatest believable packet time up to and including this packet; set by the
                      // dispatcher
    uint64_t ordinal; // from 0 in its capture
    uint32_t capture; // which capture of the reading
    uint16_t link_type;
    uint16_t interface;

    // Set by decode.
    uint8_t class_; // enum packet_class
    uint8_t reason; // why it is not PACKET_IP: an enum decode_reason
    uint8_t side;   // 0: sent by key.a, 1: sent by key.b
    uint8_t shard;
    uint8_t tcp_flags;
    uint8_t tos;
    uint8_t ttl;
    bool is_fragment; // a piece of a datagram that was not joined: it has no ports and delivers no
                      // payload
    bool has_transport;        // TCP or UDP fields below are valid
    bool checksum_bad;         // set only where it was checked
    uint16_t network_offset;   // of the innermost network header in data
    uint16_t transport_offset; // of what follows it
    uint32_t
        ip_length; // bytes of the innermost datagram by its own length field: IP header and all
    uint32_t payload_offset;   // of the transport payload in data
    uint32_t payload_captured; // bytes of it that are there
    uint32_t payload_length;   // bytes of it that were sent
    uint32_t tcp_seq, tcp_ack;
    uint16_t tcp_window;
    uint16_t tcp_urgent;
    uint8_t tcp_options_length; // options lie before the payload
    uint64_t hash;              // of key
    struct conversation_key key;
};

enum { SHARD_NONE = 256 };

struct packet_batch {
    uint32_t count;
    uint32_t buffer_count;
    // Shard of each packet, SHARD_NONE where it belongs to no conversation: set by the dispatcher,
    // so that a lane need not touch the packets of the others.
    uint16_t shards[PACKETS_MAX];
    struct packet packets[PACKETS_MAX];
    struct packet_buffer *buffers[PACKET_BUFFERS_MAX];
};

struct packet_batch *packet_batch_create(void);
void packet_batch_destroy(struct packet_batch *b);
// Forgets the packets and lets go of the buffers.
void packet_batch_clear(struct packet_batch *b);
// Keeps `buffer` until the batch is cleared; does nothing when it was the last one kept. False when
// there is no room.
bool packet_batch_keep(struct packet_batch *b, struct packet_buffer *buffer);
