// How far inputs were taken that go on elsewhere, as partitions of a topic do: whatever became of
// what was made of them.
//
// Thread: one at a time.
#pragma once

#include <jansson.h>

#include "base/text.h"
#include "store/store.h"

// Zeroed, it is an empty list.
struct positions {
    struct reading_position *list; // owns the names
    size_t count;
    size_t at; // behind the one that was found last
};

void positions_deinit(struct positions *p);
// From now on the input was taken up to `next`.
void positions_put(struct positions *p, const char *input, uint64_t next);
// NULL when nothing of the input was taken.
const struct reading_position *positions_of(const struct positions *p, const char *input);

// As they stand in a line of the log and in a tail: ,"positions":[{"input":"…","next":7}], nothing
// when there are none; and back.
void positions_write(struct text *t, const struct reading_position *list, size_t count);
void positions_take(struct positions *p, const json_t *object);
