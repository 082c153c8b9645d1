// The inside of the stream stage: one direction, its view, and the segments that wait behind holes.
// Not for other folders.
//
// Positions are 64-bit offsets from the first byte seen; sequence numbers (RFC 9293 section 3.4)
// are turned into them by their distance from the next one expected, so 2^32 is crossed without
// notice.
#pragma once

#include "stream/stream.h"

// The segment that brought some bytes, as it was sent: what tells which of two readings is to be
// believed.
struct origin {
    nanos time;
    uint64_t position;
    uint32_t length;
    uint16_t sum; // what its payload must add up to, when `has_sum`
    bool has_sum; // its checksum was not looked at yet, and can be
    uint8_t ttl;
    uint8_t doubts; // enum stream_doubt, as far as they are known
};

// Bytes that came before their turn. Lies in one block, its bytes behind it when anybody wants
// them.
struct segment {
    struct segment *next;
    uint64_t position;
    uint32_t length;   // that were sent
    uint32_t captured; // of them, that the snap length left
    uint32_t kept;     // of them, that are in `data`
    bool push;
    struct origin origin;
    struct packet_frame frame; // that brought it
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

// Delivered bytes that the other side did not acknowledge yet, in one block: a ring, and behind it
// who brought them.
struct recent {
    uint64_t from;       // position of the oldest byte; the last is that before `next`
    uint32_t size, used; // of the ring
    uint32_t first;      // where in it the oldest byte lies
    uint16_t origins_max, origin_count, origin_first;
    _Alignas(uint64_t) uint8_t data[];
};

// One of each for every direction of every TCP connection that is open: kept small.
struct stream_side {
    bool started : 1, fin : 1, finished : 1, ignore : 1;
    bool confirmed : 1;     // the other side took its SYN as we did
    bool has_syn : 1;       // and so `has_scale` is known
    bool has_scale : 1;     // it scales the windows it tells, by `scale` (RFC 7323 section 2)
    bool has_timestamp : 1; // `timestamp` is the last that its receiver took (TS.Recent there)
    uint8_t scale;
    uint8_t policy;       // enum overlap_policy
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
    struct segment *held;  // by position
    struct segment *near;  // the one that was put in last, if it is still held: the next is likely
                           // to belong behind it
    struct recent *recent; // NULL when the other side has all that was delivered
    uint64_t window_end;   // the receiver takes nothing from here on; 0: not known
    uint32_t timestamp;
    uint64_t direct_at; // bytes from here on came with the packet at hand
    nanos direct_time;  // of the last packet that was delivered
};
_Static_assert(GAP_PATIENCE < UINT8_MAX && STREAM_SEGMENTS_MAX < UINT16_MAX, "counts fit");

struct stream {
    struct stream_side side[2];
    uint32_t accounts[2]; // of who sends, by side
    uint8_t shard;
};

struct streams {
    struct pool pool;
    struct blocks *blocks;
    struct stream_hooks hooks;
    struct accounts *accounts; // NULL: nobody is charged
    uint64_t held;
    uint32_t away; // streams that have a place, and are not in it
    uint64_t uncompared;
    uint8_t reading[STREAM_AMBIGUITY_BYTES]; // one that does not lie in one piece
};

// What all functions below work on: one direction of one stream, during one packet.
struct turn {
    struct streams *s;
    struct stream *st;
    void *owner;
    struct stream_effect *effect;
    const struct packet *packet; // NULL at the end of the stream
    struct origin origin;        // of its payload
    uint8_t side;                // the direction that is worked on
    uint8_t packet_side;         // the direction of the packet
};

// stream.c: what is kept for the direction that is worked on
bool turn_has_room(const struct turn *turn, size_t n);
void turn_charge(struct turn *turn, size_t n);
void turn_release(struct turn *turn, size_t n);
// Of those for whom nobody is charged any number fits.
bool stream_fits(const struct streams *s, const struct stream *st, uint8_t side,
                 struct budget more);
void stream_take(struct streams *s, const struct stream *st, uint8_t side, struct budget more);
void stream_give(struct streams *s, const struct stream *st, uint8_t side, struct budget less);

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

// recent.c: what was delivered, to compare with what comes again
void recent_keep(struct turn *turn, bytes data, const struct origin *origin);
void recent_drop(struct turn *turn);
size_t recent_block(const struct recent *r); // its size, which is a multiple of 8
// `data` begins at `position` of the stream, before `next`.
void recent_compare(struct turn *turn, uint64_t position, bytes data);

// doubt.c: what speaks against a segment
struct origin origin_of(const struct turn *turn, uint64_t position);
bool origin_has_bad_sum(const struct origin *origin, bytes payload);
// Whether the packet at hand, which is whole, has a bad checksum.
bool doubt_packet_sum(const struct turn *turn);
void doubt_note_syn(struct stream_side *side, const struct packet *p);
void doubt_note_window(struct turn *turn, const struct packet *p, uint64_t acked);
void doubt_note_timestamp(struct stream_side *side, const struct packet *p, uint64_t position);

// ambiguity.c: both readings are told. They begin at `position`, the first byte that differs, and
// are cut at STREAM_AMBIGUITY_BYTES; `origin` is NULL where it is not known any more.
struct dispute {
    uint64_t position, length;
    bytes earlier, later;
    const struct origin *origin; // of the earlier; the later is that of the turn
    unsigned doubts;             // about the earlier, besides those of its origin
    const char *policy;
    bool later_wins;
};
// Widens [*first, *end), at first empty, so that it has all differences of a and b, which are
// equally long and begin at `at`.
void ambiguity_find(bytes a, bytes b, uint64_t at, uint64_t *first, uint64_t *end);
void ambiguity_tell(struct turn *turn, const struct dispute *dispute);

// view.c: what is shown
void view_deliver(struct turn *turn, bytes data, nanos time);
void view_show_last(struct turn *turn, bool closed);
void view_gap(struct turn *turn, uint64_t length, enum gap_kind kind);
void view_drop(struct streams *s, struct stream_side *side);
nanos view_time_at(const struct stream_side *side, uint64_t position);
