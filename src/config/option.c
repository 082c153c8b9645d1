#include "config/option.h"

#include <errno.h>
#include <stdlib.h>

static const char size_units[] = "kMGT";

static bool count_parse(const char *text, bool size, uint64_t *value)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (end == text || errno || *text == '-') return false;
    uint64_t unit = 1;
    if (size && *end) {
        const char *at = strchr(size_units, *end);
        if (!at) return false;
        for (const char *u = size_units; u <= at; u++) unit *= 1000;
        end++;
    }
    if (*end || (v && unit > UINT64_MAX / v)) return false;
    *value = v * unit;
    return true;
}

static bool flag_parse(const char *text, bool *value)
{
    static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}};
    *value = true;
    if (!text) return true;
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        for (unsigned w = 0; w < 2; w++)
            if (strcmp(text, words[i][w]) == 0) {
                *value = w;
                return true;
            }
    return false;
}

static bool number_set(const struct option_row *o, const char *text, uint64_t *at, struct err *err)
{
    uint64_t v;
    if (!count_parse(text, o->type == OPTION_SIZE, &v))
        return err_set(err, ERR_USAGE, "\"%s\" is no %s", text,
                       o->type == OPTION_SIZE ? "size; write 25M" : "number");
    if (v < o->minimum || (o->maximum && v > o->maximum))
        return err_set(err, ERR_USAGE, "%s is not between %llu and %llu", text,
                       (unsigned long long)o->minimum, (unsigned long long)o->maximum);
    *at = v;
    return true;
}

static bool text_add_to(struct option_texts *texts, const char *text, struct err *err)
{
    if (texts->count == OPTION_TEXTS_MAX)
        return err_set(err, ERR_USAGE, "given more than %d times", OPTION_TEXTS_MAX);
    texts->list[texts->count++] = text;
    return true;
}

static bool span_set(const struct option_row *o, const char *text, nanos *at, struct err *err)
{
    bool is_on = true;
    if (!flag_parse(text, &is_on))
        return duration_parse(bytes_text(text), at) ||
               err_set(err, ERR_USAGE, "\"%s\" is neither a duration nor yes or no", text);
    *at = is_on ? (nanos)o->minimum : 0;
    return true;
}

bool option_stands_alone(const struct option_row *o, const char *word)
{
    nanos ignored;
    if (o->type == OPTION_SPAN) return !word || !duration_parse(bytes_text(word), &ignored);
    return o->type == OPTION_FLAG;
}

bool option_set(const struct option_row *o, const char *text, void *values, struct err *err)
{
    void *at = (char *)values + o->offset;
    switch (o->type) {
    case OPTION_FLAG:
        return flag_parse(text, at) ||
               err_set(err, ERR_USAGE, "\"%s\" is neither yes nor no", text);
    case OPTION_TEXT:
        *(const char **)at = text;
        return true;
    case OPTION_TEXTS:
        return text_add_to(at, text, err);
    case OPTION_DURATION:
        return duration_parse(bytes_text(text), at) ||
               err_set(err, ERR_USAGE, "\"%s\" is no duration; write 600s, 10m or 1h", text);
    case OPTION_SPAN:
        return span_set(o, text, at, err);
    case OPTION_COUNT:
    case OPTION_SIZE:
        break;
    }
    return number_set(o, text, at, err);
}

// ---- the way back -------------------------------------------------------------------------------

static void size_format(uint64_t v, struct text *out)
{
    int unit = -1;
    while (v && v % 1000 == 0 && size_units[unit + 1]) {
        v /= 1000;
        unit++;
    }
    text_number(out, v);
    if (unit >= 0) text_put(out, bytes_of(&size_units[unit], 1));
}

static void duration_format(nanos d, struct text *out)
{
    static const struct {
        nanos size;
        const char *name;
    } units[] = {
        {7 * 86400 * NANOS_PER_SECOND, "w"},
        {86400 * NANOS_PER_SECOND, "d"},
        {3600 * NANOS_PER_SECOND, "h"},
        {60 * NANOS_PER_SECOND, "m"},
        {NANOS_PER_SECOND, "s"},
        {NANOS_PER_MILLI, "ms"},
        {NANOS_PER_MICRO, "us"},
        {1, "ns"},
    };
    unsigned i = 0;
    if (!d) i = 4; // "0s"
    while (d % units[i].size) i++;
    text_number(out, (uint64_t)(d / units[i].size));
    text_add(out, units[i].name);
}

void option_format(const struct option_row *o, const void *values, struct text *out)
{
    const void *at = (const char *)values + o->offset;
    const char *text;
    switch (o->type) {
    case OPTION_FLAG:
        text_add(out, *(const bool *)at ? "yes" : "no");
        return;
    case OPTION_TEXT:
        text = *(const char *const *)at;
        if (text) text_add(out, text);
        return;
    case OPTION_TEXTS:
        for (uint32_t i = 0; i < ((const struct option_texts *)at)->count; i++)
            text_format(out, "%s%s", i ? " " : "", ((const struct option_texts *)at)->list[i]);
        return;
    case OPTION_COUNT:
        text_number(out, *(const uint64_t *)at);
        return;
    case OPTION_SIZE:
        size_format(*(const uint64_t *)at, out);
        return;
    case OPTION_SPAN:
        if (!*(const nanos *)at) text_add(out, "no");
        else duration_format(*(const nanos *)at, out);
        return;
    case OPTION_DURATION:
        duration_format(*(const nanos *)at, out);
        return;
    }
}

bool option_equal(const struct option_row *o, const void *values, const void *others)
{
    struct text one = {0}, other = {0};
    option_format(o, values, &one);
    option_format(o, others, &other);
    bool equal = bytes_equal(bytes_of(one.p, one.n), bytes_of(other.p, other.n));
    text_deinit(&one);
    text_deinit(&other);
    return equal;
}
