// TCP reassembly: the bytes of both directions in order, as soon as they are in order.
//
// Out of order, retransmitted (whole, in part, longer), wrapped at 2^32, begun in mid-stream, seen
// from one side only, with data in the SYN, half closed, reset, urgent, with keep-alives and
// zero-window probes: RFC 9293. Where segments that wait overlap and differ, the receiver's policy
// decides (policy.h); what was delivered stays. Either way both readings are told, as far as the
// earlier one is still kept: what was delivered and not acknowledged, STREAM_RECENT_MAX of it.
//
// A hole is declared a gap by the conversation's own packets only: when the other side acknowledged
// it and GAP_PATIENCE more packets came, when what is held behind it exceeds its budget, or when
// the conversation ends.
//
// The consumer sees one contiguous view of all bytes that it has not consumed, at most
// STREAM_VIEW_SIZE; the stream does all buffering. When a packet is consumed whole, nothing is
// copied.
//
// A direction ends with the FIN that the other side acknowledged; one that it did not may never
// have reached it, and hides nothing behind it.
//
// Thread: that of the lane which owns the conversation. Memory: a pool of streams and blocks, both
// of the lane; budgets are those of the direction (STREAM_HELD_MAX, STREAM_RECENT_MAX), of the
// sender and its shard (flow/accounts.h).
#pragma once

#include "base/memory.h"
#include "base/time.h"
#include "flow/accounts.h"
#include "record/packet.h"
#include "stream/policy.h"

enum {
    STREAM_VIEW_SIZE = 65536,
    STREAM_HELD_MAX = 1024 * 1024, // bytes of one direction that wait behind holes
    STREAM_SEGMENTS_MAX = 1024,    // and in how many pieces
    GAP_PATIENCE = 32,             // packets of the conversation after a hole was acknowledged
    STREAM_MARKS_MAX = 16,         // times kept for the bytes of a view
    STREAM_RECENT_MAX = 32 * 1024, // of a direction's delivered bytes, kept to compare what follows
    STREAM_AMBIGUITY_BYTES = 1024, // of a reading that is told
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
    GAP_UNKEPT, // seen, but its sender has kept too much waiting already
};

// In-order bytes of one segment.
struct stream_delivery {
    bytes data;
    uint64_t position;
    nanos time;
    uint8_t side;
    bool push;                 // the segment asked for delivery (PSH)
    struct packet_frame frame; // that brought it; the last of those it was joined from
    // Of a datagram also the others; valid during the call.
    const struct packet_frame *other_frames;
    uint32_t other_frame_count;
};

// What speaks against a reading, as bits. A receiver that checks drops such a segment, so the other
// reading is what it took.
enum stream_doubt {
    DOUBT_BAD_CHECKSUM = 1,
    DOUBT_LOW_TTL = 2,       // lower than that of the other reading: it may have died on its way
    DOUBT_OLD_TIMESTAMP = 4, // PAWS, RFC 7323 section 5
    DOUBT_OUT_OF_WINDOW = 8, // RFC 9293 section 3.10.7.4, or acknowledged already
};

// One of two readings of the same bytes. `data` begins at the first byte that differs and is cut at
// STREAM_AMBIGUITY_BYTES; `time` is 0 where it is not known any more.
struct stream_reading {
    bytes data;
    nanos time;
    unsigned doubts; // enum stream_doubt
};

// Bytes that came twice and differ: from the first to the last that differs in one segment that was
// there before, and one that came now.
struct stream_ambiguity {
    uint64_t position, length;
    nanos time; // of the packet that came now
    uint8_t side;
    bool of_fragments;  // the datagram's own fragments disagreed: the readings are told elsewhere
    const char *policy; // that decided; "delivered": what was delivered stays, whatever the policy
    struct stream_reading taken, other;
};

// That of a packet whose payload, at `position` of its direction, came in fragments that disagree.
struct stream_ambiguity ambiguity_of_fragments(const struct packet *p, uint64_t position);

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
    // any: behind the FIN, before the first byte seen, or so far ahead that nothing confirms them.
    // NULL when nobody asks.
    void (*strayed)(void *context, void *owner, uint8_t side, uint64_t length);
    // Where the payload of each packet stands in its direction, also of what came again or waits;
    // what is from before the first byte seen stands nowhere. NULL when nobody asks.
    void (*placed)(void *context, void *owner, uint8_t side, uint64_t position, uint64_t length);
    // Told before the bytes are delivered, or long after. NULL when nobody asks.
    void (*ambiguous)(void *context, void *owner, const struct stream_ambiguity *a);
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
// Whom to charge for what streams keep: set once, and by side for each stream that was opened.
void streams_charge(struct streams *s, struct accounts *accounts);
void stream_charge(struct streams *s, uint32_t stream, const uint32_t accounts[2]);
// What decides between waiting segments of direction `side`: `first` until told otherwise.
void stream_overlap(struct streams *s, uint32_t stream, uint8_t side, enum overlap_policy policy);

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
// A stream of which nothing is unread or waits can be put away and brought back: its copy, at a
// place for any type, is all of it; of any other nothing is copied. The lane keeps a place for
// those that are away.
size_t stream_copy(const struct streams *s, uint32_t stream, void *memory, size_t room);
void stream_put_away(struct streams *s, uint32_t stream);
uint32_t stream_bring_back(struct streams *s, const void *copy);
uint64_t streams_held(const struct streams *s); // bytes in views and behind holes
// Delivered bytes that were not kept to compare with what follows, since too much was kept already.
uint64_t streams_uncompared(const struct streams *s);
