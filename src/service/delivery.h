// A sink of the service: records of one kind for which an expression holds, in messages or lines,
// to somewhere.
//
// A sink that does not take what it is sent stops nobody else for longer than DELIVERY_PATIENCE:
// what it misses is counted, and it is opened again after DELIVERY_AGAIN. What a topic has not
// taken yet waits on disk. One thread at a time.
#pragma once

#include "config/config.h"
#include "record/batch.h"

#define DELIVERY_AGAIN (10 * NANOS_PER_SECOND)
#define DELIVERY_PATIENCE NANOS_PER_SECOND

// clang-format off
#define DELIVERY_COUNTS(X) \
    X(taken, "Records that it was given") \
    X(records, "Records that were passed on; what is neither this nor missed waits") \
    X(missed, "Records that may not have come, as the sink was away or took nothing") \
    X(faults, "How often it failed")
// clang-format on

struct delivery_counts {
#define DELIVERY_FIELD(name, help) uint64_t name;
    DELIVERY_COUNTS(DELIVERY_FIELD)
#undef DELIVERY_FIELD
};

struct delivery;

// Whether a sink makes sense, without opening it. ERR_USAGE and its place.
bool delivery_check(const struct config *c, const struct config_sink *sink, nanos now,
                    struct err *err);
// Copies what it needs. NULL and err when it does not make sense, or its file cannot be opened.
struct delivery *delivery_open(const struct config *c, const struct config_sink *sink, nanos now,
                               struct err *err);
// Passes on what is left; false when that failed. Frees it; NULL is fine.
bool delivery_close(struct delivery *d, struct err *err);

// Whether it goes to the same place in the same form: then only its expression is taken anew.
bool delivery_is(const struct delivery *d, const struct config_sink *sink);
bool delivery_refilter(struct delivery *d, const struct config *c, const struct config_sink *sink,
                       nanos now, struct err *err);

void delivery_take(struct delivery *d, const struct record_batch *batch);
// Passes on what waits; opens again what failed. True with err when it failed since the last call.
bool delivery_turn(struct delivery *d, nanos now, struct err *err);
struct delivery_counts delivery_counts(const struct delivery *d);
const char *delivery_to(const struct delivery *d); // without what may be secret
