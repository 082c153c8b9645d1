// Pairs of one-way flows: rows of `flow` that tell one direction each of a conversation become one
// row of both, as biflows of RFC 5103 are.
//
// A row that has counters and tells nothing of the other direction is held until one of the
// opposite direction comes: of the same point, exporter, domain, sampling rate, VLAN and protocol,
// ends exchanged (of ICMP: request and answer), at a time that meets its own or is no further from
// it than the window. Of several the one that began nearest to it is taken, then the oldest. What
// finds no other leaves as it came. All other rows pass.
//
// Time is that of the flows, for each exporter: the latest that one of them ended. Where one ended
// more than JOINING_BACK before, the clock was wrong, and time goes on from there. An exporter may
// fall silent: whoever joins what is told just now calls joining_turn as well.
//
// Bounded: JOINING_HELD_MAX rows of up to JOINING_ROW_MAX bytes, JOINING_BYTES_MAX in all; then the
// oldest leave. Exporters whose names fall into one of JOINING_CLOCKS share their time. No
// allocation for a row but where the elements of both are put together, and that grows once. What
// comes out hangs on the rows and their order alone. One thread.
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "record/batch.h"

enum {
    JOINING_HELD_MAX = 262144,
    JOINING_ROW_MAX = 16384,
    JOINING_BYTES_MAX = 134217728,
    JOINING_CLOCKS = 4096,
    JOINING_LOOKED_AT = 16, // of those that may be joined with a row, the oldest
};
#define JOINING_BACK (3600 * NANOS_PER_SECOND)

// clang-format off
#define JOINING_REASONS(X) \
    X(window, "Flows of one direction that found no other in time") \
    X(full, "Flows of one direction that left for want of room") \
    X(end, "Flows of one direction that were left at the end") \
    X(kept, "Flows of one direction that left so that it could be kept how far a topic was taken")
// clang-format on

enum joining_reason {
#define JOINING_REASON(name, help) JOINING_##name,
    JOINING_REASONS(JOINING_REASON)
#undef JOINING_REASON
};

// taken = passed + 2 * joined + those that left for a reason + held.
struct joining_counts {
    uint64_t taken;  // rows of flow that came
    uint64_t passed; // as they were: not of one direction
    uint64_t joined; // pairs
    uint64_t held;   // now
#define JOINING_COUNT(name, help) uint64_t name;
    JOINING_REASONS(JOINING_COUNT)
#undef JOINING_COUNT
};

void joining_counts_add(struct joining_counts *sum, const struct joining_counts *n);

struct joining_options {
    nanos window;  // more than 0
    bool elements; // keep what one direction told and a row of both has no field for
};

struct joining;

// NULL and err when address space is short.
struct joining *joining_create(const struct joining_options *options, struct record_sink sink,
                               struct err *err);
void joining_destroy(struct joining *j); // without flushing; NULL is fine, here and below

// What takes batches; those of other kinds pass at once.
struct record_sink joining_sink(struct joining *j);
// It is `now`: what is held for longer than the window leaves.
void joining_turn(struct joining *j, nanos now);
// Passes on what need not wait for another.
void joining_flush(struct joining *j);
// Passes on all.
void joining_end(struct joining *j, enum joining_reason why);
struct joining_counts joining_counts(const struct joining *j);
