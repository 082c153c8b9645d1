// Lines of a table: a header names the columns, and each line has as many cells.
#include "collect/line_inside.h"

enum { FRACTION_DIGITS = 6, FRACTION_DIGITS_MAX = 9 };
#define DECIMAL_WHOLE_MAX (UINT64_C(1) << 32) // as in lines of JSON

// ---- cells --------------------------------------------------------------------------------------

static bytes trimmed(bytes b)
{
    while (b.n && b.p[0] == ' ') b = bytes_after(b, 1);
    while (b.n && b.p[b.n - 1] == ' ') b.n--;
    return b;
}

// What stands between quotes; two of them are one (RFC 4180 section 2).
static bool cell_quoted(struct lines *l, bytes *rest, bytes *cell)
{
    text_clear(&l->cell);
    for (;;) {
        size_t end = bytes_find(*rest, '"');
        if (end == rest->n) return line_fault(l, LINE_LOSS_bad_columns, "a quote has no end");
        text_put(&l->cell, bytes_first(*rest, end));
        *rest = bytes_after(*rest, end + 1);
        if (!rest->n || rest->p[0] != '"') break;
        text_add(&l->cell, "\"");
        *rest = bytes_after(*rest, 1);
    }
    size_t end = bytes_find(*rest, l->table.delimiter);
    if (trimmed(bytes_first(*rest, end)).n)
        return line_fault(l, LINE_LOSS_bad_columns, "something stands behind a quote");
    *cell = bytes_of(l->cell.p, l->cell.n);
    *rest = bytes_after(*rest, end);
    return true;
}

// The next cell, and its delimiter if there is one behind it.
static bool cell_next(struct lines *l, bytes *rest, bytes *cell, bool *is_last)
{
    if (l->table.has_quotes && rest->n && rest->p[0] == '"') {
        *rest = bytes_after(*rest, 1);
        if (!cell_quoted(l, rest, cell)) return false;
    } else {
        size_t end = bytes_find(*rest, l->table.delimiter);
        *cell = bytes_first(*rest, end);
        if (l->table.has_quotes) *cell = trimmed(*cell);
        *rest = bytes_after(*rest, end);
    }
    *is_last = !rest->n;
    *rest = bytes_after(*rest, 1);
    return true;
}

// ---- values -------------------------------------------------------------------------------------

// A whole or decimal number, for those keys to which it makes a difference.
static bool number_parse(bytes cell, struct line_value *v)
{
    uint64_t n = 0;
    size_t i = 0;
    for (; i < cell.n && cell.p[i] >= '0' && cell.p[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, cell.p[i] - '0', &n))
            return false;
    v->number = n;
    v->shape = VALUE_NUMBER;
    if (i == cell.n) return i > 0;
    size_t digits = cell.n - i - 1;
    if (!i || cell.p[i] != '.' || !digits || digits > FRACTION_DIGITS_MAX || n >= DECIMAL_WHOLE_MAX)
        return false;
    for (size_t k = i + 1; k < cell.n; k++) {
        unsigned digit = cell.p[k] - '0';
        if (digit > 9) return false;
        n = n * 10 + digit;
    }
    bool is_fine = digits > FRACTION_DIGITS;
    for (; digits < (is_fine ? FRACTION_DIGITS_MAX : FRACTION_DIGITS); digits++) n *= 10;
    v->shape = is_fine ? VALUE_REAL : VALUE_DECIMAL;
    v->number = n;
    return true;
}

static bool is_number(const struct line_key *key)
{
    if (key->use == LINE_DURATION) return true;
    if (key->use != LINE_STEP) return false;
    return key->how == STEP_TIME || key->how == STEP_ICMP || key->how == STEP_REASON;
}

// Escapes as Zeek writes them: \x09.
static bytes unescaped(struct lines *l, bytes cell)
{
    if (bytes_find(cell, '\\') == cell.n) return cell;
    text_clear(&l->cell);
    text_put(&l->cell, cell);
    return bytes_of(l->cell.p, text_unescape((uint8_t *)l->cell.p, cell));
}

static bool is_zeros(bytes cell)
{
    for (size_t i = 0; i < cell.n; i++)
        if (!cell.p[i] || !strchr("0.:-/", cell.p[i])) return false;
    return true;
}

static bool cell_put(struct lines *l, uint32_t column, bytes cell)
{
    const struct line_key *key = &l->keys.keys[l->table.columns[column]];
    struct line_value v = {.shape = VALUE_TEXT, .text = cell};
    bool is_none = !cell.n || bytes_equal(cell, bytes_text(l->table.unset)) ||
                   bytes_equal(cell, bytes_text(l->table.empty));
    if (is_none || (key->is_filled && is_zeros(cell))) return true;
    if (is_number(key)) {
        struct line_value number = v;
        if (number_parse(cell, &number)) v = number;
    }
    if (v.shape == VALUE_TEXT && !l->table.has_quotes) v.text = unescaped(l, cell);
    return line_put(l, key, &v);
}

// ---- lines --------------------------------------------------------------------------------------

bool table_header(struct lines *l, bytes names)
{
    bool is_last = false;
    bytes name;
    l->stamp++;
    l->table.column_count = 0;
    while (!is_last) {
        if (!cell_next(l, &names, &name, &is_last)) return false;
        struct line_key *key = line_key(l, name);
        if (!key) return false;
        if (!line_key_see(l, key))
            return line_fault(l, LINE_LOSS_bad_key, "%.*s is there twice", (int)name.n,
                              (const char *)name.p);
        if (l->table.column_count == LINE_KEYS_MAX)
            return line_fault(l, LINE_LOSS_bad_key, "there are too many columns");
        l->table.columns[l->table.column_count++] = (uint16_t)(key - l->keys.keys);
    }
    return true;
}

static bool table_row(struct lines *l, bytes line)
{
    bool is_last = false;
    uint32_t column = 0;
    if (!l->table.column_count)
        return line_fault(l, LINE_LOSS_bad_columns, "its header was not understood");
    for (; !is_last && column < l->table.column_count; column++) {
        bytes cell;
        if (!cell_next(l, &line, &cell, &is_last) || !cell_put(l, column, cell)) return false;
    }
    return (is_last && column == l->table.column_count) ||
           line_fault(l, LINE_LOSS_bad_columns, "it has %s than the %u columns of its header",
                      is_last ? "less" : "more", l->table.column_count);
}

void table_take(struct lines *l, bytes line)
{
    line_begin(l);
    line_end(l, line, table_row(l, line));
}

void table_pass(struct lines *l)
{
    l->counts.other++;
}
