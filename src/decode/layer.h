// A layer: what stands behind a link type, an ethertype, a PPP protocol or an IP protocol number.
//
// One file a layer: decode/NAME.c ends in a constant `struct layer` named NAME_layer; the list in
// decode/meson.build registers it. Its step reads its own header from walk.r and says by which
// number the rest goes on, or how the packet ends. Layers know each other only by numbers.
//
// All packet bytes are read through walk.r, which ends where the captured bytes or the bytes that
// belong to the layer end, whichever comes first; `sent_end` is where the latter end, so the
// difference is what the snap length cut off.
#pragma once

#include "decode/decode.h"
#include "decode/key.h"
#include "decode/scope.h"
#include "decode/tunnels.h"

enum { LAYERS_DEEP_MAX = 24 }; // of one packet; beyond it is not followed

enum layer_space {
    SPACE_LINK,      // LINKTYPE_ numbers of capture files, and of layers that have no other
    SPACE_ETHERTYPE, // ethertypes, and ETHERTYPE_LLC
    SPACE_PPP,       // PPP protocols
    SPACE_IP,        // IP protocols, and IPv6 extension headers
    SPACE_UDP,       // UDP ports of tunnels, and UDP_ANY
    SPACE_INSIDE,    // enum inside_layer: what no number on the wire names
    SPACE_END,       // ends a list of keys
};

enum inside_layer {
    INSIDE_PSEUDOWIRE, // behind MPLS labels, and not IP
    INSIDE_L2TP_3,     // behind a session identifier of L2TPv3
    INSIDE_BASE_BAND,  // a datagram that may be a DVB-S2 base band frame
    INSIDE_GSE,        // a packet of DVB GSE, and those behind it
    INSIDE_AMSDU,      // a frame of an IEEE 802.11 aggregate, and those behind it
};

enum {
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW = 101,
    LINK_CISCO_HDLC = 104,
    LINK_WLAN = 105,
    LINK_PRISM = 119,
    LINK_RADIOTAP = 127,
    LINK_WLAN_AVS = 163,

    ETHERTYPE_LLC = 0x0004, // an IEEE 802.2 header follows, as ETH_P_802_2 has it
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_BRIDGED = 0x6558, // an Ethernet frame follows (RFC 1701)
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_NSH = 0x894f,
    ETHERTYPE_MIN = 0x0600, // IEEE 802.3 3.2.6: below it stands a length

    IP_ICMP = 1,
    IP_IGMP = 2,
    IP_IN_IP = 4,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_IPV6 = 41,
    IP_GRE = 47,
    IP_ESP = 50,
    IP_ICMPV6 = 58,
    IP_L2TP = 115,
    IP_SCTP = 132,
    IP_ANY = 0xffff, // the layer for every IP protocol that has none of its own

    UDP_ANY = 0, // the layer that looks at datagrams of all ports that have none of their own
};

struct layer_key {
    enum layer_space space;
    uint16_t number;
};

struct walk; // one packet on its way inwards

enum layer_result {
    LAYER_NEXT, // walk.space and walk.number name what follows
    LAYER_END,  // walk.reason says how it ended
};

struct layer {
    const char *name;
    const struct layer_key *keys; // ended by SPACE_END
    enum layer_result (*step)(struct walk *w);
};

struct walk {
    struct decoder *decoder;
    struct packet_batch *batch;
    struct packet *packet;
    struct reader r;
    uint64_t sent_end; // offset in the packet
    enum layer_space space;
    uint16_t number; // by which the layer was found; then of what follows
    uint8_t proto;   // IP protocol of what follows the innermost IP header
    bool is_v6;
    bool has_network; // an IP header was read, in the innermost tunnel so far
    uint8_t stream;   // input stream of a base band frame
    uint8_t carriers; // entries of decoder.carriers
    uint8_t joined;   // datagrams that the packet was joined from, one in the other
    enum decode_reason reason;
    uint64_t scope;
    struct address src, dst; // innermost so far
};

static inline uint32_t walk_offset(const struct walk *w)
{
    return (uint32_t)(w->r.at - w->packet->data);
}

// Bytes of the layer that were sent and not read yet; reader_left(&w->r) of them are there.
static inline uint64_t walk_sent_left(const struct walk *w)
{
    uint64_t offset = walk_offset(w);
    return offset < w->sent_end ? w->sent_end - offset : 0;
}

// What follows is `length` bytes long by the header that was read: the rest is padding or a
// trailer. `length` may exceed what was sent by the outer header; then it holds, and bytes are
// missing.
static inline void walk_narrow(struct walk *w, uint64_t length)
{
    w->sent_end = walk_offset(w) + length;
    if (length < reader_left(&w->r)) w->r = reader_of(bytes_first(reader_rest(&w->r), length));
}

static inline enum layer_result layer_next(struct walk *w, enum layer_space space, uint16_t number)
{
    w->space = space;
    w->number = number;
    return LAYER_NEXT;
}

static inline enum layer_result layer_end(struct walk *w, enum decode_reason reason)
{
    w->reason = reason;
    return LAYER_END;
}

// A header of `needed` bytes from here on does not fit: cut by the snap length, or too short by the
// outer header's length.
static inline enum layer_result layer_short(struct walk *w, size_t needed)
{
    return layer_end(w, walk_sent_left(w) < needed ? REASON_BAD_LENGTH : REASON_CUT_HEADER);
}

// The same for a transport header whose ports were read: the packet belongs to its conversation.
static inline enum layer_result layer_short_transport(struct walk *w, size_t needed)
{
    return layer_end(w, walk_sent_left(w) < needed ? REASON_BAD_TRANSPORT : REASON_CUT_TRANSPORT);
}

// An ethertype, or the length of an IEEE 802.3 frame of which an LLC header follows.
static inline enum layer_result layer_next_ethertype(struct walk *w, uint16_t type_or_length)
{
    if (type_or_length >= ETHERTYPE_MIN) return layer_next(w, SPACE_ETHERTYPE, type_or_length);
    if (type_or_length < walk_sent_left(w)) walk_narrow(w, type_or_length);
    return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_LLC);
}

// What NSH names next (RFC 8300 section 11.2.5), and VXLAN-GPE after it.
enum next_protocol { NEXT_IPV4 = 1, NEXT_IPV6, NEXT_ETHERNET, NEXT_NSH, NEXT_MPLS };

// The ethertype of a next protocol; 0 for Ethernet, which is a link, and for what is not known.
static inline uint16_t next_protocol_ethertype(uint8_t protocol)
{
    static const uint16_t types[] = {[NEXT_IPV4] = ETHERTYPE_IPV4,
                                     [NEXT_IPV6] = ETHERTYPE_IPV6,
                                     [NEXT_NSH] = ETHERTYPE_NSH,
                                     [NEXT_MPLS] = ETHERTYPE_MPLS};
    return protocol < sizeof types / sizeof types[0] ? types[protocol] : 0;
}

// The network header, or an extension of it, was read; `proto` follows from here on.
static inline enum layer_result layer_next_proto(struct walk *w, uint8_t proto)
{
    uint32_t offset = walk_offset(w);
    if (offset > UINT16_MAX) return layer_end(w, REASON_TOO_MANY_LAYERS);
    w->proto = proto;
    w->has_network = true;
    w->packet->transport_offset = (uint16_t)offset;
    return layer_next(w, SPACE_IP, proto);
}

// The packet belongs to the conversation of the innermost addresses and these ports.
static inline void walk_conversation(struct walk *w, uint16_t src_port, uint16_t dst_port,
                                     bool one_way)
{
    struct packet *p = w->packet;
    p->side = key_order(&p->key, w->src, src_port, w->dst, dst_port, one_way);
    p->key.proto = w->proto;
    p->key.scope = w->scope;
}

// From here on all is payload.
static inline void walk_payload(struct walk *w)
{
    struct packet *p = w->packet;
    p->payload_offset = walk_offset(w);
    p->payload_captured = (uint32_t)reader_left(&w->r);
    p->payload_length = (uint32_t)walk_sent_left(w);
}

// A protocol without ports: all that follows is payload. The layer of a tunnel begins with it.
static inline void walk_portless(struct walk *w)
{
    walk_conversation(w, 0, 0, false);
    walk_payload(w);
}

static inline enum layer_result layer_end_portless(struct walk *w)
{
    walk_portless(w);
    return layer_end(w, REASON_OK);
}

// Behind what follows there is more in the same frame: `rest`, of which `sent` bytes were sent, is
// a packet of its own, walked from the layer that the number names when this one is done.
void walk_branch(struct walk *w, struct reader rest, uint64_t sent, enum layer_space space,
                 uint16_t number);

// Keeps a buffer in which something was joined with the batch. False when the frame has too many.
bool walk_keep(struct walk *w, struct packet_buffer *buffer);

// What was read so far carries what follows: a conversation of its own, told apart by nothing
// outside. If it has an IP header, the layer has called walk_conversation and walk_payload before.
enum layer_result layer_enter(struct walk *w, enum tunnel tunnel, enum layer_space space,
                              uint16_t number);

// The same, where the tunnel names the network inside by an identifier that both directions have.
static inline enum layer_result layer_enter_network(struct walk *w, enum tunnel tunnel,
                                                    uint32_t identifier, enum layer_space space,
                                                    uint16_t number)
{
    enum layer_result result = layer_enter(w, tunnel, space, number);
    if (result == LAYER_NEXT) w->scope = scope_mix(0, identifier);
    return result;
}
