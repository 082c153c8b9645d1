#include "record/parcel.h"

#include <string.h>

enum { WORD_SIZE = 8 };

// Words of a value behind the first one.
static size_t rest_of(const struct record_kind *kind, unsigned field, uint64_t word)
{
    enum field_type type = kind->fields[field].type;
    if (field_is_in_heap(type)) return ((size_t)word + WORD_SIZE - 1) / WORD_SIZE;
    return field_words(type) - 1;
}

size_t parcel_pack(uint64_t *words, size_t room, const struct record_batch *b, uint32_t row)
{
    uint64_t present = 0;
    size_t n = 1;
    if (!room) return 0;
    for (unsigned f = 0; f < b->kind->field_count; f++) {
        if (!batch_has(b, f, row)) continue;
        enum field_type type = b->kind->fields[f].type;
        bytes value = {0};
        size_t at = (size_t)row * field_words(type);
        uint64_t word = b->columns[f].words[at];
        if (field_is_in_heap(type)) {
            value = batch_get_bytes(b, f, row);
            word = value.n;
        } else if (field_words(type) == 2) {
            value = bytes_of(&b->columns[f].words[at + 1], WORD_SIZE);
        }
        size_t rest = rest_of(b->kind, f, word);
        if (room < n + 1 + rest) return 0;
        words[n++] = word;
        if (value.n) memcpy(words + n, value.p, value.n);
        n += rest;
        present |= UINT64_C(1) << f;
    }
    words[0] = present;
    return n;
}

void parcel_open(struct parcel *p, const struct record_kind *kind, const uint64_t *words)
{
    p->kind = kind;
    p->present = *words++;
    for (uint64_t left = p->present; left; left &= left - 1) {
        unsigned f = (unsigned)__builtin_ctzll(left);
        p->at[f] = words;
        words += 1 + rest_of(kind, f, *words);
    }
}

bool parcel_equal(const struct parcel *p, unsigned field, const struct parcel *other,
                  unsigned other_field)
{
    if (field_is_in_heap(p->kind->fields[field].type))
        return bytes_equal(parcel_bytes(p, field), parcel_bytes(other, other_field));
    size_t n = field_words(p->kind->fields[field].type) * WORD_SIZE;
    return memcmp(p->at[field], other->at[other_field], n) == 0;
}

size_t parcel_heap(const struct parcel *p)
{
    size_t n = 0;
    for (uint64_t left = p->present; left; left &= left - 1) {
        unsigned f = (unsigned)__builtin_ctzll(left);
        if (field_is_in_heap(p->kind->fields[f].type)) n += (size_t)*p->at[f];
    }
    return n;
}

void parcel_put(struct record_batch *b, unsigned to, const struct parcel *p, unsigned field)
{
    enum field_type type = p->kind->fields[field].type;
    if (field_is_in_heap(type)) batch_text(b, to, parcel_bytes(p, field));
    else if (field_words(type) == 2) batch_words(b, to, p->at[field][0], p->at[field][1]);
    else batch_word(b, to, parcel_get(p, field));
}
