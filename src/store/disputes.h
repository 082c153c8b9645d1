// Which bytes of which conversation have two readings, as far as a reading's records tell: so that
// a record that was made of such bytes before the other reading came is flagged as well.
//
// Collected from batches on their way into the spool, asked when they are read back. Bounded: of
// more than DISPUTES_MAX, the further ones flag nothing here; their own records tell them.
//
// Thread: disputes_collect under the spool's lock; the rest when no lane writes any more.
#pragma once

#include "record/batch.h"

enum { DISPUTES_MAX = 262144 };

struct disputes {
    struct dispute_range *ranges;
    size_t count, size;
    bool sorted;
};

void disputes_deinit(struct disputes *d);
// Takes the ranges out of a batch of ambiguity records; does nothing with others.
void disputes_collect(struct disputes *d, const struct record_batch *batch);
// The fields of a kind, by bit, that it may flag.
uint64_t disputes_fields(const struct disputes *d, const struct record_kind *kind);
// Makes the next one faster, and free of writing.
void disputes_sort(struct disputes *d);
// Flags the rows of a batch that were made of such bytes.
void disputes_flag(struct disputes *d, struct record_batch *batch);
