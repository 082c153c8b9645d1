// The dissect stage of a lane: finds the dissector of each conversation, feeds it, and turns its
// rows into records.
//
// Everything here runs in the lane. Dissections are pooled; what a dissector holds lies in the
// lane's blocks, at most DISSECT_BUDGET bytes a conversation, charged to who began it. A dissector
// that fails costs its conversation, never the run.
#pragma once

#include "dissect/dissect.h"
#include "flow/conversation.h"
#include "record/writer.h"
#include "stream/stream.h"

enum { DISSECT_BUDGET = 262144 };

// All registered dissectors, in the order in which they are asked.
extern const struct dissector *const dissectors[];
extern const uint32_t dissector_count;

// Where bodies go (extract/). Each call is made in the lane.
struct body_hooks {
    void *context;
    uint32_t (*open)(void *context, const struct body_start *start);
    void (*data)(void *context, uint32_t body, bytes data);
    void (*gap)(void *context, uint32_t body, uint64_t length);
    // Fills the `file` row, which lies in `memory` of `size` bytes, and the summary.
    void (*close)(void *context, uint32_t body, bool complete, struct body_summary *summary,
                  struct row *row, void *memory, size_t size);
};

// Whom to charge for what is kept of a conversation: who began it (flow/accounts.h). Where its
// budget is used up, `refused` is told.
struct dissect_budget {
    struct accounts *accounts; // NULL: nobody is charged
    void *context;
    void (*refused)(void *context, const struct conversation *c, bool is_body);
};

struct dissect_counters {
    uint64_t recognised, given_up, rows_truncated, held_full, anomalies_untold;
};

struct dissect_stage;

struct dissect_stage *dissect_stage_create(uint32_t dissections_max, struct blocks *blocks,
                                           struct record_writer *writer, struct body_hooks bodies,
                                           struct err *err);
void dissect_stage_destroy(struct dissect_stage *g);
const struct dissect_counters *dissect_stage_counters(const struct dissect_stage *g);
// The streams whose views are shown; set once, after both were made.
void dissect_stage_streams(struct dissect_stage *g, struct streams *streams);

void dissect_stage_charge(struct dissect_stage *g, struct dissect_budget budget); // set once

// One datagram of the conversation.
void dissect_packet(struct dissect_stage *g, struct conversation *c, const struct packet *p);
// For the hooks of the stream stage.
struct stream_consumed dissect_view(struct dissect_stage *g, struct conversation *c,
                                    const struct stream_view *view);
bool dissect_lost(struct dissect_stage *g, struct conversation *c, uint8_t side, uint64_t position,
                  uint64_t length);
// Bytes of a stream or datagram that records made of them are flagged for; to be told before the
// bytes are shown. A record that was emitted before keeps what it said.
enum dissect_flaw { FLAW_AMBIGUOUS, FLAW_INCOMPLETE };
void dissect_mark(struct dissect_stage *g, struct conversation *c, uint8_t side, uint64_t position,
                  uint64_t length, enum dissect_flaw flaw);
// A dissection without open bodies and flaws can be put away and brought back: its copy, at a place
// for any type, is all of it; of any other nothing is copied. The stage keeps a place for those
// that are away, and their charge. When the lane has no block to bring it back to, it is given up:
// what waited in it is emitted as it is.
size_t dissect_copy(const struct dissect_stage *g, const struct conversation *c, void *memory,
                    size_t room);
void dissect_put_away(struct dissect_stage *g, struct conversation *c);
void dissect_bring_back(struct dissect_stage *g, struct conversation *c, const void *copy);
// The conversation is over: its dissector emits what it holds.
void dissect_close(struct dissect_stage *g, struct conversation *c);
