// Packets on their way: up to PACKETS_MAX of them, pointing into reference-counted buffers.
//
// A source fills the upper half, decode the lower. A batch keeps the buffers its packets lie in
// until it is cleared.
#pragma once

#include "base/address.h"
#include "base/time.h"
#include "record/id.h"

// A frame keeps at most so many buffers in which something was joined, and the one it was read
// into.
enum { PACKETS_MAX = 256, FRAME_JOINED_MAX = 3 };
enum { PACKET_BUFFERS_MAX = (FRAME_JOINED_MAX + 1) * PACKETS_MAX + 8 };

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
    PACKET_HELD, // a fragment that waits for the rest of its datagram; counted anew when that is
                 // joined or given up
    PACKET_CLASSES,
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

// Names a frame: (source, ordinal).
struct packet_frame {
    uint64_t ordinal;
    uint32_t capture;
};

enum { PACKET_TUNNELS_MAX = 4 };

struct packet {
    // Set by the source. Of a datagram that was joined from fragments decode sets the first line
    // anew: the datagram from its network header on.
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
    bool is_fragment; // a piece that delivers no payload: of a datagram that was not joined, or one
                      // that came again after the datagram had been joined
    bool is_ambiguous;         // joined from fragments that disagree; the first to come was taken
    bool has_transport;        // TCP or UDP fields below are valid
    bool checksum_bad;         // set only where it was checked
    uint16_t network_offset;   // of the innermost network header in data
    uint16_t transport_offset; // of what follows it
    uint16_t pieces;           // IP packets of the conversation that this stands for: 1, or the
                               // fragments that it was joined from
    uint16_t frame_count;      // frames that it was joined from, besides its own
    uint16_t shared_count;     // of them those that count for another packet of the same frame
    bool is_more;              // not the first packet of its frame: what is around it was counted
    uint8_t tunnel_depth;      // tunnels around the conversation
    uint8_t tunnels[PACKET_TUNNELS_MAX]; // the outermost of them: enum tunnel (decode/tunnels.h)
    uint8_t carries;    // of a packet that is the outside of another: the tunnel in it
    uint32_t ip_length; // bytes of its IP packets by their own length fields: IP headers and all
    uint32_t payload_offset;   // of the transport payload in data
    uint32_t payload_captured; // bytes of it that are there
    uint32_t payload_length;   // bytes of it that were sent
    uint32_t tcp_seq, tcp_ack;
    uint16_t tcp_window;
    uint16_t tcp_urgent;
    uint8_t tcp_options_length;        // options lie before the payload
    const struct packet_frame *frames; // lies in a buffer that the batch keeps
    uint64_t hash;                     // of key
    struct record_id parent; // the conversation that carries this one, if tunnel_depth; set by the
                             // dispatcher
    struct conversation_key key;
};

// Every conversation belongs to one of the shards, whose number is fixed by the format.
enum { SHARDS = 256, SHARD_NONE = SHARDS, FRAME_PACKETS_MAX = 64 };

// A packet that came behind others in one frame: packets[after] is the first of them.
struct packet_more {
    uint32_t after;
    uint16_t shard;
    struct packet packet;
};

struct packet_batch {
    uint32_t count;
    uint32_t buffer_count;
    uint32_t more_count, more_size;
    bool rests;               // nothing follows for now: what waits for more packets need not wait
    struct packet_more *more; // in their order; NULL until a frame holds several
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
// One more packet, behind those of packets[after]; valid until the next. At most FRAME_PACKETS_MAX
// a frame.
struct packet *packet_batch_more(struct packet_batch *b, uint32_t after);
// Keeps `buffer` until the batch is cleared; does nothing when it was the last one kept. False when
// there is no room.
bool packet_batch_keep(struct packet_batch *b, struct packet_buffer *buffer);
