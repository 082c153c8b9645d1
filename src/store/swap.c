// Rows of a reading that were made again, in the place of those that they replace.
//
// A segment that has any of these is written anew without them; what was made again comes as
// segments of its own. Readers see either all of the old or all of the new.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/schema.h"
#include "store/segment.h"
#include "store/store_inside.h"

enum { SWAP_MEMORY_MB = 512, IDS_AT_ONCE = 1024 };

struct swapping {
    struct making making;
    const struct store_swap *swap;
    int folder; // of the case: for DuckDB, which would take * ? [ in its name for patterns
    const char **removes;
    size_t remove_count;
};

static bool load_ids(struct swapping *w, struct err *err)
{
    struct text sql = {0};
    struct database *d = &w->making.database;
    bool fine = database_run(d, "CREATE TEMP TABLE again(us UBIGINT, hash UBIGINT)", err);
    for (size_t at = 0; fine && at < w->swap->conversation_count;) {
        text_clear(&sql);
        text_add(&sql, "INSERT INTO again VALUES ");
        for (size_t n = 0; n < IDS_AT_ONCE && at < w->swap->conversation_count; n++, at++) {
            struct record_id id = w->swap->conversations[at];
            text_format(&sql, "%s(%" PRIu64 ",%" PRIu64 ")", n ? "," : "", id.time_us, id.hash);
        }
        fine = database_run(d, sql.p, err);
    }
    text_deinit(&sql);
    return fine;
}

static void put_rest(const struct swapping *w, struct text *sql, const struct record_kind *kind,
                     const struct catalogue_segment *segment, const char *only)
{
    char path[4096];
    struct text source = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", w->folder, segment->path);
    text_add(&source, "read_parquet(");
    sql_literal(&source, path);
    text_add(&source, ")");
    text_add(sql, "SELECT ");
    schema_put_columns(sql, kind, segment->with);
    text_add(sql, " FROM (");
    schema_put_select(sql, kind, source.p, segment->with);
    text_deinit(&source);
    text_add(sql, ") s WHERE NOT EXISTS (FROM again a WHERE s.conversation_id_us = a.us AND "
                  "s.conversation_id_hash = a.hash");
    if (only) text_format(sql, " AND (%s)", only);
    text_add(sql, ")");
}

// Writes the rows of a segment that stay, unless that is all of them.
static bool write_rest(struct swapping *w, const struct record_kind *kind,
                       const struct catalogue_segment *old, const char *only, struct err *err)
{
    struct making *m = &w->making;
    struct text sql = {0};
    struct catalogue_segment *segment = making_add(m, kind);
    segment->fields = old->fields;
    segment->with = old->with;
    segment->rows = old->rows;
    segment->first = old->first;
    segment->last = old->last;
    put_rest(w, &sql, kind, old, only);
    bool fine = segment_write_select(&m->database, m->store->folder, segment, sql.p, err);
    text_deinit(&sql);
    if (fine && segment->rows != old->rows) w->removes[w->remove_count++] = old->path;
    if (!fine || !segment->rows || segment->rows == old->rows) {
        segment_drop(m->store->folder, segment);
        memory_free((char *)segment->path);
        m->entry.segment_count--;
    }
    return fine;
}

static bool swap_kind(struct swapping *w, const struct catalogue_reading *reading,
                      const struct store_kind *kind, struct err *err)
{
    struct store *s = w->making.store;
    int number = spool_kind(&s->spool, kind->name);
    if (number < 0) return true;
    for (size_t i = 0; i < reading->segment_count; i++)
        if (strcmp(reading->segments[i].kind, kind->name) == 0 &&
            !write_rest(w, s->spool.kinds[number], &reading->segments[i], kind->only, err))
            return false;
    return making_write_kind(&w->making, (unsigned)number, err);
}

static bool swap_kinds(struct swapping *w, const struct catalogue_reading *reading, struct err *err)
{
    const struct database_options options = {.memory_mb = SWAP_MEMORY_MB};
    struct making *m = &w->making;
    if (!database_open(&m->database, &options, err)) return false;
    bool fine = load_ids(w, err);
    for (size_t i = 0; fine && i < w->swap->kind_count; i++)
        fine = swap_kind(w, reading, &w->swap->kinds[i], err);
    database_close(&m->database);
    return fine;
}

static bool append_entry(struct swapping *w, struct err *err)
{
    struct store *s = w->making.store;
    const struct catalogue_reading *made = &w->making.entry;
    struct text members = {0};
    entry_head(&members, "dissect", &s->author);
    text_add(&members, ",");
    catalogue_write_dissect(&members, w->swap->reading, made->segments, made->segment_count,
                            w->removes, w->remove_count);
    bool fine = store_append(s, bytes_of(members.p, members.n), &s->author, err);
    text_deinit(&members);
    return fine;
}

static bool swap_on_disk(struct swapping *w, struct err *err)
{
    struct store *s = w->making.store;
    const struct catalogue_reading *reading = catalogue_reading_of(&s->catalogue, w->swap->reading);
    if (!reading)
        return err_set(err, ERR_INPUT, "there is no reading %" PRIu64 " any more",
                       w->swap->reading);
    w->removes = memory_get((reading->segment_count + 1) * sizeof *w->removes);
    w->folder = open(s->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->folder < 0) return err_system(err, errno, "cannot open the case");
    bool was_unswept = s->unswept;
    bool fine = swap_kinds(w, reading, err) && making_publish(&w->making, err);
    s->unswept = s->unswept || fine; // until an entry names the bodies
    fine = fine && artifacts_commit(&s->artifacts, err) && append_entry(w, err);
    if (fine) s->unswept = was_unswept;
    return fine;
}

bool store_swap(struct store *s, const struct store_swap *swap, struct err *err)
{
    struct swapping w = {.making = {.store = s, .spool = &s->spool}, .swap = swap, .folder = -1};
    bool fine = !s->spool.error || err_system(err, s->spool.error, "cannot write records");
    fine = fine && swap_on_disk(&w, err);
    if (w.folder >= 0) close(w.folder);
    memory_free(w.removes);
    making_deinit(&w.making);
    if (!fine) {
        store_abort(s);
        return err_in(err, "case %s: nothing was replaced", s->folder);
    }
    spool_cut(&s->spool, 0);
    s->committed = 0;
    store_sweep(s, true);
    return true;
}
