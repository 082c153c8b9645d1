#include "store/narrow.h"

#include <string.h>

// The parts stand in files as they do in memory.
_Static_assert(sizeof(struct narrow_part) == 16, "parts have no holes");

// A part of a column's words: those `step` apart from `words` on, shifted and masked.
struct part_source {
    const uint64_t *words;
    const uint64_t *present; // NULL: all rows have a value
    unsigned step, shift;
    uint64_t mask;
};

static bool has_row(const uint64_t *present, uint32_t row)
{
    return present[row / 64] >> (row % 64) & 1;
}

static uint64_t rows_mask(uint32_t rows, uint32_t from)
{
    return rows - from < 64 ? (UINT64_C(1) << (rows - from)) - 1 : UINT64_MAX;
}

static bool is_empty(const struct column *c, uint32_t rows)
{
    for (uint32_t row = 0; row < rows; row += 64)
        if (c->present[row / 64]) return false;
    return true;
}

static bool is_whole(const struct column *c, uint32_t rows)
{
    for (uint32_t row = 0; row < rows; row += 64)
        if (~c->present[row / 64] & rows_mask(rows, row)) return false;
    return true;
}

static size_t bits_size(uint32_t rows)
{
    return (rows + 63) / 64 * sizeof(uint64_t);
}

static unsigned parts_of(enum field_type type)
{
    return field_words(type) == 2 || field_is_in_heap(type) ? 2 : 1;
}

static struct part_source source_of(const struct record_batch *b, unsigned field, unsigned part)
{
    enum field_type type = b->kind->fields[field].type;
    const struct column *c = &b->columns[field];
    const uint64_t *present = is_whole(c, b->rows) ? NULL : c->present;
    if (field_is_in_heap(type))
        return (struct part_source){c->words, present, 1, part ? 0 : 32, UINT32_MAX};
    return (struct part_source){c->words + part, present, field_words(type), 0, UINT64_MAX};
}

static inline uint64_t value_of(const struct part_source *s, uint32_t row)
{
    return s->words[(size_t)row * s->step] >> s->shift & s->mask;
}

static uint64_t mask_of(const struct narrow_part *p)
{
    return p->width ? UINT64_MAX >> (64 - 8 * p->width) : 0;
}

// ---- writing ------------------------------------------------------------------------------------

static unsigned width_of(uint64_t number)
{
    return number ? (71 - (unsigned)__builtin_clzll(number)) / 8 : 0;
}

// Bits in which words of a whole column differ from the first: four at a time, as that is what a
// processor can do.
static inline uint64_t differing_words(const uint64_t *words, unsigned step, uint32_t rows)
{
    uint64_t first = words[0], d[4] = {0};
    uint32_t row = 0;
    for (; row + 4 <= rows; row += 4, words += 4 * (size_t)step)
        for (unsigned i = 0; i < 4; i++) d[i] |= words[i * step] ^ first;
    for (; row < rows; row++, words += step) d[0] |= *words ^ first;
    return d[0] | d[1] | d[2] | d[3];
}

static uint64_t differing(const struct part_source *s, uint64_t first, uint32_t rows)
{
    uint64_t d = 0;
    if (!s->present && s->mask == UINT64_MAX)
        return s->step == 1 ? differing_words(s->words, 1, rows)
                            : differing_words(s->words, 2, rows);
    for (uint32_t row = 0; row < rows; row++)
        if (!s->present || has_row(s->present, row)) d |= value_of(s, row) ^ first;
    return d;
}

static uint32_t first_row(const uint64_t *present)
{
    uint32_t row = 0;
    while (present && !has_row(present, row)) row++;
    return row;
}

// Values have the bytes above those that differ in common: that and zeros is the base.
static struct narrow_part measure_part(const struct part_source *s, uint32_t rows, bool is_first)
{
    uint64_t first = value_of(s, first_row(s->present));
    struct narrow_part part = {.width = (uint8_t)width_of(differing(s, first, rows))};
    part.base = first & ~mask_of(&part);
    part.has_bits = s->present && is_first;
    part.size = rows * part.width + (part.has_bits ? (uint32_t)bits_size(rows) : 0);
    return part;
}

void narrow_measure(struct narrow *n, const struct record_batch *b)
{
    n->present = 0;
    n->size = b->heap_used;
    n->part_count = 0;
    for (unsigned f = 0; f < b->kind->field_count; f++) {
        if (is_empty(&b->columns[f], b->rows)) continue;
        n->present |= UINT64_C(1) << f;
        for (unsigned p = 0; p < parts_of(b->kind->fields[f].type); p++) {
            const struct part_source source = source_of(b, f, p);
            struct narrow_part *part = &n->parts[n->part_count++];
            *part = measure_part(&source, b->rows, p == 0);
            n->size += part->size + sizeof *part;
        }
    }
}

// Each value is written as eight bytes, of which the next value covers those that are too many.
static void put_values(const struct narrow_part *part, const struct part_source *s, uint32_t rows,
                       uint8_t *out)
{
    for (uint32_t row = 0; row < rows; row++, out += part->width) {
        bool has = !s->present || has_row(s->present, row);
        uint64_t low = has ? value_of(s, row) : 0;
        memcpy(out, &low, sizeof low);
    }
}

static uint8_t *put_part(const struct narrow_part *part, const struct part_source *s, uint32_t rows,
                         uint8_t *out)
{
    uint8_t *end = out + part->size;
    if (part->has_bits) {
        memcpy(out, s->present, bits_size(rows));
        out += bits_size(rows);
    }
    if (part->width) put_values(part, s, rows, out);
    return end;
}

void narrow_put(const struct narrow *n, const struct record_batch *b, uint8_t *out)
{
    const struct narrow_part *part = n->parts;
    memcpy(out, n->parts, n->part_count * sizeof *n->parts);
    out += n->part_count * sizeof *n->parts;
    for (unsigned f = 0; f < b->kind->field_count; f++) {
        if (!(n->present >> f & 1)) continue;
        for (unsigned p = 0; p < parts_of(b->kind->fields[f].type); p++) {
            const struct part_source source = source_of(b, f, p);
            out = put_part(part++, &source, b->rows, out);
        }
    }
    memcpy(out, b->heap, b->heap_used);
}

// ---- reading ------------------------------------------------------------------------------------

static struct narrow_part part_at(const struct narrow_view *v, unsigned part)
{
    struct narrow_part p;
    memcpy(&p, v->content.p + part * sizeof p, sizeof p);
    return p;
}

static unsigned parts_of_all(const struct narrow_view *v)
{
    unsigned parts = 0;
    for (unsigned f = 0; f < v->kind->field_count; f++)
        if (v->present >> f & 1) parts += parts_of(v->kind->fields[f].type);
    return parts;
}

static bool part_is_sound(const struct narrow_part *p, uint32_t rows)
{
    size_t size = (size_t)rows * p->width + (p->has_bits ? bits_size(rows) : 0);
    return p->width <= 8 && !(p->base & mask_of(p)) && p->size == size;
}

static void view_rewind(struct narrow_view *v)
{
    v->field = v->part = 0;
    v->at = parts_of_all(v) * sizeof(struct narrow_part);
}

bool narrow_open(struct narrow_view *v, const struct record_kind *kind, uint64_t present,
                 uint32_t rows, uint32_t heap_used, bytes content)
{
    *v = (struct narrow_view){.kind = kind, .present = present, .rows = rows, .content = content};
    unsigned parts = parts_of_all(v);
    size_t size = parts * sizeof(struct narrow_part);
    if (rows > BATCH_ROWS_MAX || content.n < size) return false;
    for (unsigned i = 0; i < parts; i++) {
        struct narrow_part p = part_at(v, i);
        if (!part_is_sound(&p, rows)) return false;
        size += p.size;
    }
    if (size + heap_used != content.n) return false;
    v->heap = bytes_after(content, size);
    view_rewind(v);
    return true;
}

static void view_seek(struct narrow_view *v, unsigned field)
{
    if (field < v->field) view_rewind(v);
    for (; v->field < field; v->field++) {
        if (!(v->present >> v->field & 1)) continue;
        unsigned end = v->part + parts_of(v->kind->fields[v->field].type);
        while (v->part < end) v->at += part_at(v, v->part++).size;
    }
}

struct narrow_column narrow_find(struct narrow_view *v, unsigned field)
{
    enum field_type type = v->kind->fields[field].type;
    struct narrow_column c = {
        .rows = v->rows, .part_count = parts_of(type), .is_in_heap = field_is_in_heap(type)};
    view_seek(v, field);
    const uint8_t *at = v->content.p + v->at;
    for (unsigned i = 0; i < c.part_count; i++) {
        c.parts[i] = part_at(v, v->part + i);
        c.values[i] = at;
        if (c.parts[i].has_bits) c.values[i] += bits_size(v->rows);
        if (c.parts[i].has_bits && i == 0) c.bits = at;
        at += c.parts[i].size;
    }
    return c;
}

uint64_t narrow_least(const struct narrow_column *c, unsigned word)
{
    return c->parts[word].base;
}

uint64_t narrow_most(const struct narrow_column *c, unsigned word)
{
    return c->parts[word].base | mask_of(&c->parts[word]);
}

void narrow_presence(const struct narrow_column *c, uint64_t present[BATCH_ROWS_MAX / 64])
{
    if (c->bits) memcpy(present, c->bits, bits_size(c->rows));
    for (uint32_t row = 0; row < c->rows; row += 64) {
        uint64_t mask = rows_mask(c->rows, row);
        present[row / 64] = c->bits ? present[row / 64] & mask : mask;
    }
}

// out[i * step] = out[i * step] << shift | value
static inline void get_values(const struct narrow_column *c, unsigned part, uint64_t *out,
                              unsigned step, unsigned shift)
{
    const uint64_t base = c->parts[part].base, width = c->parts[part].width;
    const uint64_t mask = mask_of(&c->parts[part]);
    const uint8_t *at = c->values[part];
    for (uint32_t row = 0; row < c->rows; row++, at += width, out += step) {
        uint64_t low;
        memcpy(&low, at, sizeof low);
        *out = (shift ? *out << shift : 0) | base | (low & mask);
    }
}

void narrow_words(const struct narrow_column *c, unsigned word, uint64_t *out, unsigned step)
{
    get_values(c, word, out, step, 0);
    if (c->is_in_heap) get_values(c, 1, out, 1, 32);
}

void narrow_batch(struct narrow_view *v, struct record_batch *into)
{
    batch_clear(into);
    into->rows = v->rows;
    into->heap_used = (uint32_t)v->heap.n;
    memcpy(into->heap, v->heap.p, v->heap.n);
    for (unsigned f = 0; f < v->kind->field_count; f++) {
        if (!(v->present >> f & 1)) continue;
        struct narrow_column c = narrow_find(v, f);
        unsigned words = field_words(v->kind->fields[f].type);
        narrow_presence(&c, into->columns[f].present);
        for (unsigned word = 0; word < words; word++)
            narrow_words(&c, word, into->columns[f].words + word, words);
    }
}
