#include "store/case.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/case_inside.h"
#include "store/functions.h"
#include "store/observed.h"
#include "store/schema.h"
#include "store/spool_table.h"
#include "store/store_inside.h"
#include "store/tail.h"

enum { OPENINGS_TRIED_MAX = 100 };

static struct case_reader *reader_create(const char *named, const struct record_kind *const *kinds,
                                         unsigned kind_count)
{
    struct case_reader *c = memory_get(sizeof *c);
    c->lease.file = c->file = -1;
    c->kinds = kinds;
    c->kind_count = kind_count;
    c->named = text_copy(named);
    c->raw = memory_get(kind_count * sizeof *c->raw);
    c->shown = memory_get(kind_count * sizeof *c->shown);
    c->asked_for = memory_get(kind_count * sizeof *c->asked_for);
    c->sought = memory_get(kind_count * sizeof *c->sought);
    return c;
}

// The rows that no segment has yet, as far as they are whole. A writer may make segments of them
// and remove the file meanwhile: then the log has grown.
static bool load_tails(struct case_reader *c, struct err *err)
{
    size_t count;
    bool fine = true;
    uint64_t *numbers = tail_list(c->folder, &c->catalogue, &count);
    spool_deinit(&c->tail);
    spool_init_empty(&c->tail, c->kinds, c->kind_count);
    for (size_t i = 0; fine && i < count; i++)
        fine = tail_load(&c->tail, c->folder, numbers[i], NULL, err);
    memory_free(numbers);
    c->spool = &c->tail;
    c->spool_entries = c->tail.entry_count;
    return fine;
}

// Reads the log and holds what it names. A writer may append, and remove what that entry replaces,
// between the two: then the log has grown, and the reading starts again.
static bool hold_generation(struct case_reader *c, struct err *err)
{
    if (!catalogue_read(&c->catalogue, c->folder, err)) return false;
    for (int i = 0; i < OPENINGS_TRIED_MAX; i++) {
        uint64_t generation = c->catalogue.chain.seq;
        lease_hold(&c->lease, generation);
        bool loaded = load_tails(c, err);
        if (!catalogue_refresh(&c->catalogue, c->folder, err)) return false;
        if (c->catalogue.chain.seq == generation) return loaded;
        lease_drop(&c->lease, generation);
    }
    return err_set(err, ERR_MACHINE, "case %s changes faster than it can be read", c->named);
}

static bool name_for_duckdb(struct case_reader *c, struct err *err)
{
    struct text path = {0};
    text_add(&path, c->folder);
    bool pattern = strpbrk(c->folder, "*?[") != NULL;
    if (pattern) {
        c->file = open(c->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        text_clear(&path);
        text_format(&path, "/proc/self/fd/%d", c->file);
    }
    c->asked = path.p;
    return !pattern || c->file >= 0 || err_system(err, errno, "cannot open the case %s", c->named);
}

static bool find_folder(struct case_reader *c, struct err *err)
{
    struct stat st;
    c->folder = realpath(c->named, NULL);
    if (!c->folder) {
        if (errno == ENOENT)
            return err_set(err, ERR_INPUT, "there is no case %s: make it with weir read FILE -w %s",
                           c->named, c->named);
        return err_system(err, errno, "cannot open the case %s", c->named);
    }
    struct text path = {0};
    text_format(&path, "%s/" CASE_LOG, c->folder);
    bool is_case = stat(path.p, &st) == 0 && S_ISREG(st.st_mode);
    text_deinit(&path);
    if (!is_case)
        return err_set(err, ERR_INPUT,
                       "%s is not a case: it has no " CASE_LOG
                       "; name a folder that weir read made",
                       c->named);
    return name_for_duckdb(c, err);
}

struct case_reader *case_open(const char *path, const struct record_kind *const *kinds,
                              unsigned kind_count, struct err *err)
{
    struct case_reader *c = reader_create(path, kinds, kind_count);
    if (find_folder(c, err)) {
        lease_read(&c->lease, c->folder);
        if (hold_generation(c, err)) return c;
    }
    case_close(c);
    return NULL;
}

struct case_reader *case_of_store(struct store *s, struct err *err)
{
    if (s->folder) return case_open(s->folder, s->spool.kinds, s->spool.kind_count, err);
    struct case_reader *c = reader_create("memory", s->spool.kinds, s->spool.kind_count);
    c->spool = &s->spool;
    c->spool_entries = s->committed;
    return c;
}

void case_close(struct case_reader *c)
{
    if (!c) return;
    case_forget_database(c);
    if (c->export_folder) rmdir(c->export_folder);
    if (c->spill_folder) rmdir(c->spill_folder);
    memory_free(c->export_folder);
    memory_free(c->spill_folder);
    catalogue_deinit(&c->catalogue);
    spool_deinit(&c->tail);
    lease_end(&c->lease);
    if (c->file >= 0) close(c->file);
    memory_free(c->folder);
    memory_free(c->named);
    memory_free(c->asked);
    memory_free(c->raw);
    memory_free(c->shown);
    memory_free(c->asked_for);
    memory_free(c->sought);
    memory_free(c);
}

const struct catalogue *case_catalogue(const struct case_reader *c)
{
    return &c->catalogue;
}

const char *case_head(const struct case_reader *c, uint64_t *seq)
{
    if (seq) *seq = c->catalogue.chain.seq;
    return c->catalogue.chain.head;
}

const char *case_path(const struct case_reader *c)
{
    return c->folder;
}

const struct record_kind *const *case_kinds(const struct case_reader *c, unsigned *count)
{
    *count = c->kind_count;
    return c->kinds;
}

const struct record_kind *case_kind(const struct case_reader *c, const char *name)
{
    for (unsigned i = 0; i < c->kind_count; i++)
        if (strcmp(c->kinds[i]->name, name) == 0) return c->kinds[i];
    return NULL;
}

void case_narrow(struct case_reader *c, uint64_t reading)
{
    if (c->only == reading) return;
    case_forget_database(c);
    c->only = reading;
}

const struct catalogue_reading *case_next_asked(const struct case_reader *c,
                                                const struct catalogue_reading *after)
{
    const struct catalogue_reading *r = after;
    while ((r = catalogue_next(&c->catalogue, r)))
        if (!c->only || c->only == r->seq) return r;
    return NULL;
}

// Rows in the spool are of no reading yet.
static uint64_t spooled_rows(const struct case_reader *c, const struct record_kind *kind)
{
    uint64_t rows = 0;
    for (size_t i = 0; !c->only && i < c->spool_entries; i++)
        if (c->kinds[c->spool->entries[i].kind] == kind) rows += c->spool->entries[i].rows;
    return rows;
}

uint64_t case_rows(const struct case_reader *c, const struct record_kind *kind)
{
    uint64_t rows = spooled_rows(c, kind);
    for (const struct catalogue_reading *r = NULL; (r = case_next_asked(c, r));)
        for (size_t i = 0; i < r->segment_count; i++)
            if (strcmp(r->segments[i].kind, kind->name) == 0) rows += r->segments[i].rows;
    return rows;
}

void case_interrupt(struct case_reader *c)
{
    if (c->opened) duck.interrupt(c->database.connection);
}

// ---- the database -------------------------------------------------------------------------------

static void put_folder(struct text *sql, const char *folder, const char *below)
{
    struct text path = {0};
    if (!folder) return;
    text_format(&path, "%s%s", folder, below);
    sql_literal(sql, path.p);
    text_deinit(&path);
}

// User SQL may read the segments and nothing else, and cannot change that. Footers are parsed once;
// pages are read once, and the system keeps them anyway.
static bool fence(struct case_reader *c, struct err *err)
{
    struct text sql = {0};
    text_add(&sql, "SET parquet_metadata_cache=true; SET enable_external_file_cache=false; "
                   "SET allowed_directories=[");
    put_folder(&sql, c->asked, "/records/");
    if (c->folder && c->export_folder) text_add(&sql, ", ");
    put_folder(&sql, c->export_folder, "/");
    text_add(&sql, "]; SET enable_external_access=false; SET lock_configuration=true");
    bool fine = database_run(&c->database, sql.p, err);
    text_deinit(&sql);
    return fine;
}

char *case_make_folder(struct err *err)
{
    const char *folder = getenv("TMPDIR");
    struct text path = {0};
    text_format(&path, "%s/weir-XXXXXX", folder && folder[0] == '/' ? folder : "/tmp");
    if (mkdtemp(path.p)) return path.p;
    err_system(err, errno, "cannot make a temporary folder %s", path.p);
    text_deinit(&path);
    return NULL;
}

void case_forget_database(struct case_reader *c)
{
    if (c->opened) database_close(&c->database);
    c->opened = false;
    for (unsigned i = 0; i < c->kind_count; i++)
        c->raw[i] = c->shown[i] = c->asked_for[i] = c->sought[i] = false;
}

bool case_need_database(struct case_reader *c, struct err *err)
{
    const struct database_options options = {
        .threads = CASE_THREADS, .memory_mb = CASE_MEMORY_MB, .temporary = c->spill_folder};
    if (c->opened) return true;
    if (!database_open(&c->database, &options, err)) return false;
    bool fine = functions_register(&c->database, err);
    if (fine && c->spool) fine = spool_table_register(&c->database, c->spool, err);
    fine = fine && database_run(&c->database, "CREATE SCHEMA raw", err) && fence(c, err);
    if (!fine) database_close(&c->database);
    c->opened = fine;
    return fine;
}

bool case_put_segments(const struct case_reader *c, const struct record_kind *kind,
                       struct text *source, uint64_t *with)
{
    unsigned n = 0;
    for (const struct catalogue_reading *r = NULL; (r = case_next_asked(c, r));)
        for (size_t i = 0; i < r->segment_count; i++) {
            struct text path = {0};
            if (strcmp(r->segments[i].kind, kind->name) != 0) continue;
            text_format(&path, "%s/%s", c->asked, r->segments[i].path);
            text_add(source, n++ ? ", " : "read_parquet([");
            sql_literal(source, path.p);
            *with |= r->segments[i].with;
            text_deinit(&path);
        }
    text_add(source, "], union_by_name=true)");
    return n > 0;
}

void case_put_spooled(const struct case_reader *c, const struct record_kind *kind,
                      struct text *view)
{
    if (!spooled_rows(c, kind)) return;
    text_format(view, " UNION ALL SELECT * FROM weir_spool('%s', 0, %zu)", kind->name,
                c->spool_entries);
}

bool case_need_raw(struct case_reader *c, unsigned kind, struct err *err)
{
    struct text source = {0}, sql = {0};
    uint64_t with = 0;
    if (!case_need_database(c, err)) return false;
    if (c->raw[kind] && !c->sought[kind]) return true;
    bool some = case_put_segments(c, c->kinds[kind], &source, &with);
    schema_raw_view(&sql, c->kinds[kind], some ? source.p : NULL, with);
    case_put_spooled(c, c->kinds[kind], &sql);
    c->raw[kind] = database_run(&c->database, sql.p, err);
    c->sought[kind] = false;
    text_deinit(&source);
    text_deinit(&sql);
    return c->raw[kind] || err_in(err, "case %s: %s", c->named, c->kinds[kind]->name);
}

bool case_need_shown(struct case_reader *c, unsigned kind, struct err *err)
{
    struct text sql = {0};
    if (!case_need_raw(c, kind, err)) return false;
    if (c->shown[kind]) return true;
    schema_view(&sql, c->kinds[kind]);
    c->shown[kind] = database_run(&c->database, sql.p, err);
    text_deinit(&sql);
    return c->shown[kind];
}

// What several points saw may be more than memory holds: the database opens again with a folder for
// it, and with the views that it had.
static bool open_spill(struct case_reader *c, struct err *err)
{
    bool fine = true;
    if (c->spill_folder) return true;
    c->spill_folder = case_make_folder(NULL);
    if (!c->spill_folder) return true; // memory may do
    bool *shown = memory_get(c->kind_count * sizeof *shown);
    memcpy(shown, c->shown, c->kind_count * sizeof *shown);
    case_forget_database(c);
    for (unsigned i = 0; fine && i < c->kind_count; i++)
        fine = !shown[i] || case_need_shown(c, i, err);
    memory_free(shown);
    return fine;
}

// What DuckDB cannot put into that folder must fit into memory (docs/formats/observations.md).
static bool make_observed(struct case_reader *c, struct err *err)
{
    if (observed_make(&c->database, err)) return true;
    if (!err || !strstr(err->text, "Out of Memory")) return false;
    return err_set(
        err, ERR_MACHINE,
        "too many flows were seen by several points to tell which count once; ask of one "
        "point, without \"once\" and \"link\"");
}

// The plain view takes another name, and one over it its place.
bool case_need_asked(struct case_reader *c, unsigned kind, struct err *err)
{
    const struct record_kind *k = c->kinds[kind];
    struct text sql = {0};
    if (c->asked_for[kind] || !kind_asked_fields(k)) return case_need_raw(c, kind, err);
    if (!open_spill(c, err) || !case_need_raw(c, kind, err)) return false;
    text_format(&sql, "ALTER VIEW raw.%s RENAME TO %s_told", k->name, k->name);
    bool fine = database_run(&c->database, sql.p, err) && make_observed(c, err);
    text_clear(&sql);
    schema_raw_view(&sql, k, observed_source(), CASE_ALL_FIELDS);
    c->asked_for[kind] = fine && database_run(&c->database, sql.p, err);
    text_deinit(&sql);
    return c->asked_for[kind] || err_in(err, "case %s: %s", c->named, k->name);
}
