// A batch as bytes, each column in as few as its values need.
//
// First comes a row of the table for every part of every column that has values, in order: numbers
// have one part, addresses and ids two (their words), what lies in the heap two (offset, length).
// Then, part by part, the lower `width` bytes of each value, the upper ones of which are those of
// the base; before the first part of a column of which not all rows have a value, a bit for each
// row. At the end, the heap.
//
// Thread: plain functions over the caller's data.
#pragma once

#include "record/batch.h"

struct narrow_part {
    uint64_t base;
    uint32_t size; // bytes, with those of the bits before it
    uint8_t width; // 0 to 8
    uint8_t has_bits;
    uint16_t zero;
};

enum {
    NARROW_PARTS_MAX = 2 * KIND_FIELDS_MAX,
    NARROW_MAX = NARROW_PARTS_MAX * sizeof(struct narrow_part) +
                 KIND_FIELDS_MAX * (BATCH_ROWS_MAX / 8 + 16 * BATCH_ROWS_MAX) + BATCH_HEAP_SIZE,
    NARROW_SLACK = 8, // bytes behind the content that are read or written, and mean nothing
};

// What a batch will be.
struct narrow {
    uint64_t present; // bit f: field f has values
    size_t size;
    unsigned part_count;
    struct narrow_part parts[NARROW_PARTS_MAX];
};
void narrow_measure(struct narrow *n, const struct record_batch *batch);
// Writes n->size bytes, and NARROW_SLACK behind them.
void narrow_put(const struct narrow *n, const struct record_batch *batch, uint8_t *out);

// Such bytes, borrowed; NARROW_SLACK more can be read.
struct narrow_view {
    const struct record_kind *kind;
    uint64_t present;
    uint32_t rows;
    bytes content, heap;
    unsigned field, part; // the field asked for last, its first part,
    size_t at;            // and where that stands
};
// False when the sizes in it do not fit each other.
bool narrow_open(struct narrow_view *view, const struct record_kind *kind, uint64_t present,
                 uint32_t rows, uint32_t heap_used, bytes content);

// A column that has values, where it stands.
struct narrow_column {
    const uint8_t *bits; // NULL: all rows have a value
    uint32_t rows;
    unsigned part_count;
    struct narrow_part parts[2];
    const uint8_t *values[2];
    bool is_in_heap;
};
// Fast for fields asked for in order.
struct narrow_column narrow_find(struct narrow_view *view, unsigned field);
// Of a column of one part or two words: no value is outside.
uint64_t narrow_least(const struct narrow_column *c, unsigned word);
uint64_t narrow_most(const struct narrow_column *c, unsigned word);
void narrow_presence(const struct narrow_column *c, uint64_t present[BATCH_ROWS_MAX / 64]);
// One word of each row, those without a value too: a number, half of a pair, or a place in the
// heap.
void narrow_words(const struct narrow_column *c, unsigned word, uint64_t *out, unsigned step);
// All columns and the heap. Of a batch that somebody else may have written, nothing is sound yet.
void narrow_batch(struct narrow_view *view, struct record_batch *into);
