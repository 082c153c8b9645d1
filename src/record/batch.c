#include "record/batch.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { LIST_LENGTH_SIZE = 4, WORD_SIZE = 8, PAIR_SIZE = 16 };

// An element of a list of texts takes 3 bytes and its text in a row, and 4 and its text in a
// batch. So a third more than the row has is always enough, and an empty batch takes any row.
#define HEAP_NEED_MAX(row_size) ((row_size) + (row_size) / 3 + 1)
_Static_assert(HEAP_NEED_MAX(ROW_SIZE_MAX) < BATCH_HEAP_SIZE, "an empty batch takes any row");

static size_t words_size(const struct record_kind *kind)
{
    size_t words = 0;
    for (uint32_t i = 0; i < kind->field_count; i++) words += field_words(kind->fields[i].type);
    return words * BATCH_ROWS_MAX * WORD_SIZE;
}

struct record_batch *batch_create(const struct record_kind *kind)
{
    assert(kind->field_count <= KIND_FIELDS_MAX);
    struct record_batch *b = memory_get(sizeof *b);
    b->kind = kind;
    b->columns = memory_get(kind->field_count * sizeof b->columns[0]);
    // The heap gives a piece of this size as untouched zero pages.
    b->heap = memory_get(BATCH_HEAP_SIZE + words_size(kind));
    uint64_t *words = (uint64_t *)(void *)(b->heap + BATCH_HEAP_SIZE);
    for (uint32_t i = 0; i < kind->field_count; i++) {
        b->columns[i].words = words;
        words += (size_t)BATCH_ROWS_MAX * field_words(kind->fields[i].type);
    }
    return b;
}

void batch_destroy(struct record_batch *b)
{
    if (!b) return;
    memory_free(b->heap);
    memory_free(b->columns);
    memory_free(b);
}

void batch_clear(struct record_batch *b)
{
    for (uint32_t i = 0; i < b->kind->field_count; i++)
        memset(b->columns[i].present, 0, sizeof b->columns[i].present);
    b->rows = 0;
    b->heap_used = 0;
}

static struct column *present_column(struct record_batch *b, unsigned field)
{
    struct column *column = &b->columns[field];
    column->present[b->rows / 64] |= UINT64_C(1) << (b->rows % 64);
    return column;
}

static uint64_t place(uint32_t offset, size_t length)
{
    return (uint64_t)offset << 32 | (uint32_t)length;
}

// Of texts many are what the row before has.
static bool is_as_before(const struct record_batch *b, unsigned field, bytes v)
{
    return b->rows && batch_has(b, field, b->rows - 1) &&
           bytes_equal(batch_get_bytes(b, field, b->rows - 1), v);
}

void batch_text(struct record_batch *b, unsigned field, bytes v)
{
    assert(v.n <= BATCH_HEAP_SIZE - b->heap_used);
    if (is_as_before(b, field, v)) {
        batch_word(b, field, batch_get(b, field, b->rows - 1));
        return;
    }
    if (v.n) memcpy(b->heap + b->heap_used, v.p, v.n);
    batch_word(b, field, place(b->heap_used, v.n));
    b->heap_used += (uint32_t)v.n;
}

uint64_t *batch_column(struct record_batch *b, unsigned field, uint32_t rows)
{
    struct column *column = &b->columns[field];
    uint32_t end = b->rows + rows;
    assert(field < b->kind->field_count && end <= BATCH_ROWS_MAX);
    for (uint32_t row = b->rows; row < end; row += 64 - row % 64) {
        uint64_t from = UINT64_MAX << (row % 64);
        bool is_last = end / 64 == row / 64;
        column->present[row / 64] |= is_last ? from & ~(UINT64_MAX << (end % 64)) : from;
    }
    return column->words + (size_t)b->rows * field_words(b->kind->fields[field].type);
}

void batch_cancel(struct record_batch *b)
{
    for (uint32_t i = 0; i < b->kind->field_count; i++)
        b->columns[i].present[b->rows / 64] &= ~(UINT64_C(1) << (b->rows % 64));
}

// One entry of a row. Rows are made by row.c alone, so their lengths are not doubted.
struct entry {
    unsigned field;
    enum row_shape shape;
    bytes value; // without its length
};

static bytes value_of(const uint8_t *at, enum row_shape shape)
{
    if (shape == ROW_WORD) return bytes_of(at, WORD_SIZE);
    if (shape == ROW_PAIR) return bytes_of(at, PAIR_SIZE);
    uint16_t length;
    memcpy(&length, at, sizeof length);
    return bytes_of(at + ROW_LENGTH_SIZE, length);
}

static enum row_shape shape_of_element(enum field_type type)
{
    if (type == FIELD_UINTS) return ROW_WORD;
    return type == FIELD_ADDRESSES ? ROW_PAIR : ROW_BYTES;
}

// Reads the entry at `at` and returns where the next one begins.
static inline const uint8_t *entry_at(const struct record_kind *kind, const uint8_t *at,
                                      struct entry *e)
{
    e->field = *at & ((1u << ROW_FIELD_BITS) - 1);
    e->shape = (enum row_shape)(*at >> ROW_FIELD_BITS);
    enum row_shape shape = e->shape;
    if (shape == ROW_ELEMENT) shape = shape_of_element(kind->fields[e->field].type);
    e->value = value_of(at + 1, shape);
    return e->value.p + e->value.n;
}

// The lists of one row: how many bytes each takes, and then where its next element goes.
struct lists {
    uint64_t fields; // bit n: field n is among them
    uint32_t sizes[KIND_FIELDS_MAX];
};

static void list_measure(struct lists *lists, const struct record_kind *kind, const struct entry *e)
{
    uint64_t bit = UINT64_C(1) << e->field;
    if (!(lists->fields & bit)) lists->sizes[e->field] = 0;
    lists->fields |= bit;
    if (kind->fields[e->field].type == FIELD_TEXTS) lists->sizes[e->field] += LIST_LENGTH_SIZE;
    lists->sizes[e->field] += (uint32_t)e->value.n;
}

static void list_put(struct record_batch *b, uint32_t *at, const struct entry *e)
{
    uint32_t length = (uint32_t)e->value.n;
    if (b->kind->fields[e->field].type == FIELD_TEXTS) {
        memcpy(b->heap + *at, &length, sizeof length);
        *at += LIST_LENGTH_SIZE;
    }
    if (length) memcpy(b->heap + *at, e->value.p, length);
    *at += length;
}

// A second walk over the row: gives each list its place, and puts the elements there.
static void append_lists(struct record_batch *b, bytes entries, struct lists *lists)
{
    for (uint64_t left = lists->fields; left; left &= left - 1) {
        unsigned field = (unsigned)__builtin_ctzll(left);
        uint32_t size = lists->sizes[field];
        batch_word(b, field, place(b->heap_used, size));
        lists->sizes[field] = b->heap_used;
        b->heap_used += size;
    }
    const uint8_t *at = entries.p, *end = entries.p + entries.n;
    while (at < end) {
        struct entry e;
        at = entry_at(b->kind, at, &e);
        if (e.shape == ROW_ELEMENT) list_put(b, &lists->sizes[e.field], &e);
    }
}

static void append_scalar(struct record_batch *b, const struct entry *e)
{
    uint64_t words[2];
    if (e->shape == ROW_WORD) {
        memcpy(words, e->value.p, WORD_SIZE);
        present_column(b, e->field)->words[b->rows] = words[0];
    } else if (e->shape == ROW_PAIR) {
        memcpy(words, e->value.p, PAIR_SIZE);
        memcpy(present_column(b, e->field)->words + 2 * (size_t)b->rows, words, PAIR_SIZE);
    } else {
        memcpy(b->heap + b->heap_used, e->value.p, e->value.n);
        present_column(b, e->field)->words[b->rows] = place(b->heap_used, e->value.n);
        b->heap_used += (uint32_t)e->value.n;
    }
}

bool batch_append(struct record_batch *b, const struct row *row)
{
    assert(row->kind == b->kind);
    bytes entries = buf_bytes(&row->buf);
    assert(entries.n <= ROW_SIZE_MAX);
    if (!batch_begin(b, HEAP_NEED_MAX(entries.n))) return false;
    struct lists lists;
    lists.fields = 0;
    const uint8_t *at = entries.p, *end = entries.p + entries.n;
    while (at < end) {
        struct entry e;
        at = entry_at(b->kind, at, &e);
        if (e.shape == ROW_ELEMENT) list_measure(&lists, b->kind, &e);
        else append_scalar(b, &e);
    }
    if (lists.fields) append_lists(b, entries, &lists);
    batch_end(b);
    return true;
}

static bool is_pair(enum field_type type)
{
    return field_words(type) == 2;
}

static size_t heap_of_row(const struct record_batch *b, uint32_t row)
{
    size_t n = 0;
    for (uint32_t f = 0; f < b->kind->field_count; f++)
        if (field_is_in_heap(b->kind->fields[f].type) && batch_has(b, f, row))
            n += batch_get_bytes(b, f, row).n;
    return n;
}

bool batch_copy(struct record_batch *b, const struct record_batch *from, uint32_t row)
{
    assert(b->kind == from->kind);
    if (!batch_begin(b, heap_of_row(from, row))) return false;
    for (uint32_t f = 0; f < b->kind->field_count; f++) {
        enum field_type type = b->kind->fields[f].type;
        if (!batch_has(from, f, row)) continue;
        const uint64_t *words = from->columns[f].words;
        if (field_is_in_heap(type)) batch_text(b, f, batch_get_bytes(from, f, row));
        else if (is_pair(type))
            batch_words(b, f, words[2 * (size_t)row], words[2 * (size_t)row + 1]);
        else batch_word(b, f, words[row]);
    }
    batch_end(b);
    return true;
}

static bool texts_are_valid(bytes list)
{
    bytes element;
    while (list_next_text(&list, &element))
        if (!text_is_valid(element)) return false;
    return true;
}

static bool value_is_sound(const struct record_batch *b, unsigned field, uint32_t row)
{
    uint64_t at = batch_get(b, field, row) >> 32, length = (uint32_t)batch_get(b, field, row);
    if (at + length > b->heap_used) return false;
    enum field_type type = b->kind->fields[field].type;
    if (type == FIELD_TEXT) return text_is_valid(batch_get_bytes(b, field, row));
    return type != FIELD_TEXTS || texts_are_valid(batch_get_bytes(b, field, row));
}

bool batch_is_sound(const struct record_batch *b)
{
    for (uint32_t f = 0; f < b->kind->field_count; f++)
        for (uint32_t row = 0; field_is_in_heap(b->kind->fields[f].type) && row < b->rows; row++)
            if (batch_has(b, f, row) && !value_is_sound(b, f, row)) return false;
    return true;
}

bool list_next_text(bytes *list, bytes *element)
{
    if (list->n < LIST_LENGTH_SIZE) return false;
    uint32_t length;
    memcpy(&length, list->p, sizeof length);
    *list = bytes_after(*list, LIST_LENGTH_SIZE);
    *element = bytes_first(*list, length);
    *list = bytes_after(*list, length);
    return true;
}

bool list_next_uint(bytes *list, uint64_t *element)
{
    if (list->n < WORD_SIZE) return false;
    memcpy(element, list->p, WORD_SIZE);
    *list = bytes_after(*list, WORD_SIZE);
    return true;
}

bool list_next_address(bytes *list, struct address *element)
{
    if (list->n < PAIR_SIZE) return false;
    memcpy(&element->hi, list->p, WORD_SIZE);
    memcpy(&element->lo, list->p + WORD_SIZE, WORD_SIZE);
    *list = bytes_after(*list, PAIR_SIZE);
    return true;
}
