#include "store/check.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/artifact.h"
#include "store/case_inside.h"
#include "store/segment.h"

enum { CHECK_PATH_MAX = 4096 };

struct check {
    struct case_reader *reader;
    const struct case_checking *checking;
    struct case_checked *checked;
    unsigned field; // of the kind whose artifacts are looked for
};

static void join(char path[CHECK_PATH_MAX], const char *folder, const char *name)
{
    snprintf(path, CHECK_PATH_MAX, "%.3000s/%.1000s", folder, name);
}

static void found(struct check *c, const char *path, const char *what)
{
    c->checked->found++;
    c->checking->found(c->checking->context, path, what);
}

// Compares a file with the hash it should have; its size if it can be read, 0 otherwise.
static uint64_t check_file(struct check *c, const char *below, const char *sha256)
{
    char path[CHECK_PATH_MAX], hash[HEX_SHA256_SIZE];
    uint64_t size = 0;
    join(path, c->reader->folder, below);
    if (access(path, F_OK) != 0) found(c, below, "is missing");
    else if (!segment_hash(path, hash, &size, NULL)) found(c, below, "cannot be read");
    else if (strcmp(hash, sha256) != 0) found(c, below, "was changed");
    c->checked->bytes += size;
    return size;
}

static void check_segments(struct check *c)
{
    const struct catalogue *catalogue = &c->reader->catalogue;
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(catalogue, r));)
        for (size_t i = 0; i < r->segment_count; i++) {
            check_file(c, r->segments[i].path, r->segments[i].sha256);
            c->checked->segments++;
        }
}

// Calls `each` for every name in a folder below the case.
typedef void each_name(struct check *c, const char *below, const char *name);

static void each(struct check *c, const char *below, each_name *call)
{
    char path[CHECK_PATH_MAX];
    join(path, c->reader->folder, below);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') call(c, below, e->d_name);
    if (d) closedir(d);
}

static bool is_named(const struct catalogue *c, const char *path)
{
    for (size_t i = 0; i < c->reading_count; i++)
        for (size_t k = 0; k < c->readings[i].segment_count; k++)
            if (strcmp(c->readings[i].segments[k].path, path) == 0) return true;
    return false;
}

// The number of the entry that names a segment begins its name: what is newer than our view of the
// log is being committed just now.
static void check_stranger(struct check *c, const char *below, const char *name)
{
    char path[CHECK_PATH_MAX];
    unsigned long long seq = 0;
    join(path, below, name);
    if (is_named(&c->reader->catalogue, path)) return;
    if (sscanf(name, "%8llu-", &seq) == 1 && seq > c->reader->catalogue.chain.seq) return;
    found(c, path, "is not named by the log");
}

static void check_kind_folder(struct check *c, const char *below, const char *name)
{
    char path[CHECK_PATH_MAX];
    join(path, below, name);
    each(c, path, check_stranger);
}

static void check_artifact(struct check *c, const char *below, const char *name)
{
    char path[CHECK_PATH_MAX];
    join(path, below, name);
    check_file(c, path, name);
    c->checked->artifacts++;
}

static void check_artifact_folder(struct check *c, const char *below, const char *name)
{
    char path[CHECK_PATH_MAX];
    join(path, below, name);
    each(c, path, check_artifact);
}

// ---- artifacts that records name ----------------------------------------------------------------

static bool check_named(void *context, const struct record_batch *batch)
{
    struct check *c = context;
    char below[ARTIFACT_PATH_MAX], path[CHECK_PATH_MAX];
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (!batch_has(batch, c->field, row)) continue;
        bytes hash = batch_get_bytes(batch, c->field, row);
        if (hash.n != SHA256_SIZE) continue;
        artifact_path(below, hash.p);
        join(path, c->reader->folder, below);
        if (access(path, F_OK) != 0) found(c, below, "is missing");
    }
    return true;
}

static bool check_kind(struct check *c, const struct record_kind *kind, struct err *err)
{
    int field = kind_field(kind, bytes_text("artifact"));
    if (field < 0 || kind->fields[field].type != FIELD_HASH) return true;
    c->field = (unsigned)field;
    const struct case_scan scan = {kind, UINT64_C(1) << field, NULL, check_named, c};
    return case_scan(c->reader, &scan, err);
}

bool case_check(struct case_reader *c, const struct case_checking *checking,
                struct case_checked *checked, struct err *err)
{
    struct check check = {c, checking, checked, 0};
    *checked = (struct case_checked){0};
    if (!c->folder) return true;
    check_segments(&check);
    each(&check, "records", check_kind_folder);
    each(&check, "artifacts", check_artifact_folder);
    // Records can be read only where the segments are what they were.
    for (unsigned i = 0; checked->found == 0 && i < c->kind_count; i++)
        if (!check_kind(&check, c->kinds[i], err)) return false;
    return true;
}
