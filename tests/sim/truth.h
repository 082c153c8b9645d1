// What must come out of a case: computed from what was meant, byte by byte in plain arrays, by the
// rules that the headers of the engine state. Shares nothing with the engine.
#pragma once

#include "scene.h"

// Of one byte of a direction.
enum byte_state {
    BYTE_UNSEEN,
    BYTE_SEEN,
    BYTE_CUT,  // sent, and cut off by the snap length
    BYTE_LOST, // declared a gap
};

struct truth_side {
    uint64_t packets, bytes; // of IP
    uint64_t payload_bytes;  // TCP: each byte once
    uint64_t missed_bytes, strayed;
    uint32_t retransmits;

    // TCP. Positions count from the first byte seen.
    bool started, fin, finished;
    bool has_syn;
    bool confirmed;    // the other side took its SYN as we did
    int64_t origin;    // place (struct message) of position 0
    uint32_t next;     // all before this was delivered or is a gap
    uint32_t seen_end; // behind the last byte seen
    uint32_t fin_at;
    int64_t acked;     // position
    uint32_t patience; // packets since a hole was acknowledged
    uint32_t size;
    uint8_t *states; // enum byte_state
    uint8_t *taken;  // reading
    nanos *times;
    uint32_t *extents; // numbers of the struct extent that brought them
    struct list all_extents;
    uint32_t kept_from; // what was delivered from here on is still compared with what comes
    bool is_forgetful;  // so much was delivered that the engine may not compare all of it
    uint32_t shown;     // how far the engine has got (trial.c)

    // UDP
    struct list datagrams; // struct truth_payload
};

// A segment as it was sent, by position.
struct extent {
    int64_t from, to;
};

// A place where two readings of the same bytes differ.
struct truth_ambiguity {
    nanos time;
    uint8_t end; // of the talk, whose bytes they are
    bool of_fragments;
    uint32_t position, length;
    bytes taken, other; // from there on, at least as much as is told
    const char *policy;
};

struct truth_payload {
    bytes data; // what is there of it
    uint64_t position;
};

struct truth_talk {
    bool begun;
    bool has_stream;
    nanos first_seen, last_seen;
    uint8_t first_side, first_flags;
    struct truth_side side[2];
    struct list ambiguities;   // struct truth_ambiguity, in the order in which they are found
    uint32_t ambiguities_told; // trial.c
};

struct truth_carrier {
    const struct carrier *of;
    uint8_t from; // which end is the source
    uint8_t proto;
    bool begun;
    nanos first_seen;
    uint64_t packets[2], bytes[2]; // by direction, the first one's first
};

// Pieces of a datagram that tell other bytes than those that came first.
struct truth_difference {
    uint32_t identification, offset, length;
    nanos time;
    bool told;
};

struct truth {
    struct scene *scene;
    struct truth_carrier carriers[TALKS_MAX * DEPTH_MAX * 2];
    uint32_t carrier_count;
    // Frames by what became of them.
    uint64_t done, joined, again, incomplete, held;
    struct list differences; // struct truth_difference
    uint64_t talks;
};

void truth_make(struct truth *t, struct scene *s);

// truth_datagram.c: pieces of datagrams.
struct arrival {
    bytes content; // of the datagram, as far as it is there
    uint32_t pieces, ip_length, frames;
    bool is_ambiguous; // its pieces disagreed
};
enum arrived { ARRIVED_WHOLE, ARRIVED_HELD, ARRIVED_AGAIN };
enum arrived truth_piece(struct truth *t, const struct frame *f, const struct piece *p,
                         uint32_t there, struct arrival *a);
// Whether the packet that a datagram was in belongs to a talk: then pieces that come again do too.
void truth_settle(struct datagram *d, bool is_known);

// truth_policy.c
bool truth_later_wins(const char *policy, struct extent old, struct extent new);

// truth_stream.c: segments of TCP.
struct segment {
    const struct message *message;
    bytes data;      // what is there of the payload
    uint32_t length; // of the payload
    nanos time;
    bool is_ambiguous; // the pieces of its datagram disagreed
};
void truth_segment(struct truth *t, struct truth_talk *talk, const struct segment *g);
void truth_close(struct truth_talk *talk);
