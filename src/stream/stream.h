// TCP reassembly: the bytes of both directions in order, as soon as they are in order.
//
// Out of order, retransmitted (whole, in part, longer), wrapped at 2^32, begun in mid-stream, seen
// from one side only, with data in the SYN, half closed, reset, urgent, with keep-alives and
// zero-window probes: RFC 9293. What was seen first stays (policy `first`). A hole is declared a
// gap by the conversation's own packets only: when the other side acknowledged it and GAP_PATIENCE
// more packets came, when what is held behind it exceeds its budget, or when the conversation ends.
//
// The consumer sees one contiguous view of all bytes that it has not consumed, at most
// STREAM_VIEW_SIZE; the stream does all buffering. When a packet is consumed whole, nothing is
// copied.
//
// Thread: that of the lane which owns the conversation. Memory: a pool of streams and blocks, both
// of the lane; budgets are those of the direction (STREAM_HELD_MAX) and of the shard
// (STREAM_SHARD_HELD_MAX).
#pragma once

#include "base/memory.h"
#include "base/time.h"
#include "record/packet.h"

enum {
    STREAM_VIEW_SIZE = 65536,
    STREAM_HELD_MAX = 1024 * 1024,            // bytes of one direction that wait behind holes
    STREAM_SEGMENTS_MAX = 1024,               // and in how many pieces
    STREAM_SHARD_HELD_MAX = 64 * 1024 * 1024, // bytes of all streams of a shard, views and held
    GAP_PATIENCE = 32,     // packets of the conversation after a hole was acknowledged
    STREAM_MARKS_MAX = 16, // times kept for the bytes of a view
};

// What a consumer says of the view it was shown.
struct stream_consumed {
    size_t used;   // bytes of the view that are done with
    uint64_t skip; // bytes behind them that need not be shown
    size_t want;   // not to be called again below this many unread bytes
    bool ignore;   // nothing of this direction needs to be shown any more
};

// One view. `position` is the offset of the first byte in its direction, from 0 at the first byte
// that was seen.
struct stream_view {
    bytes data;
    uint64_t position;
    nanos time; // of the packet that brought the first byte
    uint8_t side;
    bool last;   // nothing follows in this direction
    bool closed; // and it was its sender who closed it (FIN)
};

enum gap_kind {
    GAP_LOST,   // sent, and never seen
    GAP_CUT,    // seen, but cut by the snap length
    GAP_BUDGET, // given up because too much waited behind it
    GAP_UNREAD, // seen, but its consumer wanted more at once than can be kept for it
};

// In-order bytes of one segment.
struct stream_delivery {
    bytes data;
    uint64_t position;
    nanos time;
    uint8_t side;
    bool push; // the segment asked for delivery (PSH)
};

// Called in the lane, from within the calls below.
struct stream_hooks {
    void *context;
    struct stream_consumed (*show)(void *context, void *owner, const struct stream_view *view);
    // False: nothing more of this direction needs to be shown.
    bool (*gap)(void *context, void *owner, uint8_t side, uint64_t position, uint64_t length,
                enum gap_kind kind);
    // A piece of stream as it was delivered, before it is shown, and every gap whole, also where
    // nothing is shown any more; for PDUs, raw streams and the account of losses. NULL when nobody
    // wants them.
    void (*delivered)(void *context, void *owner, const struct stream_delivery *piece);
    void (*missed)(void *context, void *owner, uint8_t side, uint64_t position, uint64_t length,
                   enum gap_kind kind);
    // How many bytes of a direction were seen and delivered to nobody, told at its end if there are
    // any: behind the FIN, or so far ahead that nothing confirms them. NULL when nobody asks.
    void (*strayed)(void *context, void *owner, uint8_t side, uint64_t length);
    // Where the payload of each packet stands in its direction, also of what came again or waits;
    // what is from before the first byte seen stands nowhere. NULL when nobody asks.
    void (*placed)(void *context, void *owner, uint8_t side, uint64_t position, uint64_t length);
};

struct streams; // of one lane

// `blocks` are the lane's, kept. NULL and err when address space is short.
struct streams *streams_create(uint32_t streams_max, struct blocks *blocks,
                               struct stream_hooks hooks, struct err *err);
void streams_destroy(struct streams *s);

// What one packet did, for the counters of its conversation.
struct stream_effect {
    uint64_t new_bytes;    // payload not seen before
    uint64_t missed_bytes; // lost bytes that this packet made certain, by side
    uint64_t missed_other;
    bool retransmit;     // brought only what was there already
    bool gap, gap_other; // a gap was declared in this direction, in the other
};

// A new stream for a connection of `shard`; 0 when the lane has no more: then its payload is not
// looked at.
uint32_t stream_open(struct streams *s, uint8_t shard);

// One TCP packet of the connection. `owner` is handed to the hooks.
struct stream_effect stream_packet(struct streams *s, uint32_t stream, void *owner,
                                   const struct packet *p);

// The conversation is over: what is held is delivered with its gaps, and each direction gets its
// `last` view.
void stream_close(struct streams *s, uint32_t stream, void *owner, uint64_t missed[2]);

// When the byte at `position` of the bytes last shown came.
nanos stream_time_at(const struct streams *s, uint32_t stream, uint8_t side, uint64_t position);
// Shows the unread bytes of both directions again from the next packet on (the consumer has
// changed).
void stream_attend(struct streams *s, uint32_t stream, uint8_t side);
// Of a gap that is being told: when the byte before it was delivered, and when what waits behind it
// came; 0 where there is no such byte.
void stream_gap_times(const struct streams *s, uint32_t stream, uint8_t side, nanos *since,
                      nanos *until);
// Position of the next byte expected in a direction.
uint64_t stream_position(const struct streams *s, uint32_t stream, uint8_t side);
uint64_t streams_held(const struct streams *s); // bytes in views and behind holes
