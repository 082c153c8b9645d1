#include "store/catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

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

// A text that need not be UTF-8, such as the name of a file: it stands escaped.
static char *copy_escaped(const json_t *value)
{
    char *copy = copy_text(value);
    copy[text_unescape((uint8_t *)copy, bytes_text(copy))] = 0;
    return copy;
}

static void take_captures(struct catalogue_reading *r, const json_t *list)
{
    r->capture_count = json_array_size(list);
    r->captures = memory_get(r->capture_count * sizeof *r->captures);
    for (size_t i = 0; i < r->capture_count; i++) {
        const json_t *item = json_array_get(list, i);
        r->captures[i].path = copy_escaped(json_object_get(item, "path"));
        r->captures[i].found_at = copy_escaped(json_object_get(item, "path"));
        take_hash(r->captures[i].sha256, json_object_get(item, "sha256"));
        r->captures[i].bytes = take_number(item, "bytes");
    }
}

// What a segment has that was written before this was told.
static uint64_t all_fields(uint32_t count)
{
    return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
}

// first > last where none are told.
static void take_times(nanos *first, nanos *last, const json_t *item)
{
    const json_t *value = json_object_get(item, "first_ns");
    *first = value ? (nanos)json_integer_value(value) : INT64_MAX;
    *last = value ? (nanos)json_integer_value(json_object_get(item, "last_ns")) : INT64_MIN;
}

static void take_segment(struct catalogue_segment *s, uint64_t seq, const json_t *item)
{
    s->seq = seq;
    s->kind = copy_text(json_object_get(item, "kind"));
    s->path = copy_text(json_object_get(item, "path"));
    take_hash(s->sha256, json_object_get(item, "sha256"));
    s->bytes = take_number(item, "bytes");
    s->rows = take_number(item, "rows");
    s->fields = (uint32_t)take_number(item, "fields");
    const char *with = json_string_value(json_object_get(item, "with"));
    s->with = with ? strtoull(with, NULL, 16) : all_fields(s->fields);
    take_times(&s->first, &s->last, item);
}

static void take_segments(struct catalogue_reading *r, uint64_t seq, const json_t *list)
{
    size_t before = r->segment_count;
    r->segment_count += json_array_size(list);
    r->segments = memory_resize(r->segments, (r->segment_count + 1) * sizeof *r->segments);
    for (size_t i = before; i < r->segment_count; i++)
        take_segment(&r->segments[i], seq, json_array_get(list, i - before));
}

static bool is_inside(const char *path, const char *folder)
{
    return path && strncmp(path, folder, strlen(folder)) == 0 && !strstr(path, "..");
}

static void take_extent(struct catalogue_reading *r, uint64_t line, const json_t *item)
{
    r->extents = memory_resize(r->extents, (r->extent_count + 1) * sizeof *r->extents);
    struct catalogue_extent *e = &r->extents[r->extent_count++];
    *e = (struct catalogue_extent){.line = line, .first = INT64_MAX, .last = INT64_MIN};
    e->capture = take_number(item, "capture");
    e->path = copy_text(json_object_get(item, "path"));
    take_hash(e->sha256, json_object_get(item, "sha256"));
    e->bytes = take_number(item, "bytes");
    take_hash(e->content_sha256, json_object_get(item, "content_sha256"));
    e->content_bytes = take_number(item, "content_bytes");
    take_times(&e->first, &e->last, item);
}

// Those of a recording come with the tails that bring its records.
static bool take_extents(struct catalogue *c, struct catalogue_reading *r, const json_t *list)
{
    bool found = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        uint64_t of = take_number(item, "reading");
        struct catalogue_reading *whose = of ? catalogue_reading_of(c, of) : r;
        if (whose) take_extent(whose, r->line, item);
        found = found && whose &&
                is_inside(json_string_value(json_object_get(item, "path")), "packets/");
    }
    return found;
}

static void take_names(struct catalogue_names *names, const json_t *item)
{
    const char *path = json_string_value(json_object_get(item, "path"));
    names->known = item != NULL;
    snprintf(names->path, sizeof names->path, "%s", path ? path : "");
    take_hash(names->sha256, json_object_get(item, "sha256"));
    names->bytes = take_number(item, "bytes");
}

// Paths in the log stay below their folder: a case from elsewhere must not make us open other
// files.
static bool paths_are_inside(const struct catalogue_reading *r, uint64_t seq, struct err *err)
{
    bool inside = true;
    for (size_t i = 0; i < r->segment_count; i++)
        inside = inside && is_inside(r->segments[i].path, "records/");
    if (*r->names.path) inside = inside && is_inside(r->names.path, "artifacts/");
    return inside || err_set(err, ERR_INPUT,
                             "line %" PRIu64 " of the log names a file outside the case", seq);
}

static void mark_replaced(struct catalogue *c, const json_t *list, uint64_t by)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint64_t seq = (uint64_t)json_integer_value(json_array_get(list, i));
        for (size_t k = 0; k < c->reading_count; k++)
            if (c->readings[k].seq == seq) c->readings[k].replaced_by = by;
    }
}

// Rows named their reading before it had a line: by the number of the tail.
static void take_tail(struct catalogue *c, struct catalogue_reading *r, const json_t *item)
{
    if (!item) return;
    r->seq = r->tail = take_number(item, "number");
    r->tail_cut = take_number(item, "cut_off");
    if (r->tail > c->tail_taken) c->tail_taken = r->tail;
}

static bool take_reading(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    if (c->reading_count == c->reading_size) {
        c->reading_size = c->reading_size ? 2 * c->reading_size : 16;
        c->readings = memory_resize(c->readings, c->reading_size * sizeof *c->readings);
    }
    mark_replaced(c, json_object_get(line, "replaces"), seq);
    struct catalogue_reading *r = &c->readings[c->reading_count++];
    *r = (struct catalogue_reading){
        .seq = seq, .line = seq, .artifacts = take_number(line, "artifacts")};
    take_tail(c, r, json_object_get(line, "tail"));
    take_hash(r->id, json_object_get(line, "reading"));
    r->options = copy_escaped(json_object_get(line, "options"));
    r->version = copy_text(json_object_get(line, "weir"));
    r->time = (nanos)json_integer_value(json_object_get(line, "time_ns"));
    take_captures(r, json_object_get(line, "captures"));
    take_segments(r, seq, json_object_get(line, "segments"));
    r->is_recording = json_is_true(json_object_get(line, "recording"));
    bool fits = take_extents(c, r, json_object_get(line, "extents"));
    take_names(&r->names, json_object_get(line, "names"));
    positions_take(&c->positions, line);
    if (!fits)
        return err_set(err, ERR_INPUT,
                       "line %" PRIu64 " of the log names packets outside the case, or of no "
                       "reading",
                       seq);
    return paths_are_inside(r, seq, err);
}

// ---- entries that change readings ---------------------------------------------------------------

struct catalogue_reading *catalogue_reading_of(const struct catalogue *c, uint64_t seq)
{
    for (size_t i = 0; i < c->reading_count; i++)
        if (c->readings[i].seq == seq && !c->readings[i].replaced_by) return &c->readings[i];
    return NULL;
}

// Whether some reading has the capture.
static bool take_move(struct catalogue *c, const char *sha256, const json_t *path)
{
    bool found = false;
    for (size_t i = 0; sha256 && i < c->reading_count; i++)
        for (size_t k = 0; k < c->readings[i].capture_count; k++) {
            struct catalogue_capture *capture = &c->readings[i].captures[k];
            if (strcmp(capture->sha256, sha256) != 0) continue;
            memory_free((char *)capture->found_at);
            capture->found_at = copy_escaped(path);
            found = true;
        }
    return found;
}

static bool take_relocate(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    const json_t *list = json_object_get(line, "captures");
    bool found = json_array_size(list) > 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *move = json_array_get(list, i);
        const char *sha256 = json_string_value(json_object_get(move, "sha256"));
        found = take_move(c, sha256, json_object_get(move, "path")) && found;
    }
    return found ||
           err_set(err, ERR_INPUT,
                   "line %" PRIu64 " of the log tells of a capture that no reading has", seq);
}

static void segment_deinit(struct catalogue_segment *s)
{
    memory_free((char *)s->kind);
    memory_free((char *)s->path);
}

// Readers of an older state may hold its file for a while: it stays known.
static bool remove_segment(struct catalogue *c, struct catalogue_reading *r, const char *path,
                           uint64_t by)
{
    for (size_t i = 0; path && i < r->segment_count; i++) {
        if (strcmp(r->segments[i].path, path) != 0) continue;
        c->former = memory_resize(c->former, (c->former_count + 1) * sizeof *c->former);
        r->segments[i].removed_by = by;
        c->former[c->former_count++] = r->segments[i];
        r->segment_count--;
        memmove(&r->segments[i], &r->segments[i + 1], (r->segment_count - i) * sizeof *r->segments);
        return true;
    }
    return false;
}

// Of whichever reading has it.
static struct catalogue_reading *remove_somewhere(struct catalogue *c, const json_t *path,
                                                  uint64_t by)
{
    for (size_t i = 0; i < c->reading_count; i++) {
        struct catalogue_reading *r = &c->readings[i];
        if (r->replaced_by || !remove_segment(c, r, json_string_value(path), by)) continue;
        return r;
    }
    return NULL;
}

static bool has_no_such_part(uint64_t seq, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "line %" PRIu64 " of the log takes away a part that the case does not have",
                   seq);
}

// The rows of several segments, of whichever readings, are in one now.
static bool take_merge(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    const json_t *removes = json_object_get(line, "removes");
    struct catalogue_reading *r = catalogue_reading_of(c, take_number(line, "reading"));
    if (!r) return has_no_such_part(seq, err);
    for (size_t i = 0; i < json_array_size(removes); i++)
        if (!remove_somewhere(c, json_array_get(removes, i), seq))
            return has_no_such_part(seq, err);
    take_segments(r, seq, json_object_get(line, "segments"));
    return paths_are_inside(r, seq, err);
}

// Packets stay known, too, so that who asks for them hears what became of them.
static struct catalogue_reading *remove_packets(struct catalogue *c, const json_t *path,
                                                uint64_t by)
{
    const char *name = json_string_value(path);
    for (size_t i = 0; name && i < c->reading_count; i++)
        for (size_t k = 0; k < c->readings[i].extent_count; k++) {
            struct catalogue_extent *e = &c->readings[i].extents[k];
            if (e->removed_by || strcmp(e->path, name) != 0) continue;
            e->removed_by = by;
            return &c->readings[i];
        }
    return NULL;
}

static bool take_expire(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    const json_t *removes = json_object_get(line, "removes");
    for (size_t i = 0; i < json_array_size(removes); i++) {
        const json_t *path = json_array_get(removes, i);
        struct catalogue_reading *r = remove_somewhere(c, path, seq);
        if (!r) r = remove_packets(c, path, seq);
        if (!r) return has_no_such_part(seq, err);
        r->expired_by = seq;
    }
    return true;
}

static bool take_dissect(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    const json_t *removes = json_object_get(line, "removes");
    struct catalogue_reading *r = catalogue_reading_of(c, take_number(line, "reading"));
    bool fine = r != NULL;
    for (size_t i = 0; fine && i < json_array_size(removes); i++)
        fine = remove_segment(c, r, json_string_value(json_array_get(removes, i)), seq);
    if (!fine)
        return err_set(err, ERR_INPUT,
                       "line %" PRIu64 " of the log replaces a part that the case does not have",
                       seq);
    take_segments(r, seq, json_object_get(line, "segments"));
    r->swapped_by = seq;
    return paths_are_inside(r, seq, err);
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

static bool take_first(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    (void)seq, (void)err;
    const char *version = json_string_value(json_object_get(line, "weir"));
    snprintf(c->created_by, sizeof c->created_by, "%s", version ? version : "?");
    return true;
}

// Whether the signature holds is looked at by those who verify (store/check.h).
static bool take_checkpoint(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    (void)line, (void)err;
    c->signed_to = seq;
    return true;
}

// An entry that tells something and changes nothing.
static bool take_note(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err)
{
    (void)c, (void)seq, (void)line, (void)err;
    return true;
}

typedef bool take(struct catalogue *c, uint64_t seq, const json_t *line, struct err *err);

static const struct {
    const char *type;
    take *take;
} entries[] = {
    {"case", take_first},        {"reading", take_reading}, {"checkpoint", take_checkpoint},
    {"relocate", take_relocate}, {"dissect", take_dissect}, {"merge", take_merge},
    {"expire", take_expire},     {"export", take_note},
};

static bool take_entry(void *context, uint64_t seq, const json_t *line, struct err *err)
{
    struct catalogue *c = context;
    const char *type = json_string_value(json_object_get(line, "type"));
    if (!check_format(line, err)) return false;
    for (size_t i = 0; type && i < sizeof entries / sizeof *entries; i++)
        if (strcmp(entries[i].type, type) == 0) return entries[i].take(c, seq, line, err);
    return err_set(err, ERR_INPUT,
                   "line %" PRIu64 " of the log is a '%s', which this weir does not know", seq,
                   type ? type : "");
}

bool catalogue_take(struct catalogue *c, bytes members, struct err *err)
{
    struct text line = {0};
    text_add(&line, "{");
    text_put(&line, members);
    text_add(&line, "}");
    json_t *json = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    bool fine = json && take_entry(c, c->chain.seq + 1, json, err);
    json_decref(json);
    text_deinit(&line);
    return fine;
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

void catalogue_add_extent(struct catalogue_reading *r, const struct catalogue_extent *extent)
{
    r->extents = memory_resize(r->extents, (r->extent_count + 1) * sizeof *r->extents);
    r->extents[r->extent_count] = *extent;
    r->extents[r->extent_count++].path = text_copy(extent->path);
}

void catalogue_free_extents(struct catalogue_reading *r)
{
    for (size_t i = 0; i < r->extent_count; i++) memory_free((char *)r->extents[i].path);
    memory_free(r->extents);
    r->extents = NULL;
    r->extent_count = 0;
}

const struct catalogue_extent *catalogue_extent_of(const struct catalogue_reading *r,
                                                   uint64_t capture)
{
    const struct catalogue_extent *former = NULL;
    for (size_t i = 0; i < r->extent_count; i++) {
        if (r->extents[i].capture != capture) continue;
        if (!r->extents[i].removed_by) return &r->extents[i];
        former = &r->extents[i];
    }
    return former;
}

bool catalogue_is_kept(const struct catalogue_extent *extent)
{
    size_t n = strlen(extent->path);
    return !extent->removed_by && n > 4 && strcmp(extent->path + n - 4, ".zst") == 0;
}

static void reading_deinit(struct catalogue_reading *r)
{
    for (size_t i = 0; i < r->capture_count; i++) {
        memory_free((char *)r->captures[i].path);
        memory_free((char *)r->captures[i].found_at);
    }
    for (size_t i = 0; i < r->segment_count; i++) segment_deinit(&r->segments[i]);
    catalogue_free_extents(r);
    memory_free(r->captures);
    memory_free(r->segments);
    memory_free((char *)r->options);
    memory_free((char *)r->version);
}

void catalogue_deinit(struct catalogue *c)
{
    for (size_t i = 0; i < c->reading_count; i++) reading_deinit(&c->readings[i]);
    memory_free(c->readings);
    for (size_t i = 0; i < c->former_count; i++) segment_deinit(&c->former[i]);
    memory_free(c->former);
    positions_deinit(&c->positions);
    c->readings = NULL;
    c->reading_count = c->reading_size = 0;
    c->former = NULL;
    c->former_count = 0;
    if (c->chain.file > 0) chain_close(&c->chain);
}

// ---- writing ------------------------------------------------------------------------------------

void catalogue_write_case(struct text *members, const struct author *author)
{
    char key[2 * PUBLIC_KEY_SIZE + 1];
    entry_head(members, "case", author);
    hex_format(key, bytes_of(signing_public(author->key), PUBLIC_KEY_SIZE));
    text_format(members, ",\"key\":\"%s\"", key);
}

static void put_capture(struct text *t, const struct catalogue_capture *c, size_t number)
{
    text_format(t, "%s{\"number\":%zu,", number ? "," : "", number);
    entry_text(t, "path", c->path);
    text_format(t, ",\"sha256\":\"%s\",\"bytes\":%" PRIu64 "}", c->sha256, c->bytes);
}

static void put_times(struct text *t, nanos first, nanos last)
{
    if (first <= last)
        text_format(t, ",\"first_ns\":%" PRId64 ",\"last_ns\":%" PRId64, first, last);
}

static void put_segment(struct text *t, const struct catalogue_segment *s, bool first)
{
    text_add(t, first ? "{" : ",{");
    entry_text(t, "kind", s->kind);
    text_add(t, ",");
    entry_text(t, "path", s->path);
    text_format(t,
                ",\"sha256\":\"%s\",\"bytes\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"fields\":%" PRIu32
                ",\"with\":\"%" PRIx64 "\"",
                s->sha256, s->bytes, s->rows, s->fields, s->with);
    put_times(t, s->first, s->last);
    text_add(t, "}");
}

static void put_segments(struct text *t, const struct catalogue_segment *segments, size_t count)
{
    text_add(t, ",\"segments\":[");
    for (size_t i = 0; i < count; i++) put_segment(t, &segments[i], i == 0);
    text_add(t, "]");
}

static void put_extents(struct text *t, const struct catalogue_extent *extents, size_t count)
{
    if (!count) return;
    text_add(t, ",\"extents\":[");
    for (size_t i = 0; i < count; i++) {
        text_add(t, i ? ",{" : "{");
        if (extents[i].reading) text_format(t, "\"reading\":%" PRIu64 ",", extents[i].reading);
        text_format(t, "\"capture\":%" PRIu64 ",", extents[i].capture);
        entry_text(t, "path", extents[i].path);
        text_format(t,
                    ",\"sha256\":\"%s\",\"bytes\":%" PRIu64
                    ",\"content_sha256\":\"%s\",\"content_bytes\":%" PRIu64,
                    extents[i].sha256, extents[i].bytes, extents[i].content_sha256,
                    extents[i].content_bytes);
        put_times(t, extents[i].first, extents[i].last);
        text_add(t, "}");
    }
    text_add(t, "]");
}

static void put_names(struct text *t, const struct catalogue_names *names)
{
    if (!names->known) return;
    text_add(t, ",\"names\":");
    if (*names->path)
        text_format(t, "{\"path\":\"%s\",\"sha256\":\"%s\",\"bytes\":%" PRIu64 "}", names->path,
                    names->sha256, names->bytes);
    else text_add(t, "null");
}

void catalogue_write_reading(struct text *members, const struct catalogue_reading *r,
                             const uint64_t *replaces, size_t replace_count,
                             const struct author *author)
{
    entry_head(members, "reading", author);
    text_format(members, ",\"reading\":\"%s\",", r->id);
    entry_text(members, "options", r->options);
    text_add(members, ",\"captures\":[");
    for (size_t i = 0; i < r->capture_count; i++) put_capture(members, &r->captures[i], i);
    text_add(members, "]");
    put_segments(members, r->segments, r->segment_count);
    put_extents(members, r->extents, r->extent_count);
    put_names(members, &r->names);
    if (r->is_recording) text_add(members, ",\"recording\":true");
    if (r->tail)
        text_format(members, ",\"tail\":{\"number\":%" PRIu64 ",\"cut_off\":%" PRIu64 "}", r->tail,
                    r->tail_cut);
    text_format(members, ",\"artifacts\":%" PRIu64 ",\"replaces\":[", r->artifacts);
    for (size_t i = 0; i < replace_count; i++)
        text_format(members, "%s%" PRIu64, i ? "," : "", replaces[i]);
    text_add(members, "]");
    positions_write(members, r->positions, r->position_count);
}

void catalogue_write_relocate(struct text *members, const struct catalogue_move *moves,
                              size_t count)
{
    text_add(members, "\"captures\":[");
    for (size_t i = 0; i < count; i++) {
        text_format(members, "%s{\"sha256\":\"%s\",", i ? "," : "", moves[i].sha256);
        entry_text(members, "path", moves[i].path);
        text_add(members, "}");
    }
    text_add(members, "]");
}

void catalogue_write_dissect(struct text *members, uint64_t seq,
                             const struct catalogue_segment *segments, size_t segment_count,
                             const char *const *removes, size_t remove_count)
{
    text_format(members, "\"reading\":%" PRIu64, seq);
    put_segments(members, segments, segment_count);
    text_add(members, ",\"removes\":[");
    for (size_t i = 0; i < remove_count; i++) {
        text_add(members, i ? "," : "");
        text_json(members, bytes_text(removes[i]));
    }
    text_add(members, "]");
}
