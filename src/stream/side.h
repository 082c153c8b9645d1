// The inside of the stream stage: one direction, its view, and the segments that wait behind holes.
// Not for other folders.
//
// Positions are 64-bit offsets from the first byte seen; sequence numbers (RFC 9293 section 3.4)
// are turned into them by their distance from the next one expected, so 2^32 is crossed without
// notice.
#pragma once

#include "stream/stream.h"

// Bytes that came before their turn. Lies in one block, its bytes behind it when anybody wants
// them.
struct segment {
    struct segment *next;
    uint64_t position;
    uint32_t length;   // that were sent
    uint32_t captured; // of them, that the snap length left
    uint32_t kept;     // of them, that are in `data`
    bool push;
    nanos time;
    uint8_t data[];
};

struct mark {
    uint64_t position;
    nanos time;
};

// Unread bytes of a direction, in one block.
struct view {
    uint32_t size;       // of data
    uint32_t from, used; // unread bytes are data[from .. from + used)
    uint32_t mark_count;
    struct mark marks[STREAM_MARKS_MAX];
    uint8_t data[];
};

// One of each for every direction of every TCP connection that is open: kept small.
struct stream_side {
    bool started : 1, fin : 1, finished : 1, ignore : 1;
    bool confirmed : 1;   // the other side took its SYN as we did
    uint8_t hole_packets; // of the conversation, since the hole at `next` was acknowledged
    uint16_t held_count;
    uint32_t next_seq;
    uint64_t next;   // position of next_seq: all before it was delivered or declared a gap
    uint64_t fin_at; // where the FIN stands, when `fin`
    uint64_t acked;  // the other side has all before this
    uint64_t skip;   // bytes from `next` on that need not be shown
    uint32_t want;
    uint32_t held_bytes;
    uint32_t strayed;  // bytes that were seen and have no place in the stream, at most UINT32_MAX
    struct view *view; // NULL when there is nothing unread
    struct segment *held; // by position
    uint64_t direct_at;   // bytes from here on came with the packet at hand
    nanos direct_time;    // of the last packet that was delivered
};
_Static_assert(GAP_PATIENCE < UINT8_MAX && STREAM_SEGMENTS_MAX < UINT16_MAX, "counts fit");

struct stream {
    struct stream_side side[2];
    uint8_t shard;
};

struct streams {
    struct pool pool;
    struct blocks *blocks;
    struct stream_hooks hooks;
    uint64_t shard_held[256];
};

// What all functions below work on: one direction of one stream, during one packet.
struct turn {
    struct streams *s;
    struct stream *st;
    void *owner;
    struct stream_effect *effect;
    uint8_t side;        // the direction that is worked on
    uint8_t packet_side; // the direction of the packet
};

// side.c: order
void side_note_ack(struct turn *turn, const struct packet *p);
void side_take(struct turn *turn, const struct packet *p);
void side_lose_patience(struct turn *turn, uint8_t packet_side);
void side_declare_gap(struct turn *turn, uint64_t end, enum gap_kind kind);
void side_finish(struct turn *turn);
// The end of the conversation: what is held and believed is delivered with its gaps.
void side_close(struct turn *turn);

// segments.c: what waits behind holes
bool segments_add(struct turn *turn, const struct segment *what, bytes data);
void segments_drop_first(struct turn *turn);
// Whether a held segment ends at `position` or holds the byte before it.
bool segments_reach(const struct stream_side *side, uint64_t position);

// view.c: what is shown
void view_deliver(struct turn *turn, bytes data, nanos time);
void view_show_last(struct turn *turn, bool closed);
void view_gap(struct turn *turn, uint64_t length, enum gap_kind kind);
void view_drop(struct streams *s, struct stream_side *side);
nanos view_time_at(const struct stream_side *side, uint64_t position);
