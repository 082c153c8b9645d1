#include "filter/random_cases.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/mac.h"
#include "base/memory.h"
#include "base/random.h"
#include "record/test_kind.h"

enum {
    VALUES = 8,
    NOT_A_NUMBER = VALUES,
    ELEMENTS_MAX = 3,
    LEAVES_MAX = 12,
    FIRST_FIELD = TEST_TIME
};

#define TIME_BASE INT64_C(1704067200000000000) // 2024-01-01T00:00:00Z

const struct record_kind *const random_kind = &test_kind;
const nanos random_now = TIME_BASE + 8 * NANOS_PER_SECOND;

struct element_list {
    bool present;
    unsigned count;
    uint8_t index[ELEMENTS_MAX];
};

struct random_rows {
    struct record_batch *batch;
    struct element_list fields[RANDOM_ROWS][TEST_FIELD_COUNT];
};

// ---- the values ---------------------------------------------------------------------------------

static const uint64_t uints[VALUES] = {0, 1, 80, 443, 1000, 1000000, UINT64_C(1) << 63, UINT64_MAX};
static const char *const uint_texts[VALUES] = {
    "0", "1", "80", "0x1bb", "1k", "1M", "9223372036854775808", "18446744073709551615"};
static const double reals[VALUES + 1] = {-1e300, -1.5, -0.25, 0, 0.5, 1, 2.5, 1e300, NAN};
static const char *const real_texts[VALUES] = {"-1e300", "-1.5", "-.25", "-0.0",
                                               "0.5",    "1",    "2.50", "1e300"};
static const char *const address_texts[VALUES] = {"10.0.0.0",   "10.0.0.1", "10.0.0.2",
                                                  "10.0.0.255", "fd00::",   "fd00::1",
                                                  "fd00::ffff", "fd00:1::"};
static const char *const mac_texts[VALUES] = {
    "00:00:00:00:00:00", "00:00:00:00:00:01", "00:1b:21:00:00:00", "00:1B:21:ff:ff:ff",
    "02-00-5e-00-53-01", "02:00:5e:00:53:02", "fe:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"};
static const char *const texts[VALUES] = {"",   "a",          "ab",      "abcab",
                                          "AB", "say \"ab\"", "c:\\dir", "Z\303\274rich"};

static struct address address_at(unsigned i)
{
    struct address a;
    bool fine = address_parse(bytes_text(address_texts[i]), &a);
    assert(fine);
    return a;
}

static uint64_t mac_at(unsigned i)
{
    uint64_t mac;
    bool fine = mac_parse(bytes_text(mac_texts[i]), &mac);
    assert(fine);
    return mac;
}

static void put_value(struct row *row, unsigned field, unsigned i)
{
    uint8_t hash[4] = {(uint8_t)i, 0xab, (uint8_t)i, 0xcd};
    switch (test_fields[field].type) {
    case FIELD_TIME:
        row_time(row, field, TIME_BASE + (nanos)i * NANOS_PER_SECOND);
        return;
    case FIELD_DURATION:
        row_time(row, field, (nanos)i * 250000000);
        return;
    case FIELD_UINT:
    case FIELD_UINTS:
        row_uint(row, field, uints[i]);
        return;
    case FIELD_REAL:
        row_real(row, field, reals[i]);
        return;
    case FIELD_BOOL:
        row_uint(row, field, i);
        return;
    case FIELD_MAC:
        row_uint(row, field, mac_at(i));
        return;
    case FIELD_ADDRESS:
    case FIELD_ADDRESSES:
        row_address(row, field, address_at(i));
        return;
    case FIELD_ID:
        row_id(row, field, (struct record_id){i, i * 7});
        return;
    case FIELD_TEXT:
    case FIELD_TEXTS:
        row_text(row, field, bytes_text(texts[i]));
        return;
    case FIELD_HASH:
    case FIELD_BLOB:
        row_hash(row, field, bytes_of(hash, sizeof hash));
        return;
    }
}

static unsigned value_count(enum field_type type)
{
    return type == FIELD_BOOL ? 2 : VALUES;
}

static bool is_ordered(enum field_type type)
{
    return type == FIELD_TIME || type == FIELD_DURATION || type == FIELD_UINT ||
           type == FIELD_UINTS || type == FIELD_REAL;
}

static bool is_text(enum field_type type)
{
    return type == FIELD_TEXT || type == FIELD_TEXTS;
}

// ---- rows ---------------------------------------------------------------------------------------

static void make_row(struct random_rows *r, uint32_t number, uint64_t *seed)
{
    static uint8_t memory[ROW_SIZE_MAX];
    struct row row;
    row_init(&row, random_kind, memory, sizeof memory);
    row_id(&row, COMMON_ID, (struct record_id){0, number});
    for (unsigned f = FIRST_FIELD; f < TEST_FIELD_COUNT; f++) {
        enum field_type type = test_fields[f].type;
        struct element_list *e = &r->fields[number][f];
        e->present = random_below(seed, 4) != 0;
        if (!e->present) continue;
        e->count = field_is_list(type) ? 1 + (unsigned)random_below(seed, ELEMENTS_MAX) : 1;
        for (unsigned i = 0; i < e->count; i++) {
            unsigned choices = value_count(type) + (type == FIELD_REAL);
            e->index[i] = (uint8_t)random_below(seed, choices);
            put_value(&row, f, e->index[i]);
        }
    }
    bool fits = batch_append(r->batch, &row);
    assert(fits && !row.truncated);
}

struct random_rows *random_rows_create(uint64_t seed)
{
    struct random_rows *r = memory_get(sizeof *r);
    r->batch = batch_create(random_kind);
    for (uint32_t i = 0; i < RANDOM_ROWS; i++) make_row(r, i, &seed);
    return r;
}

void random_rows_destroy(struct random_rows *r)
{
    if (!r) return;
    batch_destroy(r->batch);
    memory_free(r);
}

const struct record_batch *random_rows_batch(const struct random_rows *r)
{
    return r->batch;
}

// ---- expressions --------------------------------------------------------------------------------

// How strongly the outermost operator binds: what binds weaker than asked for needs parentheses.
enum strength { BY_OR, BY_AND, BY_NOT, ALONE };

struct part {
    struct text text;
    enum strength strength;
    bool holds[RANDOM_ROWS];
};

static const char *pick(uint64_t *seed, const char *const *words, unsigned count)
{
    return words[random_below(seed, count)];
}

static void write_text(struct text *t, uint64_t *seed, const char *v)
{
    bool word = *v && !strpbrk(v, " \"\\");
    if (word && random_below(seed, 2)) {
        text_add(t, v);
        return;
    }
    text_add(t, "\"");
    for (; *v; v++) {
        if (*v == '"' || (*v == '\\' && random_below(seed, 2))) text_add(t, "\\");
        text_put(t, bytes_of(v, 1));
    }
    text_add(t, "\"");
}

static void write_value(struct text *t, uint64_t *seed, enum field_type type, unsigned i)
{
    bool other = random_below(seed, 2);
    switch (type) {
    case FIELD_TIME:
        text_format(t, other ? "2024-01-01T00:00:0%uZ" : "now-%us", other ? i : 8 - i);
        return;
    case FIELD_DURATION:
        text_format(t, "%ums", 250 * i);
        return;
    case FIELD_UINT:
    case FIELD_UINTS:
        text_add(t, uint_texts[i]);
        return;
    case FIELD_REAL:
        text_add(t, real_texts[i]);
        return;
    case FIELD_BOOL:
        text_add(t, i ? "true" : "false");
        return;
    case FIELD_MAC:
        text_add(t, mac_texts[i]);
        return;
    case FIELD_ADDRESS:
    case FIELD_ADDRESSES:
        text_add(t, address_texts[i]);
        return;
    case FIELD_ID:
        text_format(t, "%016x%016x", i, i * 7);
        return;
    case FIELD_TEXT:
    case FIELD_TEXTS:
        write_text(t, seed, texts[i]);
        return;
    case FIELD_HASH:
    case FIELD_BLOB:
        text_format(t, other ? "%02xab%02xcd" : "%02XAB%02XCD", i, i);
        return;
    }
}

// Which elements a comparison holds for, as bits.
static void leaf_holds(struct part *p, const struct random_rows *r, unsigned field, unsigned wanted)
{
    for (unsigned row = 0; row < RANDOM_ROWS; row++) {
        const struct element_list *e = &r->fields[row][field];
        p->holds[row] = false;
        for (unsigned i = 0; e->present && i < e->count; i++)
            p->holds[row] |= wanted >> e->index[i] & 1;
    }
}

static void part_invert(struct part *p)
{
    for (unsigned row = 0; row < RANDOM_ROWS; row++) p->holds[row] = !p->holds[row];
}

static unsigned below(unsigned i)
{
    return (1U << i) - 1;
}

static void write_set(struct part *p, const struct random_rows *r, unsigned field, uint64_t *seed)
{
    enum field_type type = test_fields[field].type;
    bool address = type == FIELD_ADDRESS || type == FIELD_ADDRESSES,
         negated = random_below(seed, 4) == 0;
    unsigned wanted = 0, members = 1 + (unsigned)random_below(seed, 3);
    text_add(&p->text, negated ? " not in {" : " in {");
    for (unsigned m = 0; m < members; m++) {
        unsigned first = (unsigned)random_below(seed, value_count(type)), last = first;
        if (is_ordered(type) || address || type == FIELD_MAC)
            last = first + (unsigned)random_below(seed, VALUES - first);
        if (address && first < 4 && last >= 4) last = 3; // addresses of one family
        if (m) text_add(&p->text, random_below(seed, 2) ? ", " : " ");
        write_value(&p->text, seed, type, first);
        bool dots =
            type == FIELD_TIME || type == FIELD_MAC || type == FIELD_REAL || random_below(seed, 2);
        if (last > first) text_add(&p->text, dots ? ".." : "-");
        if (last > first) write_value(&p->text, seed, type, last);
        wanted |= below(last + 1) & ~below(first);
    }
    text_add(&p->text, "}");
    leaf_holds(p, r, field, wanted);
    if (negated) part_invert(p);
}

static void write_exists(struct part *p, const struct random_rows *r, unsigned field,
                         uint64_t *seed)
{
    const char *name = test_fields[field].name;
    bool flag = test_fields[field].type == FIELD_BOOL && random_below(seed, 2);
    if (flag || random_below(seed, 2)) text_add(&p->text, name);
    else text_format(&p->text, "exists(%s)", name);
    bool alone = p->text.p[p->text.n - 1] != ')';
    leaf_holds(p, r, field, alone && test_fields[field].type == FIELD_BOOL ? 2 : ~0U);
}

static void write_text_test(struct part *p, const struct random_rows *r, unsigned field,
                            uint64_t *seed)
{
    unsigned wanted = 0, how = (unsigned)random_below(seed, 6),
             i = (unsigned)random_below(seed, VALUES);
    static const char *const signs[] = {" contains ", " starts_with ", " ends_with ", " ==~ "};
    bool negated = how == 4 && random_below(seed, 2);
    if (how < 4) text_add(&p->text, signs[how]);
    if (how < 4) write_text(&p->text, seed, texts[i]);
    else
        text_format(&p->text, how == 4 ? " %s '\\Q%s\\E'" : " %s '^\\Q%s\\E$'",
                    negated ? "!~" : "~", texts[i]);
    size_t n = strlen(texts[i]);
    for (unsigned v = 0; v < VALUES; v++) {
        const char *t = texts[v];
        size_t length = strlen(t);
        bool holds[] = {strstr(t, texts[i]) != NULL,
                        strncmp(t, texts[i], n) == 0,
                        length >= n && strcmp(t + length - n, texts[i]) == 0,
                        strcasecmp(t, texts[i]) == 0,
                        strstr(t, texts[i]) != NULL,
                        v == i};
        wanted |= (unsigned)holds[how] << v;
    }
    leaf_holds(p, r, field, wanted);
    if (negated) part_invert(p);
}

static void write_comparison(struct part *p, const struct random_rows *r, unsigned field,
                             uint64_t *seed)
{
    static const char *const signs[6][3] = {{" == ", " = ", " eq "}, {" != ", "!=", " ne "},
                                            {" < ", "<", " lt "},    {" <= ", "<=", " le "},
                                            {" > ", ">", " gt "},    {" >= ", ">=", " ge "}};
    enum field_type type = test_fields[field].type;
    unsigned i = (unsigned)random_below(seed, value_count(type));
    unsigned sign = (unsigned)random_below(seed, is_ordered(type) ? 6 : 2);
    unsigned all = below(VALUES), only = 1U << i;
    unsigned wanted[6] = {only,         all & ~only,         below(i),
                          below(i + 1), all & ~below(i + 1), all & ~below(i)};
    text_add(&p->text, pick(seed, signs[sign], 3));
    write_value(&p->text, seed, type, i);
    leaf_holds(p, r, field, wanted[sign]);
}

static void make_leaf(struct part *p, const struct random_rows *r, uint64_t *seed)
{
    unsigned field;
    *p = (struct part){.strength = ALONE};
    do field = FIRST_FIELD + (unsigned)random_below(seed, TEST_FIELD_COUNT - FIRST_FIELD);
    while (test_fields[field].type == FIELD_BLOB);
    unsigned how = (unsigned)random_below(seed, 8);
    if (how == 0) {
        write_exists(p, r, field, seed);
        return;
    }
    text_add(&p->text, test_fields[field].name);
    if (how <= 2) write_set(p, r, field, seed);
    else if (how <= 5 && is_text(test_fields[field].type)) write_text_test(p, r, field, seed);
    else write_comparison(p, r, field, seed);
}

static void put_part(struct text *t, const struct part *p, enum strength needed, uint64_t *seed)
{
    bool parentheses = p->strength < needed || random_below(seed, 8) == 0;
    text_format(t, parentheses ? "(%s)" : "%s", p->text.p);
}

// Joins b to a and empties b; b may be a's double negation away.
static void part_join(struct part *a, struct part *b, uint64_t *seed)
{
    static const char *const ands[] = {" and ", " && ", "&&"}, *const ors[] = {" or ", " || ",
                                                                               "||"};
    bool and = random_below(seed, 2);
    struct text joined = {0};
    enum strength strength = and? BY_AND : BY_OR;
    put_part(&joined, a, strength, seed);
    text_add(&joined, pick(seed, and? ands : ors, 3));
    put_part(&joined, b, strength, seed);
    for (unsigned row = 0; row < RANDOM_ROWS; row++)
        a->holds[row] = and? a->holds[row] && b->holds[row] : a->holds[row] || b->holds[row];
    text_deinit(&a->text);
    text_deinit(&b->text);
    a->text = joined;
    a->strength = strength;
}

static void part_negate(struct part *p, uint64_t *seed)
{
    static const char *const nots[] = {"not ", "!", "! "};
    struct text negated = {0};
    text_add(&negated, pick(seed, nots, 3));
    put_part(&negated, p, BY_NOT, seed);
    text_deinit(&p->text);
    p->text = negated;
    p->strength = BY_NOT;
    part_invert(p);
}

void random_expression(uint64_t *seed, const struct random_rows *r, unsigned leaves,
                       struct text *text, bool wanted[RANDOM_ROWS])
{
    struct part parts[LEAVES_MAX];
    unsigned count = 1 + (unsigned)random_below(seed, leaves < LEAVES_MAX ? leaves : LEAVES_MAX);
    for (unsigned i = 0; i < count; i++) make_leaf(&parts[i], r, seed);
    while (count > 1) {
        unsigned a = (unsigned)random_below(seed, count - 1);
        if (random_below(seed, 4) == 0) part_negate(&parts[a], seed);
        part_join(&parts[a], &parts[count - 1], seed);
        count--;
    }
    if (random_below(seed, 4) == 0) part_negate(&parts[0], seed);
    text_put(text, bytes_of(parts[0].text.p, parts[0].text.n));
    memcpy(wanted, parts[0].holds, sizeof parts[0].holds);
    text_deinit(&parts[0].text);
}
