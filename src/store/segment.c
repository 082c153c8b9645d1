#include "store/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/lease.h"
#include "store/segment_rows.h"

enum {
    SEGMENT_PATH_MAX = 4096,
    // DuckDB holds a row group in memory until it is full: small ones keep a commit below what
    // reading takes.
    ROW_GROUP_SMALL = 4096,
    ROW_GROUP_LARGE = 61440
};
enum {
    LARGE_ROWS = 100000,
    DICTIONARY_MIN = 16,
    DICTIONARY_SMALL = 2048,
    DICTIONARY_LARGE = 16384
};

bool segment_range(const struct spool *s, unsigned kind, size_t from,
                   struct catalogue_segment *segment, size_t *to)
{
    uint64_t start = 0, rows = 0;
    size_t i = from;
    segment->first = INT64_MAX;
    segment->last = INT64_MIN;
    segment->with = disputes_fields(&s->disputes, s->kinds[kind]);
    for (; i < s->entry_count; i++) {
        const struct spool_entry *e = &s->entries[i];
        if (e->kind != kind) continue;
        if (rows == 0) start = e->offset;
        if (rows && (rows + e->rows > SEGMENT_ROWS_MAX || e->offset - start > SEGMENT_SPOOL_MAX))
            break;
        rows += e->rows;
        segment->with |= e->present;
        if (e->first < segment->first) segment->first = e->first;
        if (e->last > segment->last) segment->last = e->last;
    }
    if (!segment->with) segment->with = 1; // a file must have a column
    segment->rows = rows;
    *to = i;
    return rows > 0;
}

static void path_of(char path[SEGMENT_PATH_MAX], const char *folder, const char *below)
{
    snprintf(path, SEGMENT_PATH_MAX, "%s/%s", folder, below);
}

// "records/dns/00000002-0001.parquet" to "records/dns/.00000002-0001.parquet".
static void hidden_path_of(char path[SEGMENT_PATH_MAX], const char *folder, const char *below)
{
    const char *name = strrchr(below, '/') + 1;
    snprintf(path, SEGMENT_PATH_MAX, "%s/%.*s.%s", folder, (int)(name - below), below, name);
}

bool segment_hash(const char *path, char sha256[HEX_SHA256_SIZE], uint64_t *size, struct err *err)
{
    uint8_t digest[SHA256_SIZE];
    if (!file_sha256(path, digest, size, err)) return false;
    hex_format(sha256, bytes_of(digest, sizeof digest));
    return true;
}

// Columns that fit a dictionary get bloom filters too, so that a segment without an address is not
// read. But DuckDB makes room for a whole dictionary in each column at once: 4 MB for 100000
// entries. Small segments need neither.
static unsigned dictionary_limit(uint64_t rows)
{
    if (rows >= LARGE_ROWS) return DICTIONARY_LARGE;
    if (rows >= DICTIONARY_SMALL) return DICTIONARY_SMALL;
    return rows < DICTIONARY_MIN ? DICTIONARY_MIN : (unsigned)rows;
}

// `rows` is at most how many there are.
static void put_copy(struct text *sql, uint64_t rows, const char *path, const char *select)
{
    text_format(sql, "COPY (%s) TO ", select);
    sql_literal(sql, path);
    text_format(sql,
                " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %u, DICTIONARY_SIZE_LIMIT %u)",
                rows < LARGE_ROWS ? ROW_GROUP_SMALL : ROW_GROUP_LARGE, dictionary_limit(rows));
}

// The hidden name under which it is written, in a folder that is there.
static bool make_place(char path[SEGMENT_PATH_MAX], const char *folder,
                       const struct catalogue_segment *segment, struct err *err)
{
    snprintf(path, SEGMENT_PATH_MAX, "%s/records/%s", folder, segment->kind);
    if (!folder_make(path, err)) return false;
    hidden_path_of(path, folder, segment->path);
    return true;
}

bool segment_write(struct spool *s, unsigned kind, const char *folder,
                   struct catalogue_segment *segment, size_t from, size_t to, struct err *err)
{
    char path[SEGMENT_PATH_MAX];
    const struct segment_rows rows = {s, kind, from, to, segment->with};
    return make_place(path, folder, segment, err) &&
           segment_rows_write(&rows, path, segment->sha256, &segment->bytes, err);
}

// COPY gives one row, with the number of rows that it wrote.
static bool run_copy(struct database *d, const char *sql, uint64_t *rows, struct err *err)
{
    struct duck_result result;
    if (duck.query(d->connection, sql, &result)) return database_fail(&result, err);
    struct duck_chunk *chunk = duck.fetch_chunk(result);
    if (chunk) {
        *rows = *(const uint64_t *)duck.vector_get_data(duck.data_chunk_get_vector(chunk, 0));
        duck.destroy_data_chunk(&chunk);
    }
    duck.destroy_result(&result);
    return true;
}

bool segment_write_select(struct database *d, const char *folder, struct catalogue_segment *segment,
                          const char *select, struct err *err)
{
    char path[SEGMENT_PATH_MAX];
    struct text sql = {0};
    if (!make_place(path, folder, segment, err)) return false;
    put_copy(&sql, segment->rows, path, select);
    bool fine = run_copy(d, sql.p, &segment->rows, err);
    text_deinit(&sql);
    return fine && segment_hash(path, segment->sha256, &segment->bytes, err);
}

void segment_drop(const char *folder, const struct catalogue_segment *segment)
{
    char path[SEGMENT_PATH_MAX];
    hidden_path_of(path, folder, segment->path);
    unlink(path);
}

// Each step is done for all files before the next: then the file system commits once for all, not
// once for each.
typedef bool publish_step(const char *hidden, char *path, struct err *err);

static bool start_writing(const char *hidden, char *path, struct err *err)
{
    (void)path, (void)err;
    int file = open(hidden, O_RDONLY | O_CLOEXEC);
    if (file < 0) return true;
    // Only a hint; sync_file tells what fails.
    sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
    close(file);
    return true;
}

static bool sync_segment(const char *hidden, char *path, struct err *err)
{
    (void)path;
    return file_sync(hidden, err);
}

static bool give_name(const char *hidden, char *path, struct err *err)
{
    return rename(hidden, path) == 0 || err_system(err, errno, "cannot rename %s", hidden);
}

static bool sync_folder(const char *hidden, char *path, struct err *err)
{
    (void)hidden;
    *strrchr(path, '/') = 0;
    return file_sync(path, err);
}

bool segment_publish(const char *folder, const struct catalogue_segment *segments, size_t count,
                     struct err *err)
{
    static publish_step *const steps[] = {start_writing, sync_segment, give_name, sync_folder};
    char hidden[SEGMENT_PATH_MAX], path[SEGMENT_PATH_MAX];
    for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
        for (size_t i = 0; i < count; i++) {
            hidden_path_of(hidden, folder, segments[i].path);
            path_of(path, folder, segments[i].path);
            if (!steps[step](hidden, path, err)) return false;
        }
    return true;
}

// ---- sweeping -----------------------------------------------------------------------------------

// The line that took a file out of the case; UINT64_MAX while it counts, 0 when it never did.
static uint64_t removed_by(const struct catalogue *c, const char *below)
{
    for (size_t k = 0; k < c->reading_count; k++)
        for (size_t i = 0; i < c->readings[k].segment_count; i++)
            if (strcmp(c->readings[k].segments[i].path, below) == 0)
                return c->readings[k].replaced_by ? c->readings[k].replaced_by : UINT64_MAX;
    for (size_t i = 0; i < c->former_count; i++)
        if (strcmp(c->former[i].path, below) == 0) return c->former[i].removed_by;
    return 0;
}

static bool is_needed(const struct catalogue *c, const struct lease *lease, const char *below)
{
    uint64_t by = removed_by(c, below);
    return by == UINT64_MAX || (by && lease_is_read_below(lease, by));
}

static void sweep_kind(const char *folder, const char *kind, const struct catalogue *c,
                       const struct lease *lease)
{
    char below[SEGMENT_PATH_MAX], path[2 * SEGMENT_PATH_MAX];
    snprintf(path, sizeof path, "%s/records/%s", folder, kind);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        snprintf(below, sizeof below, "records/%.255s/%s", kind, e->d_name);
        if (is_needed(c, lease, below)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, below);
        unlink(path);
    }
    if (d) closedir(d);
}

void segment_sweep(const char *folder, const struct catalogue *c, const struct lease *lease)
{
    char path[SEGMENT_PATH_MAX];
    path_of(path, folder, "records");
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') sweep_kind(folder, e->d_name, c, lease);
    if (d) closedir(d);
}
