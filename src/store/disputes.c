#include "store/disputes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/kinds.h"

enum { DISPUTES_FIRST = 64 };

struct dispute_range {
    struct record_id conversation;
    uint64_t side; // 0 src, 1 dst
    uint64_t from, to;
};

void disputes_deinit(struct disputes *d)
{
    memory_free(d->ranges);
    *d = (struct disputes){0};
}

// The range of a row in the stream of src or dst; false when it is no byte.
static bool row_range_of(const struct record_batch *b, uint32_t row, unsigned side,
                         struct dispute_range *range)
{
    unsigned offset = side ? COMMON_DST_OFFSET : COMMON_SRC_OFFSET;
    unsigned length = side ? COMMON_DST_LENGTH : COMMON_SRC_LENGTH;
    if (!batch_has(b, COMMON_CONVERSATION_ID, row) || !batch_has(b, offset, row) ||
        !batch_has(b, length, row))
        return false;
    range->conversation = batch_get_id(b, COMMON_CONVERSATION_ID, row);
    range->side = side;
    range->from = batch_get(b, offset, row);
    range->to = range->from + batch_get(b, length, row);
    return range->from < range->to;
}

static void disputes_put(struct disputes *d, const struct dispute_range *range)
{
    if (d->count == DISPUTES_MAX) return;
    if (d->count == d->size) {
        d->size = d->size ? 2 * d->size : DISPUTES_FIRST;
        d->ranges = memory_resize(d->ranges, d->size * sizeof *d->ranges);
    }
    d->ranges[d->count++] = *range;
    d->sorted = false;
}

void disputes_collect(struct disputes *d, const struct record_batch *batch)
{
    if (batch->kind != &ambiguity_kind) return;
    struct dispute_range range;
    for (uint32_t row = 0; row < batch->rows; row++)
        for (unsigned side = 0; side < 2; side++)
            if (row_range_of(batch, row, side, &range)) disputes_put(d, &range);
}

// By conversation and side: those of one stand together.
static int place_compare(const struct dispute_range *a, const struct dispute_range *b)
{
    int ids = record_id_compare(a->conversation, b->conversation);
    if (ids) return ids;
    return a->side < b->side ? -1 : a->side > b->side;
}

static int range_compare(const void *x, const void *y)
{
    return place_compare(x, y);
}

// The first range that is not before the place of `range`.
static size_t disputes_find(const struct disputes *d, const struct dispute_range *range)
{
    size_t low = 0, high = d->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_compare(&d->ranges[middle], range) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

// A conversation has few of them: AMBIGUITIES_MAX.
static bool disputes_touch(const struct disputes *d, const struct dispute_range *range)
{
    for (size_t i = disputes_find(d, range); i < d->count; i++) {
        const struct dispute_range *at = &d->ranges[i];
        if (place_compare(at, range) != 0) return false;
        if (at->from < range->to && range->from < at->to) return true;
    }
    return false;
}

// Kinds that hang on a conversation have the flag in its place among the common fields.
static bool kind_has_flag(const struct record_kind *kind)
{
    return kind != &ambiguity_kind && kind->field_count >= COMMON_COUNT &&
           strcmp(kind->fields[COMMON_AMBIGUOUS].name, "ambiguous") == 0;
}

uint64_t disputes_fields(const struct disputes *d, const struct record_kind *kind)
{
    return d->count && kind_has_flag(kind) ? UINT64_C(1) << COMMON_AMBIGUOUS : 0;
}

void disputes_sort(struct disputes *d)
{
    if (!d->sorted && d->count) qsort(d->ranges, d->count, sizeof *d->ranges, range_compare);
    d->sorted = true;
}

void disputes_flag(struct disputes *d, struct record_batch *batch)
{
    if (!d->count || !kind_has_flag(batch->kind)) return;
    disputes_sort(d);
    struct column *flags = &batch->columns[COMMON_AMBIGUOUS];
    struct dispute_range range;
    for (uint32_t row = 0; row < batch->rows; row++)
        for (unsigned side = 0; side < 2; side++)
            if (row_range_of(batch, row, side, &range) && disputes_touch(d, &range)) {
                flags->present[row / 64] |= UINT64_C(1) << row % 64;
                flags->words[row] = 1;
            }
}
