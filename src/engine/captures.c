#include "engine/captures.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/evidence.h"
#include "source/capture_kind.h"
#include "store/case.h"

struct capture {
    uint64_t reading;
    uint32_t number; // in it
    const struct frames *frames;
    char *path; // NULL: the case does not name it
    uint64_t file_bytes;
    nanos first_seen;          // not later than its first packet
    struct evidence *evidence; // while it is open
    struct packet head;        // the next that is wanted
};

struct captures {
    struct case_reader *reader;
    struct capture *all; // those with wanted frames, by reading, then number
    uint32_t count, left_out;
    // During a visit.
    struct capture **waiting; // by first_seen, reading, number
    uint32_t waiting_next;
    struct capture **open;
    uint32_t open_count;
};

// ---- what the case knows ------------------------------------------------------------------------

static void add_wanted(struct captures *c, const struct referred_reading *reading)
{
    for (uint32_t i = 0; i < reading->frames.capture_count; i++) {
        uint64_t first = 0;
        if (!frames_next(&reading->frames, i, &first)) continue;
        c->all = memory_resize(c->all, (c->count + (size_t)1) * sizeof *c->all);
        c->all[c->count++] =
            (struct capture){.reading = reading->number, .number = i, .frames = &reading->frames};
    }
}

static struct capture *capture_named(const struct captures *c, uint64_t reading, uint64_t number)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->all[i].reading == reading && c->all[i].number == number) return &c->all[i];
    return NULL;
}

static bool take_captures(void *context, const struct record_batch *b)
{
    struct captures *c = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct capture *to =
            capture_named(c, batch_get(b, CAPTURE_READING, row), batch_get(b, CAPTURE_NUMBER, row));
        if (!to || to->path) continue;
        to->path = text_unescaped(batch_get_bytes(b, CAPTURE_PATH, row));
        to->file_bytes = batch_get(b, CAPTURE_FILE_BYTES, row);
        to->first_seen = batch_has(b, CAPTURE_FIRST_SEEN, row)
                             ? (nanos)batch_get(b, CAPTURE_FIRST_SEEN, row)
                             : INT64_MIN;
    }
    return true;
}

static bool is_left(const struct captures *c, const struct capture *capture, struct err *err)
{
    const struct evidence_of of = {capture->reading, capture->number, capture->path,
                                   capture->file_bytes};
    if (capture->path) return evidence_is_left(c->reader, &of, err);
    return err_set(err, ERR_INPUT,
                   "the case does not name capture %u, in which some packets are: one that is "
                   "being recorded comes with the next part",
                   capture->number);
}

static bool leave_out(struct captures *c, struct err *err)
{
    uint32_t stay = 0;
    struct err why = {0};
    for (uint32_t i = 0; i < c->count; i++) {
        bool left = is_left(c, &c->all[i], &why);
        if (left) c->all[stay++] = c->all[i];
        else memory_free(c->all[i].path);
    }
    c->left_out = c->count - stay;
    c->count = stay;
    if (stay || !c->left_out) return true;
    if (err) *err = why;
    return false;
}

uint32_t captures_left_out(const struct captures *c)
{
    return c->left_out;
}

struct captures *captures_of(struct case_reader *reader, const struct referred_reading *readings,
                             size_t count, struct err *err)
{
    struct captures *c = memory_get(sizeof *c);
    c->reader = reader;
    for (size_t i = 0; i < count; i++) add_wanted(c, &readings[i]);
    struct case_scan scan = {&capture_kind, CASE_ALL_FIELDS, NULL, take_captures, c};
    if (case_scan(reader, &scan, err) && leave_out(c, err)) return c;
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

// ---- one capture --------------------------------------------------------------------------------

static bool capture_open(const struct captures *all, struct capture *c, struct err *err)
{
    const struct evidence_of of = {c->reading, c->number, c->path, c->file_bytes};
    c->evidence = evidence_open(all->reader, &of, err);
    return c->evidence != NULL;
}

// The next wanted packet from `ordinal` on becomes its head; closes the capture when there is none.
static bool capture_advance(struct capture *c, uint64_t ordinal, bool *more, struct err *err)
{
    *more = frames_next(c->frames, c->number, &ordinal);
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

// Both are in the order of `all`, in which a reading names them.
static int waiting_compare(const void *x, const void *y)
{
    const struct capture *a = *(struct capture *const *)x, *b = *(struct capture *const *)y;
    if (a->first_seen != b->first_seen) return a->first_seen < b->first_seen ? -1 : 1;
    return a < b ? -1 : a > b;
}

// Whose packet is next: the earliest, ties in the order named, as in source/source.c.
static uint32_t visit_first(const struct captures *c)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < c->open_count; i++) {
        const struct capture *a = c->open[i], *b = c->open[first];
        if (a->head.time < b->head.time || (a->head.time == b->head.time && a < b)) first = i;
    }
    return first;
}

// Opens the captures whose turn may have come.
static bool visit_open_due(struct captures *c, struct err *err)
{
    while (c->waiting_next < c->count) {
        struct capture *next = c->waiting[c->waiting_next];
        if (c->open_count && next->first_seen > c->open[visit_first(c)]->head.time) return true;
        bool more = false;
        if (!capture_open(c, next, err) || !capture_advance(next, 0, &more, err)) return false;
        if (more) c->open[c->open_count++] = next;
        c->waiting_next++;
    }
    return true;
}

static bool visit_all(struct captures *c, captures_take *take, void *context, struct err *err)
{
    for (;;) {
        if (!visit_open_due(c, err)) return false;
        if (!c->open_count) return true;
        uint32_t turn = visit_first(c);
        struct capture *at = c->open[turn];
        struct capture_place place = {at->reading, evidence_path(at->evidence),
                                      evidence_fetch(at->evidence)};
        bool more = false;
        if (!take(context, &at->head, &place, err) ||
            !capture_advance(at, at->head.ordinal + 1, &more, err))
            return false;
        if (!more) c->open[turn] = c->open[--c->open_count];
    }
}

bool captures_visit(struct captures *c, captures_take *take, void *context, struct err *err)
{
    size_t room = ((size_t)c->count + 1) * sizeof(struct capture *);
    c->waiting = memory_get(room);
    c->open = memory_get(room);
    c->waiting_next = c->open_count = 0;
    for (uint32_t i = 0; i < c->count; i++) c->waiting[i] = &c->all[i];
    qsort(c->waiting, c->count, sizeof(struct capture *), waiting_compare);
    bool ok = visit_all(c, take, context, err);
    for (uint32_t i = 0; i < c->count; i++) {
        evidence_close(c->all[i].evidence);
        c->all[i].evidence = NULL;
    }
    memory_free(c->waiting);
    memory_free(c->open);
    return ok;
}
