// SQL that lets at least the wanted rows through.
//
// Each part of the expression is written twice: as a condition that holds wherever the part is
// true, and one that holds wherever it is false, so that `not` exchanges the two. A comparison with
// NULL is NULL, which counts as false in the first and is turned into true by IS NOT TRUE in the
// second. What SQL cannot say as the predicate does is true in both.
#include <assert.h>
#include <inttypes.h>

#include "filter/filter_inside.h"

// DuckDB refuses what is nested too deep, and reads what is too long slowly.
enum { RANGES_WRITTEN_MAX = 64, TEXTS_WRITTEN_MAX = 256, TESTS_WRITTEN_MAX = 200 };

// Times beyond are infinite to DuckDB.
#define TIME_WRITTEN_MAX (INT64_MAX - NANOS_PER_SECOND)
#define SIGN_BIT (UINT64_C(1) << 63)

enum says { SAYS_TRUE, SAYS_FALSE, SAYS_TEXT };

struct condition {
    enum says says;
    struct text text;
};

struct pair {
    struct condition when_true, when_false;
};

// ---- one comparison -----------------------------------------------------------------------------

static void put_column(struct text *t, const struct field *field, const char *suffix)
{
    text_format(t, "\"%s%s\"", field->name, suffix);
}

static void put_quoted(struct text *t, bytes v)
{
    text_add(t, "'");
    for (size_t i = 0; i < v.n; i++)
        text_put(t, v.p[i] == '\'' ? bytes_text("''") : bytes_of(v.p + i, 1));
    text_add(t, "'");
}

static void put_blob(struct text *t, bytes v)
{
    text_add(t, "'");
    for (size_t i = 0; i < v.n; i++) text_format(t, "\\x%02X", v.p[i]);
    text_add(t, "'::BLOB");
}

static void put_number(struct text *t, enum field_type type, uint64_t key)
{
    int64_t v = (int64_t)(key ^ SIGN_BIT);
    if (type == FIELD_TIME) text_format(t, "make_timestamp_ns(%" PRId64 ")", v);
    else if (type == FIELD_DURATION) text_format(t, "%" PRId64, v);
    else text_format(t, "%" PRIu64 "::UBIGINT", key);
}

static bool is_end(enum field_type type, uint64_t key, bool lowest)
{
    int64_t v = (int64_t)(key ^ SIGN_BIT);
    if (type == FIELD_TIME) return lowest ? v < -TIME_WRITTEN_MAX : v > TIME_WRITTEN_MAX;
    // -2^63 cannot be written as a literal.
    if (type == FIELD_DURATION && lowest && v == INT64_MIN) return true;
    return key == (lowest ? 0 : UINT64_MAX);
}

static void put_range(struct text *t, const struct field *field, const char *suffix, uint64_t first,
                      uint64_t last)
{
    bool from = !is_end(field->type, first, true), to = !is_end(field->type, last, false);
    bool literal = (from && to) || (field->type != FIELD_TIME && field->type != FIELD_DURATION);
    put_column(t, field, suffix);
    if (literal && first == last) {
        text_add(t, " = ");
        put_number(t, field->type, first);
        return;
    }
    if (!from && !to) {
        text_add(t, " IS NOT NULL");
        return;
    }
    text_add(t, from && to ? " BETWEEN " : from ? " >= " : " <= ");
    if (from) put_number(t, field->type, first);
    if (from && to) text_add(t, " AND ");
    if (to) put_number(t, field->type, last);
}

// One end of a range over two columns; `sign` is > or <.
static void put_end(struct text *t, const struct field *field, const char *suffixes[2], char sign,
                    struct address end)
{
    text_add(t, "(");
    put_column(t, field, suffixes[0]);
    text_format(t, " %c %" PRIu64 "::UBIGINT OR (", sign, end.hi);
    put_column(t, field, suffixes[0]);
    text_format(t, " = %" PRIu64 "::UBIGINT AND ", end.hi);
    put_column(t, field, suffixes[1]);
    text_format(t, " %c= %" PRIu64 "::UBIGINT))", sign, end.lo);
}

static void put_wide_range(struct text *t, const struct field *field, const struct prefix *p)
{
    bool address = field->type == FIELD_ADDRESS;
    const char *suffixes[2] = {address ? "_hi" : "_us", address ? "_lo" : "_hash"};
    bool same = p->first.hi == p->last.hi, whole = p->first.lo == 0 && p->last.lo == UINT64_MAX;
    text_add(t, "(");
    if (same || whole) {
        put_range(t, field, suffixes[0], p->first.hi, p->last.hi);
        if (!whole) text_add(t, " AND ");
        if (!whole) put_range(t, field, suffixes[1], p->first.lo, p->last.lo);
    } else {
        put_end(t, field, suffixes, '>', p->first);
        text_add(t, " AND ");
        put_end(t, field, suffixes, '<', p->last);
    }
    text_add(t, ")");
}

static bool put_ranges(struct text *t, const struct field *field, const struct ranges *r)
{
    if (r->count > RANGES_WRITTEN_MAX) return false;
    if (r->count == 0) text_add(t, "FALSE");
    if (r->count > 1) text_add(t, "(");
    for (uint32_t i = 0; i < r->count; i++) {
        const struct prefix *p = &r->ranges[i];
        if (i) text_add(t, " OR ");
        if (field_words(field->type) == 2) put_wide_range(t, field, p);
        else put_range(t, field, "", p->first.lo, p->last.lo);
    }
    if (r->count > 1) text_add(t, ")");
    return true;
}

static bool put_flag(struct text *t, const struct field *field, const struct ranges *r)
{
    bool no = ranges_have(r, (struct address){0, 0}), yes = ranges_have(r, (struct address){0, 1});
    if (yes == no) text_add(t, yes ? "" : "FALSE AND ");
    if (!yes && no) text_add(t, "NOT ");
    put_column(t, field, "");
    if (yes == no) text_add(t, " IS NOT NULL");
    return true;
}

static bool put_among(struct text *t, const struct field *field, const struct constant *c)
{
    if (c->text_count > TEXTS_WRITTEN_MAX) return false;
    put_column(t, field, "");
    text_add(t, c->inverted ? " NOT IN (" : " IN (");
    for (uint32_t i = 0; i < c->text_count; i++) {
        if (i) text_add(t, ", ");
        if (field->type == FIELD_HASH) put_blob(t, c->texts[i]);
        else put_quoted(t, c->texts[i]);
    }
    text_add(t, ")");
    return true;
}

static bool put_text_test(struct text *t, const struct field *field, const struct constant *c)
{
    static const char *const functions[] = {
        [FORM_CONTAINS] = "contains", [FORM_STARTS] = "starts_with", [FORM_ENDS] = "suffix"};
    for (uint32_t i = 0; field->type == FIELD_TEXT && i < c->text_count; i++)
        if (!text_is_clean(c->texts[i])) return false; // SQL must be UTF-8
    if (c->form == FORM_TEXTS) return put_among(t, field, c);
    if (c->form != FORM_CONTAINS && c->form != FORM_STARTS && c->form != FORM_ENDS) return false;
    text_format(t, "%s(", functions[c->form]);
    put_column(t, field, "");
    text_add(t, ", ");
    put_quoted(t, c->texts[0]);
    text_add(t, ")");
    return true;
}

static bool put_exists(struct text *t, const struct field *field)
{
    const char *suffix = field->type == FIELD_ADDRESS ? "_hi"
                         : field->type == FIELD_ID    ? "_us"
                                                      : "";
    put_column(t, field, suffix);
    text_add(t, " IS NOT NULL");
    return true;
}

// Exactly what the predicate says of one field, or false and anything.
static bool put_source(struct text *t, const struct record_kind *kind, const struct bound *b,
                       const struct source *s)
{
    const struct field *field = &kind->fields[s->field];
    if (s->how != SOURCE_FIELD || field_is_list(field->type)) return false;
    if (s->guard != NO_FIELD)
        text_format(t, "\"%s\" = %u::UBIGINT AND ", kind->fields[s->guard].name, s->protocol);
    if (b->how == BOUND_EXISTS) return put_exists(t, field);
    if (field->type == FIELD_TEXT || field->type == FIELD_HASH)
        return put_text_test(t, field, b->constant);
    if (field->type == FIELD_BOOL) return put_flag(t, field, &b->constant->ranges);
    // DuckDB orders what is not a number above all numbers.
    if (field->type == FIELD_REAL) return false;
    return put_ranges(t, field, &b->constant->ranges);
}

// ---- the whole ----------------------------------------------------------------------------------

static void condition_set(struct condition *c, enum says says)
{
    text_deinit(&c->text);
    c->says = says;
}

static struct pair pair_of_test(const struct record_kind *kind, const struct bound *b)
{
    struct pair p = {{SAYS_TRUE, {0}}, {SAYS_TRUE, {0}}};
    if (b->how == BOUND_NEVER) p.when_true.says = SAYS_FALSE;
    if (b->how == BOUND_ALWAYS) p.when_false.says = SAYS_FALSE;
    if (b->how == BOUND_NEVER || b->how == BOUND_ALWAYS) return p;
    struct text exact = {0};
    bool fine = true;
    for (uint8_t i = 0; fine && i < b->source_count; i++) {
        text_add(&exact, i ? " OR (" : "((");
        fine = put_source(&exact, kind, b, &b->sources[i]);
        text_add(&exact, ")");
    }
    if (fine) {
        text_add(&exact, ")");
        p.when_true = p.when_false = (struct condition){SAYS_TEXT, {0}};
        text_put(&p.when_true.text, bytes_of(exact.p, exact.n));
        text_format(&p.when_false.text, "(%s IS NOT TRUE)", exact.p);
    }
    text_deinit(&exact);
    return p;
}

// `absorbing` decides alone, the other leaves the rest as it is: FALSE and TRUE of AND, TRUE and
// FALSE of OR.
static void condition_join(struct condition *left, struct condition *right, const char *word,
                           enum says absorbing)
{
    if (left->says == absorbing || right->says == absorbing) {
        condition_set(left, absorbing);
    } else if (left->says != SAYS_TEXT) {
        *left = *right;
        right->text = (struct text){0};
    } else if (right->says == SAYS_TEXT) {
        struct text joined = {0};
        text_format(&joined, "(%s %s %s)", left->text.p, word, right->text.p);
        text_deinit(&left->text);
        left->text = joined;
    }
    text_deinit(&right->text);
}

static void pair_exchange(struct pair *p)
{
    struct condition c = p->when_true;
    p->when_true = p->when_false;
    p->when_false = c;
}

bool filter_sql(const struct filter *f, const struct record_kind *kind, struct text *out)
{
    const struct bound *bounds = filter_bounds(f, kind);
    struct pair stack[FILTER_DEPTH_MAX + 2];
    unsigned depth = 0;
    assert(bounds);
    if (f->test_count > TESTS_WRITTEN_MAX) return false;
    for (uint32_t i = 0; i < f->step_count; i++) {
        const struct step *step = &f->steps[i];
        if (step->type == STEP_TEST) {
            assert(depth < sizeof stack / sizeof stack[0]);
            stack[depth++] = pair_of_test(kind, &bounds[step->to]);
        } else if (step->type == STEP_NOT) {
            pair_exchange(&stack[depth - 1]);
        } else if (step->type == STEP_AND || step->type == STEP_OR) {
            bool and = step->type == STEP_AND;
            struct pair *left = &stack[depth - 2], *right = &stack[--depth];
            condition_join(&left->when_true, &right->when_true, and? "AND" : "OR",
                           and? SAYS_FALSE : SAYS_TRUE);
            condition_join(&left->when_false, &right->when_false, and? "OR" : "AND",
                           and? SAYS_TRUE : SAYS_FALSE);
        }
    }
    assert(depth == 1);
    const struct condition *c = &stack[0].when_true;
    if (c->says == SAYS_FALSE) text_add(out, "FALSE");
    if (c->says == SAYS_TEXT) text_put(out, bytes_of(c->text.p, c->text.n));
    bool says = c->says != SAYS_TRUE;
    text_deinit(&stack[0].when_true.text);
    text_deinit(&stack[0].when_false.text);
    return says;
}
