// Records on their way: up to BATCH_ROWS_MAX rows of one kind, in columns.
//
// Owned by whoever fills it; a sink borrows it for the call. Allocates when created and never
// again: when a row does not fit, batch_append says so and the owner passes the batch on and clears
// it.
#pragma once

#include <assert.h>

#include "base/address.h"
#include "record/id.h"
#include "record/kind.h"
#include "record/row.h"

enum { BATCH_ROWS_MAX = 512, BATCH_HEAP_SIZE = 128 * 1024 };

// A column holds one or two words a row; where the row has no value, they say nothing. Text, hash
// and blob: offset in the heap << 32 | length. Lists: the same with the length in bytes; elements
// are 8 bytes (uints), 16 bytes (addresses: hi, lo), or a 4-byte length before each text.
struct column {
    uint64_t *words;
    uint64_t present[BATCH_ROWS_MAX / 64];
};

struct record_batch {
    const struct record_kind *kind;
    uint32_t rows;
    struct column *columns;
    uint8_t *heap;
    uint32_t heap_used;
};

// Memory is taken at once, but touched only as rows come, so a kind that is never seen costs next
// to nothing.
struct record_batch *batch_create(const struct record_kind *kind);
void batch_destroy(struct record_batch *b);
void batch_clear(struct record_batch *b);

// Adds a row; false when there is no room, and then the batch is as it was. The row's kind must be
// the batch's.
bool batch_append(struct record_batch *b, const struct row *row);

// Adds a row of another batch of the same kind; false when there is no room.
bool batch_copy(struct record_batch *b, const struct record_batch *from, uint32_t row);

// Columnar writing, for those who have values and no row: begin, set by field number, end.
// batch_begin is false when there is no room for a row with `heap_need` bytes of text.
static inline bool batch_begin(const struct record_batch *b, size_t heap_need)
{
    return b->rows < BATCH_ROWS_MAX && heap_need <= BATCH_HEAP_SIZE - b->heap_used;
}
static inline void batch_word(struct record_batch *b, unsigned field, uint64_t v)
{
    assert(field < b->kind->field_count && b->rows < BATCH_ROWS_MAX);
    struct column *column = &b->columns[field];
    column->present[b->rows / 64] |= UINT64_C(1) << (b->rows % 64);
    column->words[b->rows] = v;
}
static inline void batch_words(struct record_batch *b, unsigned field, uint64_t hi, uint64_t lo)
{
    assert(field < b->kind->field_count && b->rows < BATCH_ROWS_MAX);
    struct column *column = &b->columns[field];
    column->present[b->rows / 64] |= UINT64_C(1) << (b->rows % 64);
    uint64_t *words = column->words + 2 * (size_t)b->rows;
    words[0] = hi;
    words[1] = lo;
}
void batch_text(struct record_batch *b, unsigned field,
                bytes v); // must be clean text, or any bytes for hash, blob and encoded lists
static inline void batch_end(struct record_batch *b)
{
    assert(b->rows < BATCH_ROWS_MAX);
    b->rows++;
}
void batch_cancel(struct record_batch *b); // instead of batch_end: the row never was

// The same of several rows at once, column by column: between batch_begin and as many batch_ends.
// The words of a field for the next `rows` rows, which all have a value now.
uint64_t *batch_column(struct record_batch *b, unsigned field, uint32_t rows);
// All have the same. Of text, hash, blob and lists it is the place that the first of them got.
static inline void batch_same(struct record_batch *b, unsigned field, uint32_t rows, uint64_t v)
{
    uint64_t *words = batch_column(b, field, rows);
    for (uint32_t i = 0; i < rows; i++) words[i] = v;
}

static inline bool batch_has(const struct record_batch *b, unsigned field, uint32_t row)
{
    return b->columns[field].present[row / 64] >> (row % 64) & 1;
}

static inline uint64_t batch_get(const struct record_batch *b, unsigned field, uint32_t row)
{
    return b->columns[field].words[row];
}

static inline struct address batch_get_address(const struct record_batch *b, unsigned field,
                                               uint32_t row)
{
    const uint64_t *w = b->columns[field].words + 2 * (size_t)row;
    return (struct address){w[0], w[1]};
}

static inline struct record_id batch_get_id(const struct record_batch *b, unsigned field,
                                            uint32_t row)
{
    const uint64_t *w = b->columns[field].words + 2 * (size_t)row;
    return (struct record_id){w[0], w[1]};
}

// Text, hash, blob, or the encoded elements of a list; valid until the batch changes.
static inline bytes batch_get_bytes(const struct record_batch *b, unsigned field, uint32_t row)
{
    uint64_t w = b->columns[field].words[row];
    return (bytes){b->heap + (w >> 32), (uint32_t)w};
}

// Whether every value lies within the heap, and what is text may stand as text: of a batch that was
// read from a file, others may have written it.
bool batch_is_sound(const struct record_batch *b);

// Take the next element out of an encoded list; false at its end.
bool list_next_text(bytes *list, bytes *element);
bool list_next_uint(bytes *list, uint64_t *element);
bool list_next_address(bytes *list, struct address *element);

// Where batches go. Called by the lane that filled the batch; it may block (back-pressure), and
// must not keep it.
struct record_sink {
    void *context;
    void (*take)(void *context, const struct record_batch *batch);
};
