// A case: who said what, in which packets, and how these came into the capture. Made from a seed.
//
// A talk is one connection or one exchange of datagrams. What its two sides send are messages (a
// TCP segment or a UDP datagram). A message travels in a datagram of IP, which may be cut into
// pieces; a piece travels in a frame, or in the datagram of a tunnel, which may be cut up again.
// Everything is kept as it was meant, so that the truth (truth.h) need not read a byte of a header.
#pragma once

#include "arena.h"
#include "base/bytes.h"
#include "base/time.h"
#include "dice.h"

enum { TALKS_MAX = 16, DEPTH_MAX = 2, VLANS_MAX = 2, SNAP_MIN = 400 };

// What may happen in a case. Each happens in about half of the cases, so that all combine.
// clang-format off
#define TASTES(X) \
    X(loss) X(loss_heavy) X(reorder) X(reorder_far) X(duplicate) X(resend) X(differ) X(snap) \
    X(fragment) X(fragment_differ) X(tunnel) X(vlan) X(one_way) X(midstream) X(reset) \
    X(keep_alive) X(probe) X(reuse) X(wrap) X(half_close) X(behind_fin) X(syn_data) \
    X(time_back) X(tiny) X(policy)
// clang-format on
struct tastes {
#define TASTE_FIELD(name) bool name;
    TASTES(TASTE_FIELD)
#undef TASTE_FIELD
};

struct endpoint {
    bool is_v6;
    uint8_t address[16];
    uint16_t port;
};

enum tunnel_form { FORM_IP, FORM_GRE, FORM_GRE_KEY, FORM_VXLAN, FORM_GENEVE, FORM_COUNT };

// What is around a talk: packets with addresses of their own.
struct carrier {
    enum tunnel_form form;
    struct endpoint ends[2];
    uint32_t network;
};

// The path of a talk, from the inside out.
struct way {
    uint32_t depth;
    struct carrier *carriers[DEPTH_MAX];
    uint16_t vlans[VLANS_MAX]; // of the link
    uint32_t vlan_count;
    bool has_labels;
};

struct talk {
    bool is_tcp;
    uint8_t number, earlier; // earlier: connections on the same ports before this one
    bool has_options;
    struct endpoint ends[2]; // 0: who begins
    const struct way *way;
    uint32_t isn[2];
    struct list messages, frames;
    struct truth_talk *truth;
};

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct message {
    struct talk *talk;
    uint8_t side, flags;
    uint16_t window;
    int64_t at;     // TCP: place of the payload among what this side says, 0 for its first byte
    int64_t ack_at; // and up to where it has heard the other side
    bytes payload;
    bool differs; // not what was really said
    bool pinned;  // its frame comes into the capture, and in its place
};

struct datagram {
    struct message *message;       // that is in it, innermost
    const struct carrier *carrier; // NULL: the innermost datagram
    const struct piece *inner;     // in that of a tunnel
    struct endpoint ends[2];       // from, to
    uint8_t side, proto;
    uint8_t header; // bytes of the transport header in the content
    uint32_t identification;
    bytes content;
    struct truth_datagram *truth;
};

struct piece {
    struct datagram *of;
    uint32_t offset;
    bytes data;
    bool whole, more;
};

struct frame {
    nanos time;
    uint32_t number;
    const struct piece *piece;
    bytes wire;
    uint32_t captured;
};

struct scene {
    uint64_t seed;
    struct dice dice;
    struct arena *arena;
    struct tastes tastes;
    uint32_t snap;      // UINT32_MAX: whole packets
    const char *policy; // of the receivers, where segments that wait differ
    struct talk talks[TALKS_MAX];
    uint32_t talk_count;
    uint32_t identification; // of the last datagram
    struct list frames;
};

extern const char *const scene_policies[];

void scene_make(struct scene *s, struct arena *arena, uint64_t seed);

// tcp_talk.c, udp_talk.c
void tcp_talk_fill(struct scene *s, struct talk *t);
void udp_talk_fill(struct scene *s, struct talk *t);
// Random bytes; sometimes all the same.
uint8_t *scene_bytes(struct scene *s, uint32_t n);
bytes scene_altered(struct scene *s, bytes b, uint32_t from);

// wire.c: adds the frames of a message.
void wire_message(struct scene *s, struct message *m);
// Bytes of IP of a piece.
uint32_t piece_ip_length(const struct piece *p);

// mishaps.c: what happens to the frames of a talk on their way into the capture.
void mishaps(struct scene *s, struct talk *t);
