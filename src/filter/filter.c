#include "filter/filter.h"

#include <assert.h>
#include <stdarg.h>

#include "base/memory.h"
#include "filter/filter_inside.h"

// Characters of UTF-8: every byte but those that only continue one.
static bool begins_character(char c)
{
    return ((uint8_t)c & 0xc0) != 0x80;
}

bool compiling_fail(struct compiling *c, uint32_t at, const char *format, ...)
{
    if (c->error->column) return false;
    c->error->column = 1;
    for (uint32_t i = 0; i < at && c->filter->text[i]; i++)
        c->error->column += begins_character(c->filter->text[i + 1]);
    va_list args;
    va_start(args, format);
    vsnprintf(c->error->message, sizeof c->error->message, format, args);
    va_end(args);
    return false;
}

static struct filter *filter_create(const char *text, const struct record_kind *const *kinds,
                                    uint32_t kind_count)
{
    size_t size = strlen(text) + 1;
    struct filter *f = memory_get(sizeof *f);
    *f = (struct filter){
        .text = memory_get(size), .unescaped = memory_get(size), .kind_count = kind_count};
    memcpy(f->text, text, size);
    f->kinds = memory_get(kind_count * sizeof *f->kinds);
    memcpy(f->kinds, kinds, kind_count * sizeof *f->kinds);
    f->kind_last = memory_get(sizeof *f->kind_last);
    return f;
}

struct filter *filter_compile(const char *text, const struct record_kind *const *kinds,
                              uint32_t kind_count, const struct filter_options *options,
                              struct filter_error *error)
{
    assert(kind_count > 0);
    *error = (struct filter_error){0};
    if (strlen(text) > FILTER_TEXT_MAX) {
        error->column = FILTER_TEXT_MAX + 1;
        snprintf(error->message, sizeof error->message,
                 "the expression is longer than %d characters", FILTER_TEXT_MAX);
        return NULL;
    }
    struct filter *f = filter_create(text, kinds, kind_count);
    struct compiling c = {f, options, error};
    if (filter_parse(&c) && filter_bind(&c)) return f;
    assert(error->column);
    filter_destroy(f);
    return NULL;
}

void filter_destroy(struct filter *f)
{
    if (!f) return;
    for (uint32_t t = 0; t < f->test_count; t++)
        for (int type = 0; type < VALUE_TYPES; type++)
            constant_destroy(f->tests[t].constants[type]);
    memory_free(f->text);
    memory_free(f->unescaped);
    memory_free(f->tests);
    memory_free(f->values);
    memory_free(f->steps);
    memory_free(f->bounds);
    memory_free(f->kinds);
    memory_free(f->kind_last);
    memory_free(f);
}

static uint64_t field_bit(uint8_t field)
{
    return field == NO_FIELD ? 0 : UINT64_C(1) << field;
}

uint64_t filter_fields(const struct filter *f, const struct record_kind *kind)
{
    const struct bound *bounds = filter_bounds(f, kind);
    uint64_t fields = 0;
    for (uint32_t t = 0; bounds && t < f->test_count; t++) {
        if (bounds[t].how != BOUND_EXISTS && bounds[t].how != BOUND_COMPARE) continue;
        for (uint8_t s = 0; s < bounds[t].source_count; s++) {
            const struct source *source = &bounds[t].sources[s];
            fields |=
                field_bit(source->field) | field_bit(source->other) | field_bit(source->guard);
        }
    }
    return fields;
}

uint64_t filter_given_up(const struct filter *f)
{
    uint64_t count = 0;
    for (uint32_t t = 0; t < f->test_count; t++) {
        const struct constant *c = f->tests[t].constants[VALUE_TEXT];
        if (c && c->pattern) count += pattern_given_up(c->pattern);
    }
    return count;
}

void filter_error_print(FILE *out, const char *text, const struct filter_error *error)
{
    // A line each for the expression and the caret: what would break lines or move the cursor is a
    // space.
    uint32_t column = 0;
    fputs("  ", out);
    for (const char *c = text; *c; c++) fputc((uint8_t)*c < ' ' || *c == 0x7f ? ' ' : *c, out);
    fputs("\n  ", out);
    while (++column < error->column) fputc(' ', out);
    fprintf(out, "^\n%s (column %u)\n", error->message, error->column);
}
