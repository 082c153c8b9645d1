#include "engine/captures.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/evidence.h"
#include "source/capture_kind.h"
#include "store/case.h"

struct capture {
    uint32_t number;
    char *path; // NULL: the case does not name it
    uint64_t file_bytes;
    nanos first_seen;          // not later than its first packet
    struct evidence *evidence; // while it is open
    struct packet head;        // the next that is wanted
};

struct captures {
    struct case_reader *reader;
    uint64_t reading;
    struct capture *all; // by number
    uint32_t count;
    // During a visit.
    const struct frames *frames;
    struct capture **waiting; // by first_seen, then number
    uint32_t waiting_count, waiting_next;
    struct capture **open;
    uint32_t open_count;
};

// ---- what the case knows ------------------------------------------------------------------------

static struct capture *capture_named(struct captures *c, uint32_t number)
{
    if (number >= c->count) {
        c->all = memory_resize(c->all, (number + (size_t)1) * sizeof *c->all);
        memset(c->all + c->count, 0, (number + (size_t)1 - c->count) * sizeof *c->all);
        c->count = number + 1;
    }
    return &c->all[number];
}

static bool take_captures(void *context, const struct record_batch *b)
{
    struct captures *c = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t number = batch_get(b, CAPTURE_NUMBER, row);
        if (batch_get(b, CAPTURE_READING, row) != c->reading || number >= FRAMES_CAPTURES_MAX)
            continue;
        struct capture *to = capture_named(c, (uint32_t)number);
        memory_free(to->path);
        bytes path = batch_get_bytes(b, CAPTURE_PATH, row);
        to->path = memory_get(path.n + 1);
        to->path[text_unescape((uint8_t *)to->path, path)] = 0;
        to->number = (uint32_t)number;
        to->file_bytes = batch_get(b, CAPTURE_FILE_BYTES, row);
        to->first_seen = batch_has(b, CAPTURE_FIRST_SEEN, row)
                             ? (nanos)batch_get(b, CAPTURE_FIRST_SEEN, row)
                             : INT64_MIN;
    }
    return true;
}

struct captures *captures_of(struct case_reader *reader, uint64_t number, struct err *err)
{
    struct captures *c = memory_get(sizeof *c);
    c->reader = reader;
    c->reading = number;
    struct case_scan scan = {&capture_kind, CASE_ALL_FIELDS, NULL, take_captures, c};
    if (case_scan(reader, &scan, err)) return c;
    captures_close(c);
    return NULL;
}

void captures_close(struct captures *c)
{
    if (!c) return;
    for (uint32_t i = 0; i < c->count; i++) {
        evidence_close(c->all[i].evidence);
        memory_free(c->all[i].path);
    }
    memory_free(c->all);
    memory_free(c);
}

const char *captures_path(const struct captures *c, uint32_t capture)
{
    return capture < c->count ? c->all[capture].path : NULL;
}

// ---- one capture --------------------------------------------------------------------------------

static bool capture_open(const struct captures *all, struct capture *c, struct err *err)
{
    const struct evidence_of of = {all->reading, c->number, c->path, c->file_bytes};
    c->evidence = evidence_open(all->reader, &of, err);
    return c->evidence != NULL;
}

// The next wanted packet from `ordinal` on becomes its head; closes the capture when there is none.
static bool capture_advance(struct captures *all, struct capture *c, uint64_t ordinal, bool *more,
                            struct err *err)
{
    *more = frames_next(all->frames, c->number, &ordinal);
    if (*more) {
        if (!fetch_next(evidence_fetch(c->evidence), ordinal, &c->head, err)) return false;
        c->head.capture = c->number;
        return true;
    }
    evidence_close(c->evidence);
    c->evidence = NULL;
    return true;
}

// ---- taking turns -------------------------------------------------------------------------------

static int waiting_compare(const void *x, const void *y)
{
    const struct capture *a = *(struct capture *const *)x, *b = *(struct capture *const *)y;
    if (a->first_seen != b->first_seen) return a->first_seen < b->first_seen ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

// The captures that have wanted frames.
static bool visit_list(struct captures *c, struct err *err)
{
    c->open_count = c->waiting_count = c->waiting_next = 0;
    for (uint32_t i = 0; i < c->frames->capture_count; i++) {
        uint64_t first = 0;
        if (!frames_next(c->frames, i, &first)) continue;
        if (i >= c->count || !c->all[i].path)
            return err_set(err, ERR_INPUT,
                           "the case does not name capture %u, in which some packets are", i);
        c->waiting[c->waiting_count++] = &c->all[i];
    }
    qsort(c->waiting, c->waiting_count, sizeof(struct capture *), waiting_compare);
    return true;
}

// Whose packet is next: the earliest, ties by number, as in source/source.c.
static uint32_t visit_first(const struct captures *c)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < c->open_count; i++) {
        const struct capture *a = c->open[i], *b = c->open[first];
        if (a->head.time < b->head.time || (a->head.time == b->head.time && a->number < b->number))
            first = i;
    }
    return first;
}

// Opens the captures whose turn may have come.
static bool visit_open_due(struct captures *c, struct err *err)
{
    while (c->waiting_next < c->waiting_count) {
        struct capture *next = c->waiting[c->waiting_next];
        if (c->open_count && next->first_seen > c->open[visit_first(c)]->head.time) return true;
        bool more = false;
        if (!capture_open(c, next, err) || !capture_advance(c, next, 0, &more, err)) return false;
        if (more) c->open[c->open_count++] = next;
        c->waiting_next++;
    }
    return true;
}

static bool visit_all(struct captures *c, captures_packet *take, void *context, struct err *err)
{
    for (;;) {
        if (!visit_open_due(c, err)) return false;
        if (!c->open_count) return true;
        uint32_t turn = visit_first(c);
        struct capture *at = c->open[turn];
        bool more = false;
        if (!take(context, &at->head, err) ||
            !capture_advance(c, at, at->head.ordinal + 1, &more, err))
            return false;
        if (!more) c->open[turn] = c->open[--c->open_count];
    }
}

bool captures_visit(struct captures *c, const struct frames *frames, captures_packet *take,
                    void *context, struct err *err)
{
    size_t room = ((size_t)frames->capture_count + 1) * sizeof(struct capture *);
    c->frames = frames;
    c->waiting = memory_get(room);
    c->open = memory_get(room);
    bool ok = visit_list(c, err) && visit_all(c, take, context, err);
    for (uint32_t i = 0; i < c->count; i++) {
        evidence_close(c->all[i].evidence);
        c->all[i].evidence = NULL;
    }
    memory_free(c->waiting);
    memory_free(c->open);
    return ok;
}
