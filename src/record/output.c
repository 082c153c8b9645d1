#include "record/output.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/community_id.h"
#include "base/mac.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "record/output_inside.h"

enum { HEX_PIECE = 64, REAL_TEXT_MAX = 32, WIDE = 32, DIGITS_MAX = 20, PLAIN_SIZE = 64 };

static void put_heads(struct output *o)
{
    o->heads = memory_get(o->column_count * sizeof *o->heads);
    for (unsigned i = 0; i < o->column_count; i++) {
        text_add(&o->heads[i], ",");
        text_json(&o->heads[i], bytes_text(o->columns[i].name));
        text_add(&o->heads[i], ":");
        text_put(&o->heads[i], bytes_of((const char[WIDE]){0}, WIDE));
        o->heads[i].n -= WIDE;
    }
}

struct output *output_create(enum output_format format, FILE *out,
                             const struct output_column *columns, unsigned column_count,
                             unsigned width)
{
    struct output *o = memory_get(sizeof *o);
    *o =
        (struct output){.format = format, .out = out, .column_count = column_count, .width = width};
    o->columns = memory_get(column_count * sizeof *columns);
    for (unsigned i = 0; i < column_count; i++) {
        o->columns[i] = (struct output_column){text_copy(columns[i].name), columns[i].right};
    }
    if (format == OUTPUT_JSON) put_heads(o);
    text_add(&o->row, ""); // a row may have no value at all
    o->ends = memory_get(column_count * sizeof *o->ends);
    o->widths = memory_get(column_count * sizeof *o->widths);
    o->held = format == OUTPUT_TABLE ? memory_get(TABLE_ROWS_HELD_MAX * sizeof *o->held) : NULL;
    return o;
}

void output_destroy(struct output *o)
{
    if (!o) return;
    for (unsigned i = 0; i < o->column_count; i++) memory_free((char *)o->columns[i].name);
    for (unsigned i = 0; o->heads && i < o->column_count; i++) text_deinit(&o->heads[i]);
    memory_free(o->heads);
    for (unsigned i = 0; o->held && i < TABLE_ROWS_HELD_MAX; i++) text_deinit(&o->held[i]);
    text_deinit(&o->row);
    text_deinit(&o->kind);
    memory_free(o->held);
    memory_free(o->columns);
    memory_free(o->ends);
    memory_free(o->widths);
    memory_free(o);
}

void output_tell_kind(struct output *o, const char *kind)
{
    text_clear(&o->kind);
    text_add(&o->kind, "{\"kind\":");
    text_json(&o->kind, bytes_text(kind));
}

uint64_t output_rows(const struct output *o)
{
    return o->rows;
}

// A row's text grows once; then it is copying alone, without a terminator each time.
static inline void put(struct text *t, const void *p, size_t n)
{
    if (t->n + n >= t->size) {
        text_put(t, bytes_of(p, n));
        return;
    }
    if (n) memcpy(t->p + t->n, p, n);
    t->n += n;
}

// The same, mostly without asking how much: WIDE bytes can be read at `p`.
static inline void put_wide(struct text *t, const char *p, size_t n)
{
    if (n > WIDE || t->n + WIDE >= t->size) {
        put(t, p, n);
        return;
    }
    memcpy(t->p + t->n, p, WIDE);
    t->n += n;
}

// ---- where a value begins and ends --------------------------------------------------------------

static void begin_element(struct output *o)
{
    if (o->elements++) text_add(&o->row, o->format == OUTPUT_TABLE ? ", " : ",");
}

static __attribute__((noinline)) void begin_other(struct output *o)
{
    if (o->in_list) {
        begin_element(o);
        return;
    }
    if (o->format == OUTPUT_CSV && o->column) text_add(&o->row, ",");
    if (o->format != OUTPUT_JSON) return;
    const struct text *head = &o->heads[o->column];
    bool is_first = !o->put++ && !o->kind.n;
    if (is_first) put(&o->row, "{", 1);
    else put(&o->row, o->kind.p, o->kind.n);
    put(&o->row, head->p + is_first, head->n - is_first);
}

static inline void begin_value(struct output *o)
{
    assert(o->column < o->column_count);
    if (!o->put || o->in_list) {
        begin_other(o);
        return;
    }
    const struct text *head = &o->heads[o->column];
    put_wide(&o->row, head->p, head->n);
}

static inline void end_value(struct output *o)
{
    if (o->in_list) return;
    o->ends[o->column++] = o->row.n;
}

// A field of RFC 4180: in quotes where it must be.
static void put_csv(struct text *t, bytes v)
{
    bool quoted = false;
    for (size_t i = 0; i < v.n; i++) quoted = quoted || strchr(",\"\r\n", v.p[i] ? v.p[i] : 'x');
    if (!quoted) {
        text_put(t, v);
        return;
    }
    text_add(t, "\"");
    for (bytes quote; v.n; v = bytes_after(v, quote.n)) {
        size_t n = bytes_find(v, '"');
        quote = bytes_first(v, n < v.n ? n + 1 : n);
        text_put(t, quote);
        if (n < v.n) text_add(t, "\"");
    }
    text_add(t, "\"");
}

static void put_value(struct output *o, bytes v, bool quoted)
{
    begin_value(o);
    bool json = o->format == OUTPUT_JSON || (o->in_list && o->format == OUTPUT_CSV);
    if (json && quoted) text_json(&o->row, v);
    else if (quoted && o->format == OUTPUT_CSV) put_csv(&o->row, v);
    else put(&o->row, v.p, v.n);
    end_value(o);
}

// Text that needs no escapes anywhere, as times and addresses: it stands from text[1].
static inline void put_plain(struct output *o, char text[PLAIN_SIZE], size_t n)
{
    bool json = o->format == OUTPUT_JSON || (o->in_list && o->format == OUTPUT_CSV);
    text[0] = text[1 + n] = '"';
    begin_value(o);
    put_wide(&o->row, text + !json, json ? n + 2 : n);
    end_value(o);
}

void output_list_begin(struct output *o)
{
    begin_value(o);
    o->in_list = true;
    o->elements = 0;
    o->ends[o->column] = o->row.n; // where the list begins, until it has ended
    if (o->format != OUTPUT_TABLE) text_add(&o->row, "[");
}

void output_list_end(struct output *o)
{
    if (o->format != OUTPUT_TABLE) text_add(&o->row, "]");
    o->in_list = false;
    if (o->format == OUTPUT_CSV) {
        // A list is JSON within its field.
        size_t from = o->ends[o->column];
        struct text field = {0};
        put_csv(&field, bytes_of(o->row.p + from, o->row.n - from));
        o->row.n = from;
        text_put(&o->row, bytes_of(field.p, field.n));
        text_deinit(&field);
    }
    end_value(o);
}

// ---- values -------------------------------------------------------------------------------------

void output_null(struct output *o)
{
    if (o->in_list) {
        put_value(o, bytes_text("null"), false);
        return;
    }
    if (o->format == OUTPUT_CSV && o->column) text_add(&o->row, ",");
    end_value(o);
}

void output_bool(struct output *o, bool v)
{
    put_value(o, bytes_text(v ? "true" : "false"), false);
}

static inline void put_two(char *to, uint64_t v)
{
    static const char digits[] = "0001020304050607080910111213141516171819202122232425262728293031"
                                 "3233343536373839404142434445464748495051525354555657585960616263"
                                 "6465666768697071727374757677787980818283848586878889909192939495"
                                 "96979899";
    memcpy(to, digits + 2 * v, 2);
}

void output_uint(struct output *o, uint64_t v)
{
    char digits[DIGITS_MAX + WIDE];
    size_t at = DIGITS_MAX;
    for (; v >= 100; v /= 100) put_two(digits + (at -= 2), v % 100);
    if (v >= 10) put_two(digits + (at -= 2), v);
    else digits[--at] = (char)('0' + v);
    begin_value(o);
    put_wide(&o->row, digits + at, DIGITS_MAX - at);
    end_value(o);
}

void output_int(struct output *o, int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, v);
    put_value(o, bytes_of(text, (size_t)n), false);
}

// The fewest digits that give the same number back. JSON has no infinities: there they are text.
void output_real(struct output *o, double v)
{
    char text[REAL_TEXT_MAX];
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    put_value(o, bytes_of(text, (size_t)n), !isfinite(v));
}

void output_digits(struct output *o, bytes digits)
{
    put_value(o, digits, false);
}

void output_text(struct output *o, bytes v)
{
    put_value(o, v, true);
}

// Most times of rows behind one another are of the same day: its digits are kept.
static inline size_t time_put(struct output *o, char text[TIME_TEXT_MAX], nanos v)
{
    enum { DATE = sizeof "2001-01-01T" - 1, WHOLE = DATE + sizeof "00:00:00" - 1, NANOS = 9 };
    enum { DAY = 86400 };
    if (v <= 0) return (size_t)time_format(text, v);
    uint64_t second = (uint64_t)(v / NANOS_PER_SECOND), fraction = (uint64_t)(v % NANOS_PER_SECOND);
    if ((nanos)(second / DAY) != o->day || !o->date[0]) time_format(o->date, v);
    o->day = (nanos)(second / DAY);
    memcpy(text, o->date, WHOLE);
    put_two(text + DATE, second % DAY / 3600);
    put_two(text + DATE + 3, second / 60 % 60);
    put_two(text + DATE + 6, second % 60);
    size_t n = WHOLE;
    if (fraction) {
        unsigned digits = fraction % 1000 ? NANOS : fraction % 1000000 ? 6 : 3;
        for (unsigned i = digits; i < NANOS; i += 3) fraction /= 1000;
        text[n] = '.';
        for (unsigned i = digits; i > 0; i--, fraction /= 10)
            text[n + i] = (char)('0' + fraction % 10);
        n += 1 + digits;
    }
    text[n] = 'Z';
    return n + 1;
}

void output_time(struct output *o, nanos v)
{
    char text[PLAIN_SIZE];
    put_plain(o, text, time_put(o, text + 1, v));
}

void output_hex(struct output *o, bytes v)
{
    struct text hex = {0};
    char piece[2 * HEX_PIECE + 1];
    for (; v.n; v = bytes_after(v, HEX_PIECE)) {
        hex_format(piece, bytes_first(v, HEX_PIECE));
        text_add(&hex, piece);
    }
    put_value(o, bytes_of(hex.p, hex.n), true);
    text_deinit(&hex);
}

void output_address(struct output *o, struct address v)
{
    char text[PLAIN_SIZE];
    put_plain(o, text, (size_t)address_format(text + 1, v));
}

void output_mac(struct output *o, uint64_t mac)
{
    char text[PLAIN_SIZE];
    mac_format(text + 1, mac);
    put_plain(o, text, MAC_TEXT_SIZE - 1);
}

void output_id(struct output *o, struct record_id v)
{
    char text[PLAIN_SIZE];
    record_id_format(text + 1, v);
    put_plain(o, text, RECORD_ID_TEXT_SIZE - 1);
}

// ---- rows ---------------------------------------------------------------------------------------

static void put_csv_header(struct output *o)
{
    struct text header = {0};
    for (unsigned i = 0; i < o->column_count; i++) {
        if (i) text_add(&header, ",");
        put_csv(&header, bytes_text(o->columns[i].name));
    }
    text_add(&header, "\r\n");
    fwrite(header.p, 1, header.n, o->out);
    text_deinit(&header);
}

static void line_end(struct output *o)
{
    if (o->format == OUTPUT_JSON && o->put) put(&o->row, "}\n", 2);
    else if (o->format == OUTPUT_JSON) text_add(&o->row, "{}\n");
    else text_add(&o->row, "\r\n");
    if (o->format == OUTPUT_CSV && o->rows == 0) put_csv_header(o);
    fwrite(o->row.p, 1, o->row.n, o->out);
}

void output_row_end(struct output *o)
{
    assert(o->column == o->column_count && !o->in_list);
    if (o->format == OUTPUT_TABLE) table_row_end(o);
    else line_end(o);
    o->rows++;
    o->column = o->put = 0;
    text_clear(&o->row);
}

bool output_end(struct output *o, struct err *err)
{
    if (o->format == OUTPUT_TABLE) table_end(o);
    if (o->format == OUTPUT_CSV && o->rows == 0) put_csv_header(o);
    errno = 0;
    if (fflush(o->out) == 0 && !ferror(o->out)) return true;
    return err_system(err, errno ? errno : EIO, "cannot write the result");
}

// ---- batches ------------------------------------------------------------------------------------

static bool is_shown(const struct field *field)
{
    return !(field->flags & FIELD_HIDDEN) && field->type != FIELD_BLOB;
}

static bool is_number(enum field_type type)
{
    return type == FIELD_DURATION || type == FIELD_UINT || type == FIELD_REAL;
}

struct output *output_create_for(enum output_format format, FILE *out,
                                 const struct record_kind *kind, unsigned width)
{
    struct output_column columns[KIND_FIELDS_MAX + 1];
    unsigned n = 0, tuple[COMMUNITY_FIELDS] = {0};
    uint8_t fields[KIND_FIELDS_MAX];
    for (uint32_t f = 0; f < kind->field_count; f++) {
        if (!is_shown(&kind->fields[f])) continue;
        fields[n] = (uint8_t)f;
        columns[n++] =
            (struct output_column){kind->fields[f].name, is_number(kind->fields[f].type)};
    }
    unsigned field_count = n;
    bool has_tuple = community_id_fields(kind, tuple);
    if (has_tuple) columns[n++] = (struct output_column){"community_id", false};
    struct output *o = output_create(format, out, columns, n, width);
    memcpy(o->fields, fields, field_count);
    o->field_count = field_count;
    o->all = field_count < 64 ? (UINT64_C(1) << field_count) - 1 : UINT64_MAX;
    o->has_tuple = has_tuple;
    memcpy(o->tuple, tuple, sizeof tuple);
    return o;
}

static void put_list(struct output *o, bytes list, enum field_type type)
{
    bytes text;
    uint64_t number;
    struct address address;
    output_list_begin(o);
    if (type == FIELD_TEXTS)
        while (list_next_text(&list, &text)) output_text(o, text);
    if (type == FIELD_UINTS)
        while (list_next_uint(&list, &number)) output_uint(o, number);
    if (type == FIELD_ADDRESSES)
        while (list_next_address(&list, &address)) output_address(o, address);
    output_list_end(o);
}

static double real_of(uint64_t word)
{
    double v;
    memcpy(&v, &word, sizeof v);
    return v;
}

void output_field(struct output *o, const struct record_batch *b, unsigned f, uint32_t row)
{
    switch (b->kind->fields[f].type) {
    case FIELD_TIME:
        output_time(o, (nanos)batch_get(b, f, row));
        return;
    case FIELD_DURATION:
        output_real(o, (double)(int64_t)batch_get(b, f, row) / 1e9);
        return;
    case FIELD_UINT:
        output_uint(o, batch_get(b, f, row));
        return;
    case FIELD_REAL:
        output_real(o, real_of(batch_get(b, f, row)));
        return;
    case FIELD_BOOL:
        output_bool(o, batch_get(b, f, row) != 0);
        return;
    case FIELD_MAC:
        output_mac(o, batch_get(b, f, row));
        return;
    case FIELD_ADDRESS:
        output_address(o, batch_get_address(b, f, row));
        return;
    case FIELD_ID:
        output_id(o, batch_get_id(b, f, row));
        return;
    case FIELD_TEXT:
        output_text(o, batch_get_bytes(b, f, row));
        return;
    case FIELD_HASH:
        output_hex(o, batch_get_bytes(b, f, row));
        return;
    case FIELD_BLOB:
        return;
    case FIELD_TEXTS:
    case FIELD_UINTS:
    case FIELD_ADDRESSES:
        put_list(o, batch_get_bytes(b, f, row), b->kind->fields[f].type);
        return;
    }
}

// Computed and not stored: a hash does not compress, it would double a record's size on disk.
static void put_community_id(struct output *o, const struct record_batch *b, uint32_t row)
{
    const unsigned *f = o->tuple;
    char id[PLAIN_SIZE];
    if (!o->has_tuple) return;
    for (unsigned i = 0; i < COMMUNITY_FIELDS; i++) {
        if (batch_has(b, f[i], row)) continue;
        output_null(o);
        return;
    }
    struct community_tuple tuple = {
        batch_get_address(b, f[0], row), batch_get_address(b, f[2], row),
        (uint16_t)batch_get(b, f[1], row), (uint16_t)batch_get(b, f[3], row),
        (uint8_t)batch_get(b, f[4], row)};
    community_id_of_tuple(&tuple, id + 1);
    put_plain(o, id, strlen(id + 1));
}

// Those of the columns that have a value in some row.
static uint64_t columns_used(const struct output *o, const struct record_batch *b)
{
    uint64_t used = 0;
    for (unsigned i = 0; i < o->field_count; i++) {
        const uint64_t *present = b->columns[o->fields[i]].present;
        bool is_used = false;
        for (unsigned k = 0; k < BATCH_ROWS_MAX / 64; k++) is_used |= present[k] != 0;
        used |= (uint64_t)is_used << i;
    }
    return used;
}

// `columns`: those that may have a value.
static void put_row(struct output *o, const struct record_batch *b, uint32_t row, uint64_t columns)
{
    for (; columns; columns &= columns - 1) {
        o->column = (unsigned)__builtin_ctzll(columns);
        unsigned f = o->fields[o->column];
        if (batch_has(b, f, row)) output_field(o, b, f, row);
        else if (o->format != OUTPUT_JSON) output_null(o);
    }
    o->column = o->field_count;
    put_community_id(o, b, row);
    output_row_end(o);
}

void output_batch_row(struct output *o, const struct record_batch *b, uint32_t row)
{
    put_row(o, b, row, o->all);
}

void output_batch(struct output *o, const struct record_batch *b)
{
    uint64_t columns = o->format == OUTPUT_JSON ? columns_used(o, b) : o->all;
    for (uint32_t row = 0; row < b->rows; row++) put_row(o, b, row, columns);
}
