#include "record/row.h"

#include <assert.h>

#include "base/text.h"

_Static_assert(ROW_SIZE_MAX <= UINT16_MAX, "lengths in a row have 16 bits");

void row_init(struct row *row, const struct record_kind *kind, void *memory, size_t size)
{
    assert(size <= ROW_SIZE_MAX && kind->field_count <= KIND_FIELDS_MAX);
    row->kind = kind;
    row->buf = buf_on(memory, size);
    row->truncated = false;
    row->side = 0;
    row->ordinal = 0;
    row->position = 0;
    row->ts = 0;
    row->list_fields = 0;
}

static enum field_type type_of(const struct row *row, unsigned field)
{
    assert(field < row->kind->field_count);
    return row->kind->fields[field].type;
}

// Whether the list takes one element more.
static bool list_has_room(struct row *row, unsigned field)
{
    uint64_t bit = UINT64_C(1) << field;
    uint16_t count = row->list_fields & bit ? row->list_counts[field] : 0;
    if (count < ROW_LIST_MAX) return true;
    row->truncated = true;
    return false;
}

static void list_count(struct row *row, unsigned field)
{
    uint64_t bit = UINT64_C(1) << field;
    if (!(row->list_fields & bit)) row->list_counts[field] = 0;
    row->list_fields |= bit;
    row->list_counts[field]++;
}

static uint8_t tag_of(unsigned field, enum row_shape shape)
{
    return (uint8_t)((unsigned)shape << ROW_FIELD_BITS | field);
}

// Room for an entry with n bytes behind its first; NULL when there is none, and then for no later
// one either.
static uint8_t *entry_room(struct row *row, size_t n)
{
    struct buf *b = &row->buf;
    if (b->full || n + 1 > b->size - b->n) {
        b->full = true;
        row->truncated = true;
        return NULL;
    }
    return b->p + b->n;
}

static void put_words(struct row *row, unsigned field, enum row_shape shape, const void *words,
                      size_t n)
{
    bool is_list = field_is_list(row->kind->fields[field].type);
    if (is_list && !list_has_room(row, field)) return;
    uint8_t *entry = entry_room(row, n);
    if (!entry) return;
    entry[0] = tag_of(field, is_list ? ROW_ELEMENT : shape);
    memcpy(entry + 1, words, n);
    row->buf.n += 1 + n;
    if (is_list) list_count(row, field);
}

static void put_word(struct row *row, unsigned field, uint64_t v)
{
    put_words(row, field, ROW_WORD, &v, sizeof v);
}

void row_uint(struct row *row, unsigned field, uint64_t v)
{
    enum field_type type = type_of(row, field);
    assert(type == FIELD_UINT || type == FIELD_BOOL || type == FIELD_MAC || type == FIELD_UINTS);
    put_word(row, field, type == FIELD_BOOL ? v != 0 : v);
}

void row_time(struct row *row, unsigned field, nanos v)
{
    enum field_type type = type_of(row, field);
    assert(type == FIELD_TIME || type == FIELD_DURATION);
    (void)type;
    put_word(row, field, (uint64_t)v);
}

void row_real(struct row *row, unsigned field, double v)
{
    assert(type_of(row, field) == FIELD_REAL);
    uint64_t word;
    memcpy(&word, &v, sizeof word);
    put_word(row, field, word);
}

void row_address(struct row *row, unsigned field, struct address v)
{
    enum field_type type = type_of(row, field);
    assert(type == FIELD_ADDRESS || type == FIELD_ADDRESSES);
    (void)type;
    uint64_t words[2] = {v.hi, v.lo};
    put_words(row, field, ROW_PAIR, words, sizeof words);
}

void row_id(struct row *row, unsigned field, struct record_id v)
{
    assert(type_of(row, field) == FIELD_ID);
    uint64_t words[2] = {v.time_us, v.hash};
    put_words(row, field, ROW_PAIR, words, sizeof words);
}

void row_text(struct row *row, unsigned field, bytes v)
{
    bool is_list = type_of(row, field) == FIELD_TEXTS;
    assert(is_list || type_of(row, field) == FIELD_TEXT);
    if (is_list && !list_has_room(row, field)) return;
    uint8_t *entry = entry_room(row, ROW_LENGTH_SIZE);
    if (!entry) return;
    size_t room = row->buf.size - row->buf.n - 1 - ROW_LENGTH_SIZE;
    bool room_is_limit = room < ROW_TEXT_MAX;
    size_t n = text_escape_from((char *)entry + 1 + ROW_LENGTH_SIZE,
                                room_is_limit ? room : ROW_TEXT_MAX, &v);
    if (v.n) {
        row->truncated = true;
        row->buf.full = room_is_limit;
        // A text cut by what came before it would not be the same in another row: it is left out.
        if (room_is_limit) return;
    }
    entry[0] = tag_of(field, is_list ? ROW_ELEMENT : ROW_BYTES);
    uint16_t length = (uint16_t)n;
    memcpy(entry + 1, &length, sizeof length);
    row->buf.n += 1 + ROW_LENGTH_SIZE + n;
    if (is_list) list_count(row, field);
}

void row_hash(struct row *row, unsigned field, bytes v)
{
    enum field_type type = type_of(row, field);
    assert(type == FIELD_HASH || type == FIELD_BLOB);
    uint8_t *entry = entry_room(row, v.n < ROW_SIZE_MAX ? ROW_LENGTH_SIZE + v.n : ROW_SIZE_MAX);
    if (!entry) return;
    entry[0] = tag_of(field, ROW_BYTES);
    uint16_t length = (uint16_t)v.n;
    memcpy(entry + 1, &length, sizeof length);
    if (v.n) memcpy(entry + 1 + ROW_LENGTH_SIZE, v.p, v.n);
    row->buf.n += 1 + ROW_LENGTH_SIZE + v.n;
    (void)type;
}

// Length of the entry that begins with `tag` and goes on with `rest`; text in *text when it has
// one.
static size_t entry_length(const struct row *row, uint8_t tag, bytes rest, bytes *text)
{
    enum row_shape shape = (enum row_shape)(tag >> ROW_FIELD_BITS);
    enum field_type type = row->kind->fields[tag & ((1u << ROW_FIELD_BITS) - 1)].type;
    bool is_pair = shape == ROW_PAIR || (shape == ROW_ELEMENT && type == FIELD_ADDRESSES);
    bool is_word = shape == ROW_WORD || (shape == ROW_ELEMENT && type == FIELD_UINTS);
    *text = (bytes){NULL, 0};
    if (is_pair || is_word) return is_pair ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    uint16_t length;
    memcpy(&length, rest.p, sizeof length);
    *text = bytes_first(bytes_after(rest, ROW_LENGTH_SIZE), length);
    return ROW_LENGTH_SIZE + length;
}

bool row_get_text(const struct row *row, unsigned field, bytes *v)
{
    assert(type_of(row, field) == FIELD_TEXT);
    bool found = false;
    bytes rest = buf_bytes(&row->buf), text;
    while (rest.n) {
        uint8_t tag = rest.p[0];
        rest = bytes_after(rest, 1);
        size_t length = entry_length(row, tag, rest, &text);
        rest = bytes_after(rest, length);
        if (tag != tag_of(field, ROW_BYTES)) continue;
        *v = text;
        found = true;
    }
    return found;
}

void row_range(struct row *row, unsigned side, uint64_t offset, uint64_t length)
{
    row_uint(row, side ? COMMON_DST_OFFSET : COMMON_SRC_OFFSET, offset);
    row_uint(row, side ? COMMON_DST_LENGTH : COMMON_SRC_LENGTH, length);
}

// How long the entry at `at` is: only row.c makes entries, so their lengths are not doubted.
static size_t entry_size(const struct row *row, const uint8_t *at)
{
    enum row_shape shape = at[0] >> ROW_FIELD_BITS;
    enum field_type type = row->kind->fields[at[0] & ((1u << ROW_FIELD_BITS) - 1)].type;
    if (shape == ROW_WORD || (shape == ROW_ELEMENT && type == FIELD_UINTS)) return 1 + 8;
    if (shape == ROW_PAIR || (shape == ROW_ELEMENT && type == FIELD_ADDRESSES)) return 1 + 16;
    uint16_t length;
    memcpy(&length, at + 1, sizeof length);
    return 1 + ROW_LENGTH_SIZE + (size_t)length;
}

bool row_get_range(const struct row *row, unsigned side, uint64_t *offset, uint64_t *length)
{
    *offset = *length = 0;
    for (size_t at = 0; at < row->buf.n; at += entry_size(row, row->buf.p + at)) {
        unsigned field = row->buf.p[at] & ((1u << ROW_FIELD_BITS) - 1);
        uint64_t *to = field == (side ? COMMON_DST_OFFSET : COMMON_SRC_OFFSET)   ? offset
                       : field == (side ? COMMON_DST_LENGTH : COMMON_SRC_LENGTH) ? length
                                                                                 : NULL;
        if (to) memcpy(to, row->buf.p + at + 1, sizeof *to);
    }
    return *length != 0;
}

void row_swap_sides(struct row *row)
{
    static const uint8_t other[] = {COMMON_DST_OFFSET, COMMON_DST_LENGTH, COMMON_SRC_OFFSET,
                                    COMMON_SRC_LENGTH};
    for (size_t at = 0; at < row->buf.n; at += entry_size(row, row->buf.p + at)) {
        unsigned field = row->buf.p[at] & ((1u << ROW_FIELD_BITS) - 1);
        if (field < COMMON_SRC_OFFSET || field > COMMON_DST_LENGTH) continue;
        row->buf.p[at] = tag_of(other[field - COMMON_SRC_OFFSET], ROW_WORD);
    }
}
