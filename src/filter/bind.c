// Tests and kinds brought together: which fields a name means in rows of each kind, and typed
// constants for them.
#include <stdio.h>

#include "base/memory.h"
#include "filter/aliases.h"
#include "filter/resolve.h"
#include "filter/value.h"

// A test while it is bound to one kind after the other.
struct binding {
    struct compiling *compiling;
    struct test *test;
    uint32_t number;
    bool known;                // some kind has the name
    bool fits;                 // and in some its type fits
    struct filter_error error; // why not in the first where it does not
};

static bool is_kind_word(bytes name)
{
    return bytes_equal(name, bytes_text("kind"));
}

static bool is_among_kinds(const struct filter *f, bytes name)
{
    for (uint32_t k = 0; k < f->kind_count; k++)
        if (bytes_equal(bytes_text(f->kinds[k]->name), name)) return true;
    return false;
}

static enum value_type source_value_type(const struct record_kind *kind,
                                         const struct source *source)
{
    if (source->how == SOURCE_FIELD &&
        bytes_equal(bytes_text(kind->fields[source->field].name), bytes_text("proto")))
        return source->type == FIELD_UINT ? VALUE_PROTOCOL : value_type_for(source->type);
    return value_type_for(source->type);
}

// The test's constant as `type`, made once. NULL when its values are none; why is noted the first
// time.
static const struct constant *constant_for(struct binding *b, enum value_type type)
{
    struct constant **slot = &b->test->constants[type];
    if (*slot) return *slot;
    struct filter_error error = {0};
    struct compiling inner = *b->compiling;
    inner.error = &error;
    *slot = constant_create(&inner, b->test, type);
    if (!*slot && b->error.column == 0) b->error = error;
    return *slot;
}

// `kind` is not a field of the rows: it is decided while compiling.
static void bind_kind_word(struct binding *b, const struct record_kind *kind, struct bound *bound)
{
    b->known = true;
    if (b->test->comparison == COMPARE_EXISTS || b->test->comparison == COMPARE_NAMED) {
        bound->how = BOUND_ALWAYS;
        b->fits = true;
        return;
    }
    const struct constant *constant = constant_for(b, VALUE_TEXT);
    b->fits = constant != NULL;
    bool same = constant && constant_has_text(constant, bytes_text(kind->name));
    bound->how = same ? BOUND_ALWAYS : BOUND_NEVER;
}

static void bind_sources(struct binding *b, const struct record_kind *kind, struct bound *bound)
{
    b->known = true;
    bool flag = b->test->comparison == COMPARE_NAMED && bound->sources[0].type == FIELD_BOOL;
    if (!flag && (b->test->comparison == COMPARE_EXISTS || b->test->comparison == COMPARE_NAMED)) {
        bound->how = BOUND_EXISTS;
        b->fits = true;
        return;
    }
    bound->constant = constant_for(b, source_value_type(kind, &bound->sources[0]));
    if (!bound->constant) return;
    bound->how = BOUND_COMPARE;
    b->fits = true;
}

// A name alone that is no field: `dns` is rows of that kind, `tcp` those of that protocol.
static void bind_word(struct binding *b, const struct record_kind *kind, struct bound *bound)
{
    uint8_t number;
    if (b->test->comparison != COMPARE_NAMED) return;
    if (is_among_kinds(b->compiling->filter, b->test->name)) {
        b->known = b->fits = true;
        bool same = bytes_equal(bytes_text(kind->name), b->test->name);
        bound->how = same ? BOUND_ALWAYS : BOUND_NEVER;
    } else if (protocol_named(b->test->name, &number) &&
               resolve_protocol(kind, &bound->sources[0])) {
        bound->source_count = 1;
        b->known = true;
        bound->constant = constant_for(b, VALUE_PROTOCOL);
        if (bound->constant) bound->how = BOUND_COMPARE;
        b->fits = b->fits || bound->constant;
    }
}

static bool fail_ambiguous(struct binding *b, const struct record_kind *kind)
{
    char fields[200] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < kind->field_count && n < sizeof fields; i++) {
        const struct field *f = &kind->fields[i];
        const char *names[] = {f->ecs, f->zeek};
        for (int s = 0; s < 2; s++)
            if (names[s] && bytes_equal(bytes_text(names[s]), b->test->name) && n < sizeof fields)
                n += (size_t)snprintf(fields + n, sizeof fields - n, "%s%s", n ? " or " : "",
                                      f->name);
    }
    return compiling_fail(b->compiling, b->test->name_at,
                          "\"%.*s\" may be %s of %s: name one of them", (int)b->test->name.n,
                          (const char *)b->test->name.p, fields, kind->name);
}

static bool bind_to_kind(struct binding *b, uint32_t number)
{
    struct filter *f = b->compiling->filter;
    const struct record_kind *kind = f->kinds[number];
    struct bound *bound = &f->bounds[(size_t)number * f->test_count + b->number];
    const struct test *t = b->test;
    switch (resolve(kind, t->name, t->direct, bound->sources, &bound->source_count)) {
    case RESOLVED_FOUND:
        bind_sources(b, kind, bound);
        return true;
    case RESOLVED_AMBIGUOUS:
        return fail_ambiguous(b, kind);
    case RESOLVED_NONE:
        break;
    }
    if (is_kind_word(t->name)) bind_kind_word(b, kind, bound);
    else bind_word(b, kind, bound);
    return true;
}

// ---- names that nobody has ----------------------------------------------------------------------

// The kinds that have the name, as "dns, http and 3 others"; how many they are.
static unsigned who_has(struct binding *b, char *text, size_t size)
{
    const struct filter_options *o = b->compiling->options;
    unsigned count = 0;
    size_t n = 0;
    for (uint32_t k = 0; k < o->known_kind_count; k++) {
        struct source sources[SOURCES_MAX];
        uint8_t source_count;
        if (resolve(o->known_kinds[k], b->test->name, b->test->direct, sources, &source_count) ==
            RESOLVED_NONE)
            continue;
        if (++count <= 4 && n < size)
            n += (size_t)snprintf(text + n, size - n, "%s%s", count > 1 ? ", " : "",
                                  o->known_kinds[k]->name);
    }
    if (count > 4 && n < size) snprintf(text + n, size - n, " and %u others", count - 4);
    return count;
}

static bool fail_unknown(struct binding *b)
{
    const struct filter *f = b->compiling->filter;
    const struct filter_options *o = b->compiling->options;
    char others[160] = "", whose[64] = "no kind of record";
    if (f->kind_count == 1) snprintf(whose, sizeof whose, "%.60s", f->kinds[0]->name);
    int length = (int)(b->test->name.n < 60 ? b->test->name.n : 60);
    const char *name = (const char *)b->test->name.p;
    unsigned count = who_has(b, others, sizeof others);
    if (count)
        return compiling_fail(b->compiling, b->test->name_at, "%s has no field \"%.*s\"; %s %s it",
                              f->kind_count == 1 ? whose : "none of these kinds", length, name,
                              others, count == 1 ? "has" : "have");
    const struct record_kind *kind = NULL;
    const char *nearest = resolve_nearest(f->kinds, f->kind_count, b->test->name, &kind);
    if (!nearest)
        nearest = resolve_nearest(o->known_kinds, o->known_kind_count, b->test->name, &kind);
    if (nearest)
        return compiling_fail(
            b->compiling, b->test->name_at, "%s has a field \"%.*s\"; did you mean %s (%s)?",
            f->kind_count == 1 ? "neither this nor another kind" : "no kind of record", length,
            name, nearest, kind->name);
    return compiling_fail(b->compiling, b->test->name_at,
                          "no kind of record has a field \"%.*s\"; see weir fields", length, name);
}

// A comparison of `kind` with names that no kind here has is a slip of the pen.
static bool check_kind_values(struct binding *b)
{
    const struct test *t = b->test;
    const struct filter *f = b->compiling->filter;
    bool equal = t->comparison == COMPARE_EQUAL || t->comparison == COMPARE_UNEQUAL ||
                 t->comparison == COMPARE_IN;
    if (!is_kind_word(t->name) || !equal) return true;
    for (uint32_t i = 0; i < t->value_count; i++)
        if (is_among_kinds(f, f->values[t->value_first + i].text)) return true;
    const struct value *v = &f->values[t->value_first];
    return compiling_fail(b->compiling, v->at, "none of the kinds that are asked is \"%.*s\"",
                          (int)(v->text.n < 60 ? v->text.n : 60), (const char *)v->text.p);
}

static bool bind_test(struct compiling *c, uint32_t number)
{
    struct filter *f = c->filter;
    struct binding b = {.compiling = c, .test = &f->tests[number], .number = number};
    for (uint32_t k = 0; k < f->kind_count; k++)
        if (!bind_to_kind(&b, k)) return false;
    if (!b.known) return fail_unknown(&b);
    if (!b.fits) *c->error = b.error;
    return b.fits && check_kind_values(&b);
}

bool filter_bind(struct compiling *c)
{
    struct filter *f = c->filter;
    f->bounds = memory_get((size_t)f->kind_count * f->test_count * sizeof *f->bounds + 1);
    for (uint32_t t = 0; t < f->test_count; t++)
        if (!bind_test(c, t)) return false;
    return true;
}
