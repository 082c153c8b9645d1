// What a lane gave up, by reason, as `loss` records.
//
// Each is told with its conversation, but for those of one shard and reason at most
// LOSSES_SINGLE_MAX; the others are told as one sum at the end, so that a flood makes no flood of
// records. Per shard, so that records don't depend on which shards share a lane.
//
// Thread: the lane's.
#pragma once

#include "flow/conversation.h"
#include "record/writer.h"

enum { LOSSES_SINGLE_MAX = 32 };

// A row each: name, stage, reason.
#define GIVEN_UP(X)                                                                                \
    X(SHARD_FULL, "flow", "shard_full")                                                            \
    X(SOURCE_FULL, "flow", "source_full")                                                          \
    X(CARRIERS_FULL, "flow", "carriers_full")                                                      \
    X(UNKEPT, "stream", "reassembly_budget")                                                       \
    X(OUT_OF_WINDOW, "stream", "out_of_window")                                                    \
    X(VIEW_FULL, "dissect", "view_full")                                                           \
    X(DISSECT_FULL, "dissect", "dissect_budget")                                                   \
    X(FILES_FULL, "extract", "files_budget")

enum given_up {
#define GIVEN_UP_NAME(name, stage, reason) GIVEN_UP_##name,
    GIVEN_UP(GIVEN_UP_NAME)
#undef GIVEN_UP_NAME
        GIVEN_UP_REASONS,
};

struct losses;

// Borrows `point`, keeps the writer.
struct losses *losses_create(struct record_writer *writer, const char *point);
void losses_destroy(struct losses *l);

void losses_add(struct losses *l, const struct conversation *c, enum given_up what, uint64_t lost);
void losses_end(struct losses *l); // tells the sums
uint64_t losses_count(const struct losses *l, enum given_up what);
