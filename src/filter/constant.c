// The values of a test, read as one type.
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "filter/aliases.h"
#include "filter/value.h"

enum { SHOWN_MAX = 60 };

struct reading {
    struct compiling *compiling;
    const struct test *test;
    enum value_type type;
    struct constant *constant;
};

static bool place_of(const struct reading *r, bytes text, struct address *place)
{
    return value_place(r->type, text, r->compiling->options->now, place);
}

static bool fail_value(const struct reading *r, const struct value *v)
{
    static const char *const wanted[VALUE_TYPES] = {
        [VALUE_TIME] = "a time: write 2024-01-31, 2024-01-31T12:00:00Z or now-1h",
        [VALUE_DURATION] = "a duration: write 10s, 250ms or 1h",
        [VALUE_UINT] = "a number: write 443, 0x1bb or 10k",
        [VALUE_PROTOCOL] = "a protocol: write tcp, udp, icmp or a number",
        [VALUE_REAL] = "a number: write 0.5",
        [VALUE_BOOL] = "true or false",
        [VALUE_MAC] = "a hardware address: write 02:00:5e:00:53:01",
        [VALUE_ADDRESS] = "an address: write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
        [VALUE_ID] = "an id: 32 hexadecimal digits",
        [VALUE_TEXT] = "a text",
        [VALUE_HASH] = "a hash: an even number of hexadecimal digits",
    };
    int length = (int)(v->text.n < SHOWN_MAX ? v->text.n : SHOWN_MAX);
    return compiling_fail(r->compiling, v->at, "%.*s is compared with \"%.*s\", which is not %s",
                          (int)(r->test->name.n < SHOWN_MAX ? r->test->name.n : SHOWN_MAX),
                          (const char *)r->test->name.p, length, (const char *)v->text.p,
                          wanted[r->type]);
}

// ---- ranges -------------------------------------------------------------------------------------

// IPv4 lies within IPv6 (base/address.h), but ::/0 means the hosts of IPv6: only what names IPv4
// has it.
static void add_addresses(struct ranges *ranges, struct address first, struct address last)
{
    static const struct address v4_first = {0, ADDRESS_V4_PREFIX};
    static const struct address v4_last = {0, ADDRESS_V4_PREFIX | UINT32_MAX};
    bool around = address_compare(first, v4_first) < 0 || address_compare(last, v4_last) > 0;
    if (!around || address_compare(last, v4_first) < 0 || address_compare(first, v4_last) > 0) {
        ranges_add(ranges, first, last);
        return;
    }
    ranges_add(ranges, first, (struct address){0, ADDRESS_V4_PREFIX - 1});
    ranges_add(ranges, (struct address){0, v4_last.lo + 1}, last);
}

// Where a value is cut into two ends: at "..", or at a minus that is not its first character. 0
// when it is one value.
static size_t range_sign(const struct reading *r, bytes text, size_t *behind)
{
    for (size_t i = 1; i + 1 < text.n; i++)
        if (text.p[i] == '.' && text.p[i + 1] == '.') {
            *behind = i + 2;
            return i;
        }
    if (r->type == VALUE_TIME || r->type == VALUE_REAL || text.n < 2) return 0;
    size_t minus = 1 + bytes_find(bytes_after(text, 1), '-');
    *behind = minus + 1;
    return minus < text.n ? minus : 0;
}

static bool read_range(const struct reading *r, const struct value *v, struct address *first,
                       struct address *last)
{
    size_t behind = 0, sign = range_sign(r, v->text, &behind);
    if (place_of(r, v->text, first)) {
        *last = *first;
        return true;
    }
    if (sign == 0) return fail_value(r, v);
    if (!place_of(r, bytes_first(v->text, sign), first) ||
        !place_of(r, bytes_after(v->text, behind), last))
        return fail_value(r, v);
    if (r->type == VALUE_ADDRESS && address_is_v4(*first) != address_is_v4(*last))
        return compiling_fail(r->compiling, v->at,
                              "this range begins in IPv4 and ends in IPv6, or the other way round");
    return address_compare(*first, *last) <= 0 ||
           compiling_fail(r->compiling, v->at, "this range ends before it begins");
}

static bool add_list(const struct reading *r, const struct value *v)
{
    const struct filter_options *o = r->compiling->options;
    bytes name = bytes_after(v->text, 1);
    if (r->type != VALUE_ADDRESS)
        return compiling_fail(r->compiling, v->at, "a list is for addresses; %.*s is none",
                              (int)(r->test->name.n < SHOWN_MAX ? r->test->name.n : SHOWN_MAX),
                              (const char *)r->test->name.p);
    for (size_t i = 0; i < o->list_count; i++) {
        if (!bytes_equal(bytes_text(o->lists[i].name), name)) continue;
        for (size_t p = 0; p < o->lists[i].prefix_count; p++)
            add_addresses(&r->constant->ranges, o->lists[i].prefixes[p].first,
                          o->lists[i].prefixes[p].last);
        return true;
    }
    return compiling_fail(r->compiling, v->at, "there is no list \"%.*s\"",
                          (int)(name.n < SHOWN_MAX ? name.n : SHOWN_MAX), (const char *)name.p);
}

static bool add_value(const struct reading *r, const struct value *v)
{
    struct prefix p;
    bool prefix = r->type == VALUE_ADDRESS && bytes_find(v->text, '/') < v->text.n;
    if (!v->quoted && v->text.n && v->text.p[0] == '$') return add_list(r, v);
    if (prefix && !prefix_parse(v->text, &p)) return fail_value(r, v);
    if (!prefix && !read_range(r, v, &p.first, &p.last)) return false;
    if (r->type == VALUE_ADDRESS) add_addresses(&r->constant->ranges, p.first, p.last);
    else ranges_add(&r->constant->ranges, p.first, p.last);
    return true;
}

static bool read_ordered(const struct reading *r)
{
    const struct value *v = &r->compiling->filter->values[r->test->value_first];
    struct address lowest, highest, place;
    if (!place_of(r, v->text, &place)) return fail_value(r, v);
    value_ends(r->type, &lowest, &highest);
    struct ranges *ranges = &r->constant->ranges;
    bool below =
        r->test->comparison == COMPARE_LESS || r->test->comparison == COMPARE_GREATER_EQUAL;
    // Below the place, or up to it; and what is not that is at least it, or above it.
    if (!below) ranges_add(ranges, lowest, place);
    else if (place.lo) ranges_add(ranges, lowest, (struct address){0, place.lo - 1});
    bool upward =
        r->test->comparison == COMPARE_GREATER_EQUAL || r->test->comparison == COMPARE_GREATER;
    if (upward) ranges_invert(ranges, lowest, highest);
    return true;
}

static bool read_ranges(const struct reading *r)
{
    const struct filter *f = r->compiling->filter;
    struct address lowest, highest;
    for (uint32_t i = 0; i < r->test->value_count; i++)
        if (!add_value(r, &f->values[r->test->value_first + i])) return false;
    ranges_settle(&r->constant->ranges);
    value_ends(r->type, &lowest, &highest);
    if (r->test->comparison == COMPARE_UNEQUAL)
        ranges_invert(&r->constant->ranges, lowest, highest);
    return true;
}

// ---- texts and hashes ---------------------------------------------------------------------------

static int compare_texts(const void *a, const void *b)
{
    const bytes *x = a, *y = b;
    size_t shorter = x->n < y->n ? x->n : y->n;
    int order = shorter ? memcmp(x->p, y->p, shorter) : 0;
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static bool read_texts(const struct reading *r)
{
    const struct filter *f = r->compiling->filter;
    struct constant *c = r->constant;
    c->text_count = r->test->value_count;
    c->texts = memory_get(c->text_count * sizeof *c->texts);
    for (uint32_t i = 0; i < c->text_count; i++) {
        const struct value *v = &f->values[r->test->value_first + i];
        c->texts[i] = v->text;
        if (!v->quoted && v->text.n && v->text.p[0] == '$') return add_list(r, v);
    }
    qsort(c->texts, c->text_count, sizeof *c->texts, compare_texts);
    return true;
}

static bool read_hashes(const struct reading *r)
{
    const struct filter *f = r->compiling->filter;
    struct constant *c = r->constant;
    c->text_count = r->test->value_count;
    c->texts = memory_get(c->text_count * sizeof *c->texts);
    c->memory = memory_get(strlen(f->text) + 1);
    uint8_t *out = c->memory;
    for (uint32_t i = 0; i < c->text_count; i++) {
        const struct value *v = &f->values[r->test->value_first + i];
        c->texts[i] = bytes_of(out, v->text.n / 2);
        if (v->text.n % 2 || v->text.n == 0) return fail_value(r, v);
        for (size_t d = 0; d < v->text.n; d += 2) {
            int high = text_hex_value(v->text.p[d]), low = text_hex_value(v->text.p[d + 1]);
            if (high < 0 || low < 0) return fail_value(r, v);
            *out++ = (uint8_t)(high << 4 | low);
        }
    }
    qsort(c->texts, c->text_count, sizeof *c->texts, compare_texts);
    return true;
}

static bool read_pattern(const struct reading *r)
{
    const struct value *v = &r->compiling->filter->values[r->test->value_first];
    char why[PATTERN_ERROR_MAX];
    size_t at = 0;
    r->constant->pattern = pattern_create(v->text, &at, why);
    return r->constant->pattern ||
           compiling_fail(r->compiling, v->at + (uint32_t)at, "in this pattern: %s", why);
}

static bool text_is_in(const struct constant *c, bytes text)
{
    uint32_t low = 0, high = c->text_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_texts(&c->texts[middle], &text);
        if (order == 0) return true;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return false;
}

bool constant_has_text(const struct constant *c, bytes text)
{
    bytes wanted = c->text_count ? c->texts[0] : (bytes){0};
    switch (c->form) {
    case FORM_TEXTS:
        return text_is_in(c, text) != c->inverted;
    case FORM_NOCASE:
        for (uint32_t i = 0; i < c->text_count; i++)
            if (bytes_equal_nocase(c->texts[i], text)) return true;
        return false;
    case FORM_CONTAINS:
        return wanted.n == 0 || (text.n && memmem(text.p, text.n, wanted.p, wanted.n));
    case FORM_STARTS:
        return bytes_equal(bytes_first(text, wanted.n), wanted);
    case FORM_ENDS:
        return text.n >= wanted.n && bytes_equal(bytes_after(text, text.n - wanted.n), wanted);
    case FORM_PATTERN:
        return pattern_match(c->pattern, text);
    case FORM_RANGES:
        break;
    }
    return false;
}

// ---- which comparison for which type ------------------------------------------------------------

static bool is_ordered(enum value_type type)
{
    return type == VALUE_TIME || type == VALUE_DURATION || type == VALUE_UINT ||
           type == VALUE_PROTOCOL || type == VALUE_REAL;
}

static bool fail_comparison(const struct reading *r, const char *wanted)
{
    return compiling_fail(r->compiling, r->test->comparison_at, "%.*s is %s",
                          (int)(r->test->name.n < SHOWN_MAX ? r->test->name.n : SHOWN_MAX),
                          (const char *)r->test->name.p, wanted);
}

static const char *kept_for(enum value_type type)
{
    if (type == VALUE_TEXT) return "a text: it has no order; use ==, in, contains or ~";
    if (type == VALUE_MAC || type == VALUE_ADDRESS) return "an address: use ==, != or in";
    if (type == VALUE_HASH || type == VALUE_ID) return "a hash or an id: use ==, != or in";
    if (type == VALUE_BOOL) return "true or false: use == or !=";
    return "no text: use ==, !=, <, <=, >, >= or in";
}

static bool read_constant(const struct reading *r)
{
    static const enum constant_form forms[] = {
        [COMPARE_EQUAL] = FORM_TEXTS,       [COMPARE_UNEQUAL] = FORM_TEXTS,
        [COMPARE_IN] = FORM_TEXTS,          [COMPARE_EQUAL_NOCASE] = FORM_NOCASE,
        [COMPARE_CONTAINS] = FORM_CONTAINS, [COMPARE_STARTS_WITH] = FORM_STARTS,
        [COMPARE_ENDS_WITH] = FORM_ENDS,    [COMPARE_MATCHES] = FORM_PATTERN,
    };
    enum comparison c = r->test->comparison;
    bool order = c >= COMPARE_LESS && c <= COMPARE_GREATER_EQUAL;
    bool equal = c == COMPARE_EQUAL || c == COMPARE_UNEQUAL || c == COMPARE_IN;
    r->constant->inverted = c == COMPARE_UNEQUAL;
    if (order) return is_ordered(r->type) ? read_ordered(r) : fail_comparison(r, kept_for(r->type));
    if (r->type == VALUE_TEXT) {
        r->constant->form = forms[c];
        return c == COMPARE_MATCHES ? read_pattern(r) : read_texts(r);
    }
    if (!equal) return fail_comparison(r, kept_for(r->type));
    r->constant->form = r->type == VALUE_HASH ? FORM_TEXTS : FORM_RANGES;
    return r->type == VALUE_HASH ? read_hashes(r) : read_ranges(r);
}

// A name alone: a flag that must be set, or a protocol.
static bool read_named(const struct reading *r)
{
    uint8_t number = 1;
    assert(r->type == VALUE_BOOL || r->type == VALUE_PROTOCOL);
    if (r->type == VALUE_PROTOCOL && !protocol_named(r->test->name, &number)) return false;
    ranges_add(&r->constant->ranges, (struct address){0, number}, (struct address){0, number});
    return true;
}

struct constant *constant_create(struct compiling *c, const struct test *test, enum value_type type)
{
    struct reading r = {c, test, type, memory_get(sizeof *r.constant)};
    if (test->comparison == COMPARE_NAMED ? read_named(&r) : read_constant(&r)) return r.constant;
    constant_destroy(r.constant);
    return NULL;
}

void constant_destroy(struct constant *c)
{
    if (!c) return;
    ranges_deinit(&c->ranges);
    pattern_destroy(c->pattern);
    memory_free(c->texts);
    memory_free(c->memory);
    memory_free(c);
}
