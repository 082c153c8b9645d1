#include "store/store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "store/artifact_names.h"
#include "store/case.h"
#include "store/segment.h"
#include "store/store_inside.h"

enum { STORE_PATH_MAX = 4096 };

// ---- opening ------------------------------------------------------------------------------------

// A folder that has something else in it is not ours to fill.
static bool is_foreign(const char *folder)
{
    static const char *const ours[] = {".",         "..",   "lock",    "log",  "records",
                                       "artifacts", "keys", "packets", "tail", CASE_EXPORTERS};
    DIR *d = opendir(folder);
    bool foreign = false;
    for (struct dirent *e; !foreign && d && (e = readdir(d));) {
        foreign = true;
        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            if (strcmp(e->d_name, ours[i]) == 0) foreign = false;
    }
    if (d) closedir(d);
    return foreign;
}

static bool has_log(const char *folder)
{
    char path[STORE_PATH_MAX];
    snprintf(path, sizeof path, "%s/" CASE_LOG, folder);
    return access(path, F_OK) == 0;
}

static bool make_folders(const char *folder, struct err *err)
{
    static const char *const below[] = {
        "log", "keys", "records", "artifacts", "artifacts/.new", "tail", "packets", "packets/.new"};
    char path[STORE_PATH_MAX];
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, below[i]);
        if (!folder_make(path, err)) return false;
    }
    return true;
}

static bool make_folder(const char *folder, struct err *err)
{
    struct stat st;
    if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, ERR_USAGE, "%s is a file, and a case is a folder: choose another name",
                       folder);
    if (!folder_make(folder, err)) return err_in(err, "cannot make the case %s", folder);
    if (!has_log(folder) && is_foreign(folder))
        return err_set(err, ERR_USAGE,
                       "%s is a folder with other things in it, not a case: choose another name",
                       folder);
    return true;
}

// The first entry of a fresh case; the folders of the way there are made durable with it.
static bool begin_log(struct store *s, struct err *err)
{
    static const char *const below[] = {"log", ".", ".."};
    char path[STORE_PATH_MAX];
    struct text members = {0};
    catalogue_write_case(&members, &s->author);
    bool fine = entry_append(&s->catalogue.chain, s->folder, bytes_of(members.p, members.n),
                             &s->author, err);
    text_deinit(&members);
    for (size_t i = 0; fine && i < sizeof below / sizeof *below; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, below[i]);
        fine = file_sync(path, err);
    }
    return fine;
}

static bool open_log(struct store *s, struct err *err)
{
    struct catalogue *c = &s->catalogue;
    char path[STORE_PATH_MAX];
    snprintf(path, sizeof path, "%s/" CASE_LOG, s->folder);
    if (has_log(s->folder) && !catalogue_read(c, s->folder, err)) return false;
    if (c->chain.seq == 0) chain_reset(&c->chain);
    if (!chain_open(&c->chain, path, err)) return false;
    if (c->chain.seq == 0) return begin_log(s, err);
    return c->signed_to == c->chain.seq || entry_sign(&c->chain, s->folder, &s->author, err);
}

// What the log does not name goes, unless somebody still reads a state in which it was named.
// Bodies are looked at only when some may be left: that takes reading the records that name them.
void store_sweep(struct store *s, bool bodies)
{
    static const char *const small[] = {"keys", "artifacts"}; // where files are written as a whole
    char path[STORE_PATH_MAX];
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, small[i]);
        file_sweep(path);
    }
    tail_sweep(s->folder, &s->catalogue);
    segment_sweep(s->folder, &s->catalogue, &s->lease);
    if (lease_is_read_below(&s->lease, s->catalogue.chain.seq)) {
        s->unswept = s->unswept || bodies;
        return;
    }
    extents_sweep(s->folder, &s->catalogue);
    if (!bodies) return;
    struct case_reader *reader = case_of_store(s, NULL);
    s->unswept = !reader || !artifact_sweep(reader, NULL);
    case_close(reader);
}

static bool open_folder(struct store *s, struct err *err)
{
    struct stat st;
    bool is_new = stat(s->folder, &st) != 0;
    if (!make_folder(s->folder, err) || !lease_write(&s->lease, s->folder, err)) return false;
    s->is_fresh = !has_log(s->folder);
    s->is_new_folder = s->is_fresh && is_new;
    return make_folders(s->folder, err) && open_log(s, err);
}

struct store *store_open(const char *path, const struct record_kind *const *kinds,
                         unsigned kind_count, const struct author *author, struct err *err)
{
    struct store *s = memory_get(sizeof *s);
    s->author = *author;
    s->lease.file = -1;
    s->folder = text_copy(path);
    bool fine = !path || open_folder(s, err);
    fine = fine && spool_init(&s->spool, path, kinds, kind_count, err) &&
           artifacts_init(&s->artifacts, path, err) && extents_init(&s->extents, path, err) &&
           (!path || collecting_recover(s, err));
    if (fine && path) store_sweep(s, s->lease.inherited);
    if (fine) return s;
    store_close(s);
    return NULL;
}

// A case that came into being for a reading that failed goes again; an empty folder that was there
// before stays.
static void remove_fresh(const struct store *s)
{
    static const char *const ours[] = {"log",     "keys", "records",      "artifacts",
                                       "packets", "tail", CASE_EXPORTERS, "lock"};
    char path[STORE_PATH_MAX];
    struct err ignored;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, ours[i]);
        if (strcmp(ours[i], "lock") == 0) unlink(path);
        else folder_remove(path, &ignored);
    }
    if (s->is_new_folder) rmdir(s->folder);
}

void store_close(struct store *s)
{
    if (!s) return;
    bool is_left = collecting_end(s);
    spool_deinit(&s->spool);
    artifacts_deinit(&s->artifacts);
    extents_deinit(&s->extents);
    if (s->is_fresh && s->catalogue.reading_count == 0 && !is_left) remove_fresh(s);
    catalogue_deinit(&s->catalogue);
    if (s->unswept || is_left) lease_leave(&s->lease);
    else lease_end(&s->lease);
    memory_free(s->folder);
    memory_free(s);
}

// ---- sinks --------------------------------------------------------------------------------------

static void take_batch(void *context, const struct record_batch *batch)
{
    spool_add(context, batch);
}

struct record_sink store_sink(struct store *s)
{
    return (struct record_sink){&s->spool, take_batch};
}

struct artifact_sink store_artifacts(struct store *s)
{
    return artifacts_sink(&s->artifacts);
}

struct capture_sink store_captures(struct store *s, bool keep)
{
    return extents_sink(&s->extents, keep);
}

uint64_t store_rows(struct store *s)
{
    uint64_t rows = 0;
    lock_take(&s->spool.lock);
    for (size_t i = 0; i < s->committed; i++) rows += s->spool.entries[i].rows;
    rows = s->spool.rows - rows;
    lock_give(&s->spool.lock);
    return rows;
}

uint64_t store_artifacts_kept(const struct store *s)
{
    return s->artifacts.kept;
}

// ---- commit -------------------------------------------------------------------------------------

bool store_append(struct store *s, bytes members, const struct author *author, struct err *err)
{
    return entry_append(&s->catalogue.chain, s->folder, members, author, err) &&
           catalogue_refresh(&s->catalogue, s->folder, err);
}

struct catalogue_segment *making_add(struct making *m, const struct record_kind *kind)
{
    struct catalogue_reading *r = &m->entry;
    char *path = memory_get(STORE_PATH_MAX);
    r->segments = memory_resize(r->segments, (r->segment_count + 1) * sizeof *r->segments);
    struct catalogue_segment *segment = &r->segments[r->segment_count++];
    snprintf(path, STORE_PATH_MAX, "records/%s/%08" PRIu64 "-%04zu.parquet", kind->name,
             m->store->catalogue.chain.seq + 1, r->segment_count);
    *segment =
        (struct catalogue_segment){.kind = kind->name, .path = path, .fields = kind->field_count};
    return segment;
}

bool making_write_kind(struct making *m, unsigned kind, struct err *err)
{
    const struct spool *spool = m->spool;
    struct catalogue_segment range = {0};
    for (size_t from = 0, to; segment_range(spool, kind, from, &range, &to); from = to) {
        struct catalogue_segment *segment = making_add(m, spool->kinds[kind]);
        segment->rows = range.rows;
        segment->first = range.first;
        segment->last = range.last;
        segment->with = range.with;
        if (!segment_write(m->spool, kind, m->store->folder, segment, from, to, err)) return false;
    }
    return true;
}

bool making_write(struct making *m, struct err *err)
{
    bool fine = true;
    for (unsigned kind = 0; fine && kind < m->spool->kind_count; kind++)
        fine = making_write_kind(m, kind, err);
    return fine;
}

bool making_publish(struct making *m, struct err *err)
{
    char path[STORE_PATH_MAX];
    if (!segment_publish(m->store->folder, m->entry.segments, m->entry.segment_count, err))
        return false;
    snprintf(path, sizeof path, "%s/records", m->store->folder);
    return file_sync(path, err);
}

void making_describe(struct making *m, const struct reading *reading)
{
    struct catalogue_reading *r = &m->entry;
    uint8_t id[SHA256_SIZE];
    reading_id(reading, id);
    hex_format(r->id, bytes_of(id, sizeof id));
    r->seq = m->store->catalogue.chain.seq + 1;
    r->options = reading->options;
    r->version = reading->version;
    r->time = reading->time;
    r->artifacts = m->store->artifacts.kept;
    r->positions = m->store->positions;
    r->position_count = m->store->position_count;
    r->capture_count = reading->capture_count;
    r->captures = memory_get(r->capture_count * sizeof *r->captures);
    for (size_t i = 0; i < r->capture_count; i++) {
        r->captures[i].path = reading->captures[i].path;
        r->captures[i].bytes = reading->captures[i].bytes;
        hex_format(r->captures[i].sha256, bytes_of(reading->captures[i].sha256, SHA256_SIZE));
    }
}

bool making_append(struct making *m, struct err *err)
{
    struct author author = m->store->author;
    struct text members = {0};
    artifact_names_sort(&m->spool->names);
    if (!artifact_names_write(&m->spool->names, m->store->folder, &m->entry, err)) return false;
    author.version = m->entry.version;
    author.time = m->entry.time;
    catalogue_write_reading(&members, &m->entry, m->replaces, m->replace_count, &author);
    bool fine = store_append(m->store, bytes_of(members.p, members.n), &author, err);
    text_deinit(&members);
    return fine;
}

void making_deinit(struct making *m)
{
    for (size_t i = 0; i < m->entry.segment_count; i++)
        memory_free((char *)m->entry.segments[i].path);
    memory_free(m->entry.segments);
    memory_free(m->entry.captures);
    catalogue_free_extents(&m->entry);
    memory_free(m->replaces);
}

static bool commit_to_disk(struct store *s, const struct reading *reading, bool again,
                           struct err *err)
{
    struct making m = {.store = s, .spool = &s->spool};
    bool was_unswept = s->unswept;
    if (again) m.replaces = readings_replaced(s, reading, &m.replace_count);
    making_describe(&m, reading);
    for (size_t i = 0; i < m.replace_count; i++)
        extents_carry(catalogue_reading_of(&s->catalogue, m.replaces[i]), &m.entry);
    bool fine = making_write(&m, err) && making_publish(&m, err);
    s->unswept = s->unswept || fine; // until an entry names the bodies
    fine = fine && artifacts_commit(&s->artifacts, err) &&
           extents_commit(&s->extents, &m.entry, err) && making_append(&m, err);
    if (fine) s->unswept = was_unswept;
    bool replaced = m.replace_count > 0;
    making_deinit(&m);
    if (fine && replaced) store_sweep(s, true);
    return fine;
}

bool store_commit(struct store *s, const struct reading *reading, bool again, struct err *err)
{
    bool fine = true;
    assert(!s->collecting.is_active);
    if (s->spool.error) fine = err_system(err, s->spool.error, "cannot write records");
    if (fine && again) fine = store_may_replace(s, reading, err);
    if (fine && s->folder) fine = commit_to_disk(s, reading, again, err);
    if (!fine) {
        store_abort(s);
        return err_in(err, "case %s: nothing was added", s->folder ? s->folder : "in memory");
    }
    store_mark(s, NULL, 0);
    s->committed = s->spool.entry_count;
    if (s->folder) {
        spool_cut(&s->spool, 0);
        s->committed = 0;
    }
    return true;
}

void store_abort(struct store *s)
{
    store_mark(s, NULL, 0);
    spool_cut(&s->spool, s->committed);
    artifacts_abort(&s->artifacts);
    extents_abort(&s->extents);
    if (s->folder) store_sweep(s, s->unswept);
}

uint64_t store_next_reading(const struct store *s)
{
    return s->folder ? s->catalogue.chain.seq + 1 : 0;
}

void store_mark(struct store *s, const struct reading_position *positions, size_t count)
{
    s->positions = positions;
    s->position_count = count;
}

bool store_position(const struct store *s, const char *input, uint64_t *next)
{
    const struct reading_position *p = positions_of(&s->collecting.about.positions, input);
    if (!p) p = positions_of(&s->collecting.waiting_about.positions, input);
    if (!p) p = positions_of(&s->catalogue.positions, input);
    if (p) *next = p->next;
    return p != NULL;
}

bool store_has_size(const struct store *s, uint64_t capture_bytes)
{
    const struct catalogue_reading *r = NULL;
    while ((r = catalogue_next(&s->catalogue, r)))
        for (size_t i = 0; i < r->capture_count; i++)
            if (r->captures[i].bytes == capture_bytes) return true;
    return false;
}
