// Any line of JSON, by a parser that follows RFC 8259 to the letter: escapes, exponents, signs,
// nested objects, UTF-8. It allocates, so only lines that the scanner refuses come here.
//
// An object in an object gives its members as names with a dot between; what is nested deeper is
// kept as text.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect/line_inside.h"

enum { REAL_TEXT_MAX = 32 };
#define MILLIONTHS 1e6
#define BILLIONTHS 1e9
#define DECIMAL_WHOLE_MAX 4294967296.0 // as in the scanner

static void real_value(double d, char text[REAL_TEXT_MAX], struct line_value *v)
{
    double millionths = d >= 0 && d < DECIMAL_WHOLE_MAX ? nearbyint(d * MILLIONTHS) : -1;
    int n = snprintf(text, REAL_TEXT_MAX, "%.17g", d);
    *v = (struct line_value){.shape = VALUE_OTHER, .text = bytes_of(text, (size_t)n)};
    if (millionths < 0) return;
    // As a decimal of six digits it is the same number; else digits would be made up, or lost.
    // Times of Zeek, which are such numbers inside too, end at the next nanosecond.
    v->shape = VALUE_REAL;
    v->number = (uint64_t)nearbyint(d * BILLIONTHS);
    if (millionths / MILLIONTHS == d)
        *v = (struct line_value){.shape = VALUE_DECIMAL, .number = (uint64_t)millionths};
}

static void integer_value(json_int_t n, char text[REAL_TEXT_MAX], struct line_value *v)
{
    if (n >= 0) {
        *v = (struct line_value){.shape = VALUE_NUMBER, .number = (uint64_t)n};
        return;
    }
    int length = snprintf(text, REAL_TEXT_MAX, "%" JSON_INTEGER_FORMAT, n);
    *v = (struct line_value){.shape = VALUE_OTHER, .text = bytes_of(text, (size_t)length)};
}

static bool put_nested(struct lines *l, const struct line_key *key, const json_t *value)
{
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!dump) return line_fault(l, LINE_LOSS_not_json, "it is nested too deep");
    struct line_value v = {.shape = VALUE_OTHER, .text = bytes_text(dump)};
    bool ok = line_put(l, key, &v);
    free(dump);
    return ok;
}

static bool put_json(struct lines *l, const struct line_key *key, const json_t *value)
{
    char text[REAL_TEXT_MAX];
    struct line_value v = {.shape = VALUE_NONE};
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return put_nested(l, key, value);
    case JSON_STRING:
        v.shape = VALUE_TEXT;
        v.text = bytes_of(json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        integer_value(json_integer_value(value), text, &v);
        break;
    case JSON_REAL:
        real_value(json_real_value(value), text, &v);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        v = (struct line_value){.shape = VALUE_OTHER,
                                .text = bytes_text(json_is_true(value) ? "true" : "false")};
        break;
    case JSON_NULL:
        break;
    }
    return line_put(l, key, &v);
}

static bool put_named(struct lines *l, bytes name, const json_t *value)
{
    struct line_key *key = line_key(l, name);
    if (!key) return false;
    if (!line_key_see(l, key))
        return line_fault(l, LINE_LOSS_not_json, "%.*s is there twice", (int)name.n,
                          (const char *)name.p);
    return put_json(l, key, value);
}

static bool put_inner(struct lines *l, const char *outer, json_t *object)
{
    char name[2 * LINE_NAME_MAX];
    const char *inner;
    json_t *value;
    json_object_foreach(object, inner, value)
    {
        int n = snprintf(name, sizeof name, "%s.%s", outer, inner);
        if (n >= (int)sizeof name) n = (int)sizeof name - 1; // too long for a key all the same
        if (!put_named(l, bytes_of(name, (size_t)n), value)) return false;
    }
    return true;
}

static bool put_object(struct lines *l, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        bool ok = json_is_object(value) ? put_inner(l, name, value)
                                        : put_named(l, bytes_text(name), value);
        if (!ok) return false;
    }
    return true;
}

bool line_strict(struct lines *l, bytes line)
{
    json_error_t error;
    json_t *object =
        json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!object) return line_fault(l, LINE_LOSS_not_json, "%s", error.text);
    bool ok = json_is_object(object) ? put_object(l, object)
                                     : line_fault(l, LINE_LOSS_not_json, "it is no object");
    json_decref(object);
    return ok;
}
