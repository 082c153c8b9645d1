#include "engine/candidates.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "flow/references.h"
#include "store/case.h"
#include "store/ngrams.h"

enum { PATH_SIZE = 4096 };

// Times at which conversations began (microseconds) that may hold it.
struct range {
    uint64_t from, to;
};

// What is said of the streams of one reading.
struct said {
    uint64_t reading;
    struct id_map own; // conversations that have stretches of their own
    struct range *ranges;
    size_t range_count, range_room;
};

struct finding {
    struct candidates *to;
    struct said *said;
    size_t said_count;
    struct said *at; // being asked
};

// ---- asking -------------------------------------------------------------------------------------

static void take_conversation(void *context, struct record_id id, bool may)
{
    struct finding *f = context;
    id_map_put(&f->at->own, id, may);
}

static void take_group(void *context, uint64_t from, uint64_t to, bool may)
{
    struct said *s = ((struct finding *)context)->at;
    if (!may) return;
    if (s->range_count == s->range_room) {
        s->range_room = s->range_room ? 2 * s->range_room : 16;
        s->ranges = memory_resize(s->ranges, s->range_room * sizeof *s->ranges);
    }
    s->ranges[s->range_count++] = (struct range){from, to};
}

static void take_artifact(void *context, struct record_id half, bool may)
{
    struct finding *f = context;
    id_map_put(&f->to->artifacts, half, may);
}

static int compare_ranges(const void *x, const void *y)
{
    const struct range *a = x, *b = y;
    return a->from < b->from ? -1 : a->from > b->from;
}

// So that they do not overlap, and are in order.
static void join_ranges(struct said *s)
{
    size_t n = 0;
    if (s->range_count) qsort(s->ranges, s->range_count, sizeof *s->ranges, compare_ranges);
    for (size_t i = 0; i < s->range_count; i++) {
        struct range *last = n ? &s->ranges[n - 1] : NULL;
        if (!last || s->ranges[i].from > last->to) s->ranges[n++] = s->ranges[i];
        else if (s->ranges[i].to > last->to) last->to = s->ranges[i].to;
    }
    s->range_count = n;
}

static void said_deinit(struct said *s)
{
    id_map_deinit(&s->own);
    memory_free(s->ranges);
}

static enum ngrams_state ask(struct finding *f, struct case_reader *reader, uint64_t reading,
                             const uint8_t name[SHA256_SIZE], bytes needle)
{
    char below[NGRAMS_PATH_MAX], path[PATH_SIZE];
    struct ngrams_asking asking = {.needle = needle, .context = f};
    ngrams_path(below, reading);
    snprintf(path, sizeof path, "%s/%s", case_path(reader), below);
    if (reading) {
        asking.conversation = take_conversation;
        asking.group = take_group;
    } else {
        asking.artifact = take_artifact;
    }
    enum ngrams_state state = ngrams_ask(path, name, &asking);
    f->to->unfit += state == NGRAMS_OTHER || state == NGRAMS_DAMAGED;
    return state;
}

// What is said of a reading counts when its index is whole.
static void ask_reading(struct finding *f, struct case_reader *reader,
                        const struct catalogue_reading *r, bytes needle)
{
    uint8_t name[SHA256_SIZE];
    struct said said = {.reading = r->seq};
    f->at = &said;
    if (!hex_parse(bytes_text(r->id), name, sizeof name) ||
        ask(f, reader, r->seq, name, needle) != NGRAMS_FIT) {
        said_deinit(&said);
        return;
    }
    join_ranges(&said);
    f->said = memory_resize(f->said, (f->said_count + 1) * sizeof *f->said);
    f->said[f->said_count++] = said;
}

// ---- conversations ------------------------------------------------------------------------------

static bool range_has(const struct said *s, uint64_t time)
{
    size_t low = 0, high = s->range_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->ranges[middle].to < time) low = middle + 1;
        else high = middle;
    }
    return low < s->range_count && s->ranges[low].from <= time;
}

static bool may_hold(const struct finding *f, uint64_t reading, struct record_id id)
{
    for (size_t i = 0; i < f->said_count; i++) {
        const struct said *s = &f->said[i];
        if (s->reading != reading) continue;
        const bool *own = id_map_get(&s->own, id);
        return own ? *own : range_has(s, id.time_us);
    }
    return true;
}

static bool take_ids(void *context, const struct record_batch *b)
{
    struct finding *f = context;
    struct candidates *c = f->to;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct record_id id = batch_get_id(b, PACKETS_CONVERSATION_ID, row);
        if (!may_hold(f, batch_get(b, PACKETS_READING, row), id)) continue;
        if (c->count == c->room) {
            c->room = c->room ? 2 * c->room : 64;
            c->ids = memory_resize(c->ids, c->room * sizeof *c->ids);
        }
        c->ids[c->count++] = id;
    }
    return true;
}

static bool list_conversations(struct finding *f, struct case_reader *reader, struct err *err)
{
    uint64_t fields = 1u << PACKETS_CONVERSATION_ID | 1u << PACKETS_READING;
    struct case_scan scan = {&packets_kind, fields, "part = 0", take_ids, f};
    f->to->ids = memory_get(sizeof *f->to->ids);
    f->to->room = 1;
    if (!case_scan(reader, &scan, err)) return false;
    qsort(f->to->ids, f->to->count, sizeof *f->to->ids, record_id_order);
    return true;
}

// ---- the whole ----------------------------------------------------------------------------------

bool candidates_find(struct candidates *c, struct case_reader *reader, bytes needle,
                     struct err *err)
{
    struct finding f = {.to = c};
    const uint8_t no_name[SHA256_SIZE] = {0};
    c->all = true;
    if (needle.n < NGRAM_SIZE || !case_path(reader)) return true;
    const struct catalogue *catalogue = case_catalogue(reader);
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(catalogue, r));)
        ask_reading(&f, reader, r, needle);
    if (ask(&f, reader, 0, no_name, needle) != NGRAMS_FIT) id_map_deinit(&c->artifacts);
    c->all = !f.said_count;
    bool ok = c->all || list_conversations(&f, reader, err);
    for (size_t i = 0; i < f.said_count; i++) said_deinit(&f.said[i]);
    memory_free(f.said);
    return ok;
}

void candidates_deinit(struct candidates *c)
{
    memory_free(c->ids);
    id_map_deinit(&c->artifacts);
}

bool candidates_has_artifact(const struct candidates *c, const uint8_t sha256[SHA256_SIZE])
{
    const bool *may = id_map_get(&c->artifacts, ngrams_half(sha256));
    return !may || *may;
}

void candidates_narrow(struct candidates *c, const struct record_id *ids, size_t id_count)
{
    size_t n = 0;
    if (c->all) {
        c->ids = memory_resize(c->ids, (id_count + 1) * sizeof *c->ids);
        if (id_count) memcpy(c->ids, ids, id_count * sizeof *ids);
        c->count = c->room = id_count;
        c->all = false;
        return;
    }
    for (size_t i = 0; i < c->count; i++)
        if (bsearch(&c->ids[i], ids, id_count, sizeof *ids, record_id_order))
            c->ids[n++] = c->ids[i];
    c->count = n;
}
