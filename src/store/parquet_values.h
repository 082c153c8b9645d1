// What a column of a Parquet file has in a group of rows, and how that becomes bytes.
//
// Thread: plain functions over the caller's data.
#pragma once

#include "base/text.h"

// How much there is of a row, or of an element of its list.
enum parquet_level { LEVEL_NULL = 0, LEVEL_THERE = 1, LIST_EMPTY = 1, LIST_ELEMENT = 3 };

// Filled by the caller, and used again for the next column.
struct parquet_values {
    size_t nulls;
    uint32_t *levels; // one a row, unless all have a value; of lists one an element, and one a list
                      // that has none
    uint32_t *goes_on; // of lists: 1 where the element is of the same row as the one before
    size_t level_count, level_size;
    uint64_t *words; // the values: numbers, or the places of texts in `heap`
    size_t word_count, word_size;
    uint64_t least, most; // no number is outside
    struct text heap;
};

void parquet_values_clear(struct parquet_values *v); // but for the heap; needed before the first
void parquet_values_deinit(struct parquet_values *v);
// Makes room for so many more levels and values.
void parquet_values_reserve(struct parquet_values *v, size_t levels, size_t words);
// Rows that have a value, and rows that have none. As long as none was without, nothing is noted.
void parquet_values_there(struct parquet_values *v, size_t rows);
void parquet_values_null(struct parquet_values *v, size_t rows);
// Must be told of all numbers, but those in lists of texts: from least to most, not nearer than is
// true.
static inline void parquet_values_within(struct parquet_values *v, uint64_t least, uint64_t most)
{
    if (least < v->least) v->least = least;
    if (most > v->most) v->most = most;
}
// Of lists: an element, or a list without any.
static inline void parquet_list_level(struct parquet_values *v, enum parquet_level level,
                                      bool goes_on)
{
    v->nulls += level != LIST_ELEMENT;
    v->levels[v->level_count] = level;
    v->goes_on[v->level_count++] = goes_on;
}
static inline uint64_t parquet_place(size_t offset, size_t length)
{
    return (uint64_t)offset << 32 | (uint32_t)length;
}

// The values without those that come again, and for each value which of them it is.
struct parquet_dictionary {
    uint64_t *words;
    size_t count;
    uint32_t *slots; // table of numbers in `words` + 1
    uint32_t *indices;
    size_t slot_size, index_size;
};
void parquet_dictionary_deinit(struct parquet_dictionary *d);
// False when too many are different for it to pay.
bool parquet_dictionary_make(struct parquet_dictionary *d, const struct parquet_values *v,
                             bool texts);

// Appends values one by one: numbers of 64 bits, texts behind their length, or bits.
enum parquet_form { FORM_WORDS, FORM_TEXTS, FORM_BITS };
void parquet_put_plain(struct text *out, enum parquet_form form, const struct parquet_values *v,
                       const uint64_t *words, size_t count);
// Appends numbers below 2^width as runs: of the same one, or of eight times n, packed bit by bit.
void parquet_put_runs(struct text *out, const uint32_t *numbers, size_t count, unsigned width);
// One run of the same.
void parquet_put_same(struct text *out, uint32_t number, size_t count, unsigned width);
// Bits that numbers up to this one take; at least one.
unsigned parquet_width(size_t number);
