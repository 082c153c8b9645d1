#include "store/catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { PATH_MAX_HERE = 4096 };

static char *copy_text(const json_t *value)
{
    const char *s = json_string_value(value);
    size_t n = s ? strlen(s) : 0;
    char *copy = memory_get(n + 1);
    if (n) memcpy(copy, s, n);
    return copy;
}

static void take_hash(char hash[HEX_SHA256_SIZE], const json_t *value)
{
    const char *s = json_string_value(value);
    snprintf(hash, HEX_SHA256_SIZE, "%s", s ? s : "");
}

static uint64_t take_number(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void take_captures(struct catalogue_reading *r, const json_t *list)
{
    r->capture_count = json_array_size(list);
    r->captures = memory_get(r->capture_count * sizeof *r->captures);
    for (size_t i = 0; i < r->capture_count; i++) {
        const json_t *item = json_array_get(list, i);
        r->captures[i].path = copy_text(json_object_get(item, "path"));
        take_hash(r->captures[i].sha256, json_object_get(item, "sha256"));
        r->captures[i].bytes = take_number(item, "bytes");
    }
}

static void take_segment(struct catalogue_segment *s, const json_t *item)
{
    s->kind = copy_text(json_object_get(item, "kind"));
    s->path = copy_text(json_object_get(item, "path"));
    take_hash(s->sha256, json_object_get(item, "sha256"));
    s->bytes = take_number(item, "bytes");
    s->rows = take_number(item, "rows");
    s->fields = (uint32_t)take_number(item, "fields");
    const json_t *first = json_object_get(item, "first_ns");
    s->first = first ? (nanos)json_integer_value(first) : INT64_MAX;
    s->last = first ? (nanos)json_integer_value(json_object_get(item, "last_ns")) : INT64_MIN;
}

static void take_segments(struct catalogue_reading *r, const json_t *list)
{
    r->segment_count = json_array_size(list);
    r->segments = memory_get(r->segment_count * sizeof *r->segments);
    for (size_t i = 0; i < r->segment_count; i++)
        take_segment(&r->segments[i], json_array_get(list, i));
}

// A path in the log stays below records/: a case from elsewhere must not make us open other files.
static bool segments_are_inside(const struct catalogue_reading *r)
{
    for (size_t i = 0; i < r->segment_count; i++) {
        const char *path = r->segments[i].path;
        if (strncmp(path, "records/", 8) != 0 || strstr(path, "..")) return false;
    }
    return true;
}

static void mark_replaced(struct catalogue *c, const json_t *list, uint64_t by)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint64_t seq = (uint64_t)json_integer_value(json_array_get(list, i));
        for (size_t k = 0; k < c->reading_count; k++)
            if (c->readings[k].seq == seq) c->readings[k].replaced_by = by;
    }
}

static bool take_reading(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    if (c->reading_count == c->reading_size) {
        c->reading_size = c->reading_size ? 2 * c->reading_size : 16;
        c->readings = memory_resize(c->readings, c->reading_size * sizeof *c->readings);
    }
    mark_replaced(c, json_object_get(line, "replaces"), seq);
    struct catalogue_reading *r = &c->readings[c->reading_count++];
    *r = (struct catalogue_reading){.seq = seq, .artifacts = take_number(line, "artifacts")};
    take_hash(r->id, json_object_get(line, "reading"));
    r->options = copy_text(json_object_get(line, "options"));
    r->version = copy_text(json_object_get(line, "weir"));
    r->time = (nanos)json_integer_value(json_object_get(line, "time_ns"));
    take_captures(r, json_object_get(line, "captures"));
    take_segments(r, json_object_get(line, "segments"));
    if (segments_are_inside(r)) return true;
    return err_set(err, ERR_INPUT, "line %" PRIu64 " of the log names a file outside the case",
                   seq);
}

// A newer program may add to an old case: so every entry tells its format.
static bool check_format(const json_t *line, struct err *err)
{
    uint64_t format = take_number(line, "format");
    const char *version = json_string_value(json_object_get(line, "weir"));
    if (format == CASE_FORMAT) return true;
    if (format < CASE_FORMAT)
        return err_set(err, ERR_INPUT,
                       "it was made by an earlier weir (%s, case format %" PRIu64
                       ") that this one does not read: read its captures into a new case",
                       version ? version : "?", format);
    return err_set(err, ERR_INPUT,
                   "it was written by a newer weir (%s, case format %" PRIu64
                   "; this one knows %d): use that version",
                   version ? version : "?", format, CASE_FORMAT);
}

static void take_case(struct catalogue *c, const json_t *line)
{
    const char *version = json_string_value(json_object_get(line, "weir"));
    snprintf(c->created_by, sizeof c->created_by, "%s", version ? version : "?");
}

static bool take_entry(void *context, uint64_t seq, const json_t *line, struct err *err)
{
    struct catalogue *c = context;
    const char *type = json_string_value(json_object_get(line, "type"));
    if (!check_format(line, err)) return false;
    if (type && strcmp(type, "case") == 0) take_case(c, line);
    else if (type && strcmp(type, "reading") == 0) return take_reading(c, seq, line, err);
    else
        return err_set(err, ERR_INPUT,
                       "line %" PRIu64 " of the log is a '%s', which this weir does not know", seq,
                       type ? type : "");
    return true;
}

bool catalogue_read(struct catalogue *c, const char *folder, struct err *err)
{
    char path[PATH_MAX_HERE];
    *c = (struct catalogue){0};
    snprintf(path, sizeof path, "%s/" CASE_LOG, folder);
    if (chain_read(&c->chain, path, take_entry, c, err)) return true;
    catalogue_deinit(c);
    return err_in(err, "case %s", folder);
}

bool catalogue_refresh(struct catalogue *c, const char *folder, struct err *err)
{
    struct catalogue fresh;
    if (!catalogue_read(&fresh, folder, err)) return false;
    fresh.chain.file = c->chain.file;
    c->chain.file = -1;
    catalogue_deinit(c);
    *c = fresh;
    return true;
}

static void reading_deinit(struct catalogue_reading *r)
{
    for (size_t i = 0; i < r->capture_count; i++) memory_free((char *)r->captures[i].path);
    for (size_t i = 0; i < r->segment_count; i++) {
        memory_free((char *)r->segments[i].kind);
        memory_free((char *)r->segments[i].path);
    }
    memory_free(r->captures);
    memory_free(r->segments);
    memory_free((char *)r->options);
    memory_free((char *)r->version);
}

void catalogue_deinit(struct catalogue *c)
{
    for (size_t i = 0; i < c->reading_count; i++) reading_deinit(&c->readings[i]);
    memory_free(c->readings);
    c->readings = NULL;
    c->reading_count = c->reading_size = 0;
    if (c->chain.file > 0) chain_close(&c->chain);
}

// ---- writing ------------------------------------------------------------------------------------

// Names of files need not be UTF-8, and the log is: what is not stands escaped (base/text.h).
static void put_text(struct text *t, const char *name, const char *value)
{
    size_t n = strlen(value);
    char *escaped = memory_get(4 * n + 1);
    size_t escaped_n = text_escape(escaped, 4 * n + 1, bytes_of(value, n));
    text_format(t, "\"%s\":", name);
    text_json(t, bytes_of(escaped, escaped_n));
    memory_free(escaped);
}

static void put_head(struct text *t, const char *type, const char *version, nanos time)
{
    char text[TIME_TEXT_MAX];
    int n = time_format(text, time);
    text_format(t, "\"type\":\"%s\",\"time\":\"%.*s\",\"time_ns\":%" PRId64 ",", type, n, text,
                time);
    put_text(t, "weir", version);
    text_format(t, ",\"format\":%d", CASE_FORMAT);
}

void catalogue_write_case(struct text *members, const char *version, nanos time)
{
    put_head(members, "case", version, time);
}

static void put_capture(struct text *t, const struct catalogue_capture *c, size_t number)
{
    text_format(t, "%s{\"number\":%zu,", number ? "," : "", number);
    put_text(t, "path", c->path);
    text_format(t, ",\"sha256\":\"%s\",\"bytes\":%" PRIu64 "}", c->sha256, c->bytes);
}

static void put_segment(struct text *t, const struct catalogue_segment *s, bool first)
{
    text_add(t, first ? "{" : ",{");
    put_text(t, "kind", s->kind);
    text_add(t, ",");
    put_text(t, "path", s->path);
    text_format(t,
                ",\"sha256\":\"%s\",\"bytes\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"fields\":%" PRIu32,
                s->sha256, s->bytes, s->rows, s->fields);
    if (s->first <= s->last)
        text_format(t, ",\"first_ns\":%" PRId64 ",\"last_ns\":%" PRId64, s->first, s->last);
    text_add(t, "}");
}

void catalogue_write_reading(struct text *members, const struct catalogue_reading *r,
                             const uint64_t *replaces, size_t replace_count)
{
    put_head(members, "reading", r->version, r->time);
    text_format(members, ",\"reading\":\"%s\",", r->id);
    put_text(members, "options", r->options);
    text_add(members, ",\"captures\":[");
    for (size_t i = 0; i < r->capture_count; i++) put_capture(members, &r->captures[i], i);
    text_add(members, "],\"segments\":[");
    for (size_t i = 0; i < r->segment_count; i++) put_segment(members, &r->segments[i], i == 0);
    text_format(members, "],\"artifacts\":%" PRIu64 ",\"replaces\":[", r->artifacts);
    for (size_t i = 0; i < replace_count; i++)
        text_format(members, "%s%" PRIu64, i ? "," : "", replaces[i]);
    text_add(members, "]");
}
