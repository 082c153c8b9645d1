#include "store/vector.h"

#include <assert.h>
#include <string.h>

#include "store/schema.h"

enum { ADDRESS_SIZE = 16, UINT_SIZE = 8 };

static void put_validity(struct duck_vector *v, uint64_t at, const struct record_batch *b,
                         unsigned field)
{
    duck.vector_ensure_validity_writable(v);
    uint64_t *validity = duck.vector_get_validity(v);
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t bit = UINT64_C(1) << ((at + row) % 64), *word = &validity[(at + row) / 64];
        if (batch_has(b, field, row)) *word |= bit;
        else *word &= ~bit;
    }
}

static void put_words(struct duck_vector *v, uint64_t at, const struct record_batch *b,
                      struct vector_column c)
{
    uint64_t *out = (uint64_t *)duck.vector_get_data(v) + at;
    unsigned step = field_words(b->kind->fields[c.field].type);
    const uint64_t *words = b->columns[c.field].words + c.word;
    for (uint32_t row = 0; row < b->rows; row++) out[row] = words[(size_t)row * step];
}

static void put_bools(struct duck_vector *v, uint64_t at, const struct record_batch *b,
                      unsigned field)
{
    bool *out = (bool *)duck.vector_get_data(v) + at;
    for (uint32_t row = 0; row < b->rows; row++)
        out[row] = batch_has(b, field, row) && batch_get(b, field, row) != 0;
}

static void put_strings(struct duck_vector *v, uint64_t at, const struct record_batch *b,
                        unsigned field)
{
    for (uint32_t row = 0; row < b->rows; row++) {
        if (!batch_has(b, field, row)) continue;
        bytes s = batch_get_bytes(b, field, row);
        duck.vector_assign_string_element_len(v, at + row, (const char *)s.p, s.n);
    }
}

static uint64_t list_count(bytes list, enum field_type type)
{
    if (type == FIELD_UINTS) return list.n / UINT_SIZE;
    if (type == FIELD_ADDRESSES) return list.n / ADDRESS_SIZE;
    uint64_t n = 0;
    for (bytes element; list_next_text(&list, &element);) n++;
    return n;
}

static void put_elements(struct duck_vector *child, uint64_t at, bytes list, enum field_type type)
{
    uint64_t number;
    struct address address;
    bytes element;
    char text[ADDRESS_TEXT_MAX];
    if (type == FIELD_UINTS)
        while (list_next_uint(&list, &number))
            ((uint64_t *)duck.vector_get_data(child))[at++] = number;
    if (type == FIELD_ADDRESSES)
        while (list_next_address(&list, &address)) {
            int n = address_format(text, address);
            duck.vector_assign_string_element_len(child, at++, text, (uint64_t)n);
        }
    if (type == FIELD_TEXTS)
        while (list_next_text(&list, &element))
            duck.vector_assign_string_element_len(child, at++, (const char *)element.p, element.n);
}

static void put_lists(struct duck_vector *v, uint64_t at, const struct record_batch *b,
                      unsigned field)
{
    enum field_type type = b->kind->fields[field].type;
    uint64_t used = duck.list_vector_get_size(v), total = used;
    struct duck_list_entry *entries = (struct duck_list_entry *)duck.vector_get_data(v) + at;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t n =
            batch_has(b, field, row) ? list_count(batch_get_bytes(b, field, row), type) : 0;
        entries[row] = (struct duck_list_entry){total, n};
        total += n;
    }
    duck.list_vector_reserve(v, total);
    duck.list_vector_set_size(v, total);
    struct duck_vector *child = duck.list_vector_get_child(v);
    for (uint32_t row = 0; row < b->rows; row++)
        if (entries[row].length)
            put_elements(child, entries[row].offset, batch_get_bytes(b, field, row), type);
}

void vector_put(struct duck_vector *v, uint64_t at, const struct record_batch *batch,
                struct vector_column column)
{
    assert(column.field < batch->kind->field_count);
    put_validity(v, at, batch, column.field);
    switch (batch->kind->fields[column.field].type) {
    case FIELD_TIME:
    case FIELD_DURATION:
    case FIELD_UINT:
    case FIELD_REAL:
    case FIELD_MAC:
    case FIELD_ADDRESS:
    case FIELD_ID:
        put_words(v, at, batch, column);
        return;
    case FIELD_BOOL:
        put_bools(v, at, batch, column.field);
        return;
    case FIELD_TEXT:
    case FIELD_HASH:
    case FIELD_BLOB:
        put_strings(v, at, batch, column.field);
        return;
    case FIELD_TEXTS:
    case FIELD_UINTS:
    case FIELD_ADDRESSES:
        put_lists(v, at, batch, column.field);
        return;
    }
}

// ---- back ---------------------------------------------------------------------------------------

// One row on its way out of the vectors: `first` is the vector of the field, `second` the one of
// its other word.
struct taken {
    struct duck_vector *first, *second;
    uint64_t row;
    struct text *scratch;
};

static bytes string_at(struct duck_vector *v, uint64_t row)
{
    const struct duck_string *s = (const struct duck_string *)duck.vector_get_data(v) + row;
    return bytes_of(duck_string_data(s), s->length);
}

static uint64_t word_at(struct duck_vector *v, uint64_t row)
{
    return ((const uint64_t *)duck.vector_get_data(v))[row];
}

static size_t element_size(struct duck_vector *child, uint64_t at, enum field_type type)
{
    if (type == FIELD_TEXTS) return 4 + string_at(child, at).n;
    return type == FIELD_UINTS ? UINT_SIZE : ADDRESS_SIZE;
}

static void encode_element(struct text *out, struct duck_vector *child, uint64_t at,
                           enum field_type type)
{
    struct address a = {0};
    if (type == FIELD_UINTS) {
        uint64_t v = word_at(child, at);
        text_put(out, bytes_of(&v, sizeof v));
        return;
    }
    bytes s = string_at(child, at);
    if (type == FIELD_ADDRESSES) {
        (void)!address_parse(s, &a);
        text_put(out, bytes_of(&a, sizeof a));
        return;
    }
    uint32_t n = (uint32_t)s.n;
    text_put(out, bytes_of(&n, sizeof n));
    text_put(out, s);
}

// Bytes of heap that the field of this row takes in the batch.
static size_t heap_need(const struct taken *t, enum field_type type)
{
    if (type == FIELD_TEXT || type == FIELD_HASH || type == FIELD_BLOB)
        return string_at(t->first, t->row).n;
    if (!field_is_list(type)) return 0;
    struct duck_list_entry e =
        ((const struct duck_list_entry *)duck.vector_get_data(t->first))[t->row];
    struct duck_vector *child = duck.list_vector_get_child(t->first);
    size_t need = 0;
    for (uint64_t i = 0; i < e.length; i++) need += element_size(child, e.offset + i, type);
    return need;
}

static void take_list(const struct taken *t, enum field_type type, struct record_batch *b,
                      unsigned field)
{
    struct duck_list_entry e =
        ((const struct duck_list_entry *)duck.vector_get_data(t->first))[t->row];
    struct duck_vector *child = duck.list_vector_get_child(t->first);
    text_clear(t->scratch);
    for (uint64_t i = 0; i < e.length; i++) encode_element(t->scratch, child, e.offset + i, type);
    batch_text(b, field, bytes_of(t->scratch->p, t->scratch->n));
}

static void take_field(const struct taken *t, enum field_type type, struct record_batch *b,
                       unsigned field)
{
    switch (type) {
    case FIELD_TIME:
    case FIELD_DURATION:
    case FIELD_UINT:
    case FIELD_REAL:
    case FIELD_MAC:
        batch_word(b, field, word_at(t->first, t->row));
        return;
    case FIELD_BOOL:
        batch_word(b, field, ((const bool *)duck.vector_get_data(t->first))[t->row]);
        return;
    case FIELD_ADDRESS:
    case FIELD_ID:
        batch_words(b, field, word_at(t->first, t->row), word_at(t->second, t->row));
        return;
    case FIELD_TEXT:
    case FIELD_HASH:
    case FIELD_BLOB:
        batch_text(b, field, string_at(t->first, t->row));
        return;
    case FIELD_TEXTS:
    case FIELD_UINTS:
    case FIELD_ADDRESSES:
        take_list(t, type, b, field);
        return;
    }
}

static bool take_row(struct duck_vector *const *vectors, uint64_t row, struct record_batch *b,
                     struct text *scratch)
{
    struct taken at[KIND_FIELDS_MAX];
    bool there[KIND_FIELDS_MAX];
    size_t need = 0;
    unsigned column = 0;
    for (unsigned f = 0; f < b->kind->field_count; f++) {
        enum field_type type = b->kind->fields[f].type;
        at[f] = (struct taken){vectors[column], field_words(type) == 2 ? vectors[column + 1] : NULL,
                               row, scratch};
        column += field_words(type);
        there[f] = at[f].first && !vector_is_null(duck.vector_get_validity(at[f].first), row);
        if (there[f]) need += heap_need(&at[f], type);
    }
    if (!batch_begin(b, need)) return false;
    for (unsigned f = 0; f < b->kind->field_count; f++)
        if (there[f]) take_field(&at[f], b->kind->fields[f].type, b, f);
    batch_end(b);
    return true;
}

uint32_t vector_take(struct duck_vector *const *vectors, uint64_t from, uint64_t rows,
                     struct record_batch *batch, struct text *scratch)
{
    uint32_t taken = 0;
    while (taken < rows && take_row(vectors, from + taken, batch, scratch)) taken++;
    return taken;
}
