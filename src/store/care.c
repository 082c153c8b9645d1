// What a case that grows needs: small segments become one, and what is too old or too much goes.
// Each is a line of the log, so whoever asks an older state keeps what that had.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/schema.h"
#include "store/segment.h"
#include "store/store_inside.h"

enum {
    MERGE_MEMORY_MB = 256,
    MERGE_LEAST = 8, // segments of like size that become one
    MERGE_MOST = 64,
    MERGES_AT_ONCE = 4,
    MERGE_BYTES_MAX = 64 * 1024 * 1024,
    EXPIRE_MOST = 4096, // segments in one line of the log
};
// What is merged goes as a whole, when its last record is too old.
#define MERGE_SPAN_MAX (24 * 3600 * NANOS_PER_SECOND)

// A segment that counts, or a capture that is kept, and when its last record or packet was.
struct aged {
    const struct catalogue_reading *reading;
    const struct catalogue_segment *segment; // NULL: a capture
    const char *path;                        // NULL: it goes
    uint64_t size;
    unsigned kind;
    nanos first, end; // first > end when it has no times of its own
};

static int by_end(const void *a, const void *b)
{
    const struct aged *x = a, *y = b;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->path, y->path);
}

static nanos end_or(nanos first, nanos last, nanos otherwise)
{
    return first <= last ? last : otherwise;
}

// Kinds that this program does not know stay as they are.
static void add_segments(const struct store *s, const struct catalogue_reading *r,
                         struct aged *list, size_t *count)
{
    for (size_t i = 0; i < r->segment_count; i++) {
        const struct catalogue_segment *g = &r->segments[i];
        int kind = spool_kind(&s->spool, g->kind);
        if (kind < 0 || g->fields > s->spool.kinds[kind]->field_count) continue;
        list[(*count)++] = (struct aged){
            r, g, g->path, g->bytes, (unsigned)kind, g->first, end_or(g->first, g->last, r->time)};
    }
}

// They are of the same kind as the references that name their packets.
static void add_captures(const struct store *s, const struct catalogue_reading *r,
                         struct aged *list, size_t *count)
{
    int kind = spool_kind(&s->spool, CASE_PACKETS);
    for (size_t i = 0; kind >= 0 && i < r->extent_count; i++) {
        const struct catalogue_extent *e = &r->extents[i];
        if (catalogue_is_kept(e))
            list[(*count)++] = (struct aged){r,
                                             NULL,
                                             e->path,
                                             e->bytes,
                                             (unsigned)kind,
                                             e->first,
                                             end_or(e->first, e->last, r->time)};
    }
}

// All that count, the oldest first; owned.
static struct aged *list_aged(const struct store *s, bool has_captures, size_t *count)
{
    struct aged *list = NULL;
    *count = 0;
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(&s->catalogue, r));) {
        size_t room = *count + r->segment_count + r->extent_count + 1;
        list = memory_resize(list, room * sizeof *list);
        add_segments(s, r, list, count);
        if (has_captures) add_captures(s, r, list, count);
    }
    if (*count) qsort(list, *count, sizeof *list, by_end);
    return list;
}

// ---- merging ------------------------------------------------------------------------------------

// Like sizes: 8 times as many rows are the next.
static unsigned tier_of(uint64_t rows)
{
    unsigned tier = 0;
    while (rows >= 8) {
        rows /= 8;
        tier++;
    }
    return tier;
}

// Segments on their way to one.
struct merging {
    const struct aged *parts[MERGE_MOST];
    unsigned count;
    uint64_t rows, size;
    nanos first, last;
};

static nanos earlier(nanos a, nanos b)
{
    return a < b ? a : b;
}

static nanos later(nanos a, nanos b)
{
    return a > b ? a : b;
}

// Adds a segment unless one would become too large by it.
static bool merging_add(struct merging *m, const struct aged *a)
{
    const struct catalogue_segment *g = a->segment;
    nanos first = m->count ? earlier(m->first, g->first) : g->first;
    nanos last = m->count ? later(m->last, g->last) : g->last;
    if (m->count == MERGE_MOST || m->rows + g->rows > SEGMENT_ROWS_MAX ||
        m->size + g->bytes > MERGE_BYTES_MAX || (first <= last && last - first > MERGE_SPAN_MAX))
        return false;
    m->parts[m->count++] = a;
    m->rows += g->rows;
    m->size += g->bytes;
    m->first = first;
    m->last = last;
    return true;
}

// Those that come first and are enough, of one kind and like size.
static bool merging_find(struct merging *m, const struct aged *list, size_t count, size_t from)
{
    unsigned tier = tier_of(list[from].segment->rows);
    *m = (struct merging){.count = 0};
    for (size_t i = from; i < count; i++) {
        if (list[i].kind != list[from].kind || !list[i].reading->tail ||
            tier_of(list[i].segment->rows) != tier)
            continue;
        if (!merging_add(m, &list[i])) break;
    }
    return m->count >= MERGE_LEAST;
}

static void put_parts(struct text *sql, const struct merging *m, const struct record_kind *kind,
                      uint64_t with, int folder)
{
    struct text source = {0}, path = {0};
    for (unsigned i = 0; i < m->count; i++) {
        text_clear(&path);
        text_format(&path, "/proc/self/fd/%d/%s", folder, m->parts[i]->segment->path);
        text_add(&source, i ? ", " : "read_parquet([");
        sql_literal(&source, path.p);
    }
    text_add(&source, "], union_by_name=true)");
    text_add(sql, "SELECT ");
    schema_put_columns(sql, kind, with);
    text_add(sql, " FROM (");
    schema_put_select(sql, kind, source.p, with);
    text_add(sql, ")");
    text_deinit(&source);
    text_deinit(&path);
}

static bool write_merged(struct making *making, const struct merging *m, int folder,
                         struct err *err)
{
    const struct database_options options = {.memory_mb = MERGE_MEMORY_MB};
    const struct record_kind *kind = making->store->spool.kinds[m->parts[0]->kind];
    struct catalogue_segment *segment = making_add(making, kind);
    struct text sql = {0};
    segment->rows = m->rows;
    segment->first = m->first;
    segment->last = m->last;
    for (unsigned i = 0; i < m->count; i++) segment->with |= m->parts[i]->segment->with;
    put_parts(&sql, m, kind, segment->with, folder);
    bool fine = database_open(&making->database, &options, err);
    if (fine) {
        fine = segment_write_select(&making->database, making->store->folder, segment, sql.p, err);
        database_close(&making->database);
    }
    text_deinit(&sql);
    if (fine && segment->rows != m->rows)
        fine = err_set(err, ERR_INPUT, "segments of %s have not the rows that the log tells",
                       kind->name);
    return fine;
}

static bool append_merge(struct making *making, const struct merging *m, struct err *err)
{
    struct store *s = making->store;
    const char *removes[MERGE_MOST];
    struct text members = {0};
    for (unsigned i = 0; i < m->count; i++) removes[i] = m->parts[i]->segment->path;
    entry_head(&members, "merge", &s->author);
    text_add(&members, ",");
    catalogue_write_dissect(&members, m->parts[m->count - 1]->reading->seq, making->entry.segments,
                            making->entry.segment_count, removes, m->count);
    bool fine = store_append(s, bytes_of(members.p, members.n), &s->author, err);
    text_deinit(&members);
    return fine;
}

static bool merge(struct store *s, const struct merging *m, struct err *err)
{
    struct making making = {.store = s, .spool = &s->spool};
    int folder = open(s->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return err_system(err, errno, "cannot open the case");
    bool fine = write_merged(&making, m, folder, err);
    if (!fine && making.entry.segment_count) segment_drop(s->folder, &making.entry.segments[0]);
    fine = fine && making_publish(&making, err) && append_merge(&making, m, err);
    making_deinit(&making);
    close(folder);
    return fine;
}

// One merge at a time: the next call finds the next.
static bool merge_some(struct store *s, bool *any, struct err *err)
{
    size_t count;
    struct aged *list = list_aged(s, false, &count);
    struct merging m = {.count = 0};
    bool found = false, fine = true;
    for (size_t i = 0; !found && i < count; i++)
        if (list[i].reading->tail && list[i].segment->rows < SEGMENT_ROWS_MAX / 2)
            found = merging_find(&m, list, count, i);
    if (found) fine = merge(s, &m, err);
    memory_free(list);
    *any = found && fine;
    return fine;
}

// ---- what goes ----------------------------------------------------------------------------------

struct expiring {
    const char *paths[EXPIRE_MOST];
    size_t count;
};

static void expire(struct expiring *e, struct aged *a)
{
    if (e->count == EXPIRE_MOST || !a->path) return;
    e->paths[e->count++] = a->path;
    a->path = NULL;
}

// The oldest first, of those kinds that may go: by age, then while they are more than their size.
static void expire_kind(struct expiring *e, const struct limit *limit, struct aged *list,
                        size_t count, nanos now)
{
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == limit->kind && list[i].path) size += list[i].size;
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind != limit->kind || !list[i].path) continue;
        bool is_old = limit->age && list[i].end < now - limit->age;
        bool is_much = limit->size && size > limit->size;
        if (!is_old && !is_much) return;
        size -= list[i].size;
        expire(e, &list[i]);
    }
}

static void expire_for_room(struct expiring *e, const struct store *s, struct aged *list,
                            size_t count)
{
    uint64_t missing = limits_missing(&s->limits, s->folder);
    for (size_t i = 0; missing && i < count; i++) {
        if (!list[i].path || !limits_of(&s->limits, list[i].kind)) continue;
        missing -= missing < list[i].size ? missing : list[i].size;
        expire(e, &list[i]);
    }
}

static bool append_expire(struct store *s, const struct expiring *e, struct err *err)
{
    struct text members = {0};
    entry_head(&members, "expire", &s->author);
    text_add(&members, ",\"removes\":[");
    for (size_t i = 0; i < e->count; i++) {
        text_add(&members, i ? "," : "");
        text_json(&members, bytes_text(e->paths[i]));
    }
    text_add(&members, "]");
    bool fine = store_append(s, bytes_of(members.p, members.n), &s->author, err);
    text_deinit(&members);
    return fine;
}

static bool expire_some(struct store *s, nanos now, bool *any, struct err *err)
{
    size_t count;
    struct aged *list = list_aged(s, true, &count);
    struct expiring *e = memory_get(sizeof *e);
    for (unsigned i = 0; i < s->limits.count; i++)
        expire_kind(e, &s->limits.list[i], list, count, now);
    expire_for_room(e, s, list, count);
    *any = e->count > 0;
    bool fine = !*any || append_expire(s, e, err);
    memory_free(e);
    memory_free(list);
    return fine;
}

// ---- all ----------------------------------------------------------------------------------------

bool store_limit(struct store *s, const char *retain, const char *free, struct err *err)
{
    struct limits limits;
    if (!limits_parse(&limits, retain, free, s->spool.kinds, s->spool.kind_count, err))
        return false;
    s->limits = limits;
    return true;
}

bool store_care(struct store *s, nanos now, struct err *err)
{
    bool expired = false, merged = false, more = true;
    nanos opened = s->author.time;
    s->author.time = now;
    bool fine = expire_some(s, now, &expired, err);
    for (unsigned i = 0; fine && more && i < MERGES_AT_ONCE; i++) {
        fine = merge_some(s, &more, err);
        merged = merged || more;
    }
    s->author.time = opened;
    s->is_sweeping = s->is_sweeping || expired || merged;
    // Bodies lie there only where captures were read, and then nothing is on its way now.
    if (s->is_sweeping) store_sweep(s, expired && !s->artifacts.kept);
    return fine || err_in(err, "case %s", s->folder);
}

bool store_is_full(struct store *s)
{
    return limits_missing(&s->limits, s->folder) > 0;
}

void store_holdings(const struct store *s, struct store_holding *holdings)
{
    size_t count;
    struct aged *list = list_aged(s, true, &count);
    for (unsigned i = 0; i < s->spool.kind_count; i++)
        holdings[i] = (struct store_holding){.first = INT64_MAX};
    for (size_t i = 0; i < count; i++) {
        struct store_holding *of = &holdings[list[i].kind];
        of->segments++;
        of->bytes += list[i].size;
        of->rows += list[i].segment ? list[i].segment->rows : 0;
        of->first = earlier(of->first, list[i].first);
    }
    memory_free(list);
}

uint64_t store_free(const struct store *s)
{
    return disk_free(s->folder);
}
