#include "store/check.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/artifact.h"
#include "store/artifact_names.h"
#include "store/case_inside.h"
#include "store/ngrams.h"
#include "store/segment.h"
#include "store/tail.h"

// A file that the log names.
struct expected {
    const char *path; // below the case; of the catalogue or of key_paths
    char sha256[HEX_SHA256_SIZE];
    uint64_t line;
    bool former; // of a reading that is replaced: may be there until nobody reads it any more
    bool seen;
};

// An artifact that is there.
struct present {
    uint8_t name[SHA256_SIZE];
    bool changed;
};

struct check {
    struct case_reader *reader;
    const struct log_checked *log;
    const struct finding_sink *findings;
    struct case_checked *checked;
    struct expected *expected; // by path
    size_t expected_count, expected_size;
    char key_paths[LOG_KEYS_MAX][KEY_PATH_MAX];
    struct present *artifacts;
    size_t artifact_count, artifact_size;
    enum lease_state writer;
    bool names_broken; // which artifacts are named is not known
};

static void found(struct check *c, bool changed, const char *subject, const char *what,
                  uint64_t line)
{
    const struct finding finding = {.changed = changed,
                                    .subject = subject,
                                    .what = what,
                                    .line = line,
                                    .time = line && line <= c->log->lines ? c->log->times[line - 1]
                                                                          : 0};
    c->findings->take(c->findings->context, &finding);
}

// ---- what should be there -----------------------------------------------------------------------

static struct expected *expect(struct check *c, const char *path, const char *sha256, uint64_t line)
{
    if (c->expected_count == c->expected_size) {
        c->expected_size = c->expected_size ? 2 * c->expected_size : 64;
        c->expected = memory_resize(c->expected, c->expected_size * sizeof *c->expected);
    }
    struct expected *e = &c->expected[c->expected_count++];
    *e = (struct expected){.path = path, .line = line};
    snprintf(e->sha256, sizeof e->sha256, "%s", sha256);
    return e;
}

static void expect_reading(struct check *c, const struct catalogue_reading *r)
{
    bool former = r->replaced_by != 0;
    for (size_t i = 0; i < r->segment_count; i++)
        expect(c, r->segments[i].path, r->segments[i].sha256, r->segments[i].seq)->former = former;
    for (size_t i = 0; i < r->extent_count; i++) {
        const struct catalogue_extent *e = &r->extents[i];
        bool is_gone = former || e->removed_by;
        expect(c, e->path, e->sha256, e->line)->former = is_gone;
        c->checked->extents += !is_gone;
    }
    if (*r->names.path) expect(c, r->names.path, r->names.sha256, r->line)->former = former;
    c->checked->segments += former ? 0 : r->segment_count;
}

// The name and the content of a key's file follow from the key.
static void expect_key(struct check *c, const struct log_key *key, char path[KEY_PATH_MAX])
{
    char hex[HEX_SHA256_SIZE];
    uint8_t digest[SHA256_SIZE];
    struct text content = {0};
    key_path(path, key->key);
    public_key_text(&content, key->key);
    sha256_of(bytes_of(content.p, content.n), digest);
    hex_format(hex, bytes_of(digest, sizeof digest));
    expect(c, path, hex, key->first);
    text_deinit(&content);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct expected *)a)->path, ((const struct expected *)b)->path);
}

// Packets that a reading kept stay when it is replaced: then two readings name them.
static void merge_expected(struct check *c)
{
    size_t kept = 0;
    for (size_t i = 1; i < c->expected_count; i++) {
        struct expected *last = &c->expected[kept], *next = &c->expected[i];
        if (strcmp(last->path, next->path) != 0) c->expected[++kept] = *next;
        else {
            last->former = last->former && next->former;
            if (next->line < last->line) last->line = next->line;
        }
    }
    if (c->expected_count) c->expected_count = kept + 1;
}

static void expect_all(struct check *c)
{
    const struct catalogue *catalogue = &c->reader->catalogue;
    for (size_t i = 0; i < catalogue->reading_count; i++)
        expect_reading(c, &catalogue->readings[i]);
    for (size_t i = 0; i < catalogue->former_count; i++)
        expect(c, catalogue->former[i].path, catalogue->former[i].sha256, catalogue->former[i].seq)
            ->former = true;
    for (unsigned i = 0; i < c->log->key_count; i++)
        expect_key(c, &c->log->keys[i], c->key_paths[i]);
    if (c->expected_count) qsort(c->expected, c->expected_count, sizeof *c->expected, by_path);
    merge_expected(c);
}

static struct expected *expected_at(const struct check *c, const char *path)
{
    size_t low = 0, high = c->expected_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(c->expected[middle].path, path);
        if (order == 0) return &c->expected[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

// ---- what is there ------------------------------------------------------------------------------

static bool hash_file(struct check *c, const char *path, const char *below, uint64_t line,
                      char hash[HEX_SHA256_SIZE])
{
    struct err why = {0};
    uint64_t size = 0;
    bool fine = segment_hash(path, hash, &size, &why);
    if (!fine) found(c, false, below, "cannot be read", line);
    c->checked->bytes += size;
    return fine;
}

static void note_broken(struct check *c, const struct expected *e)
{
    bool list = strncmp(e->path, "artifacts/", 10) == 0;
    bool segment = strncmp(e->path, "records/", 8) == 0;
    if (list || (segment && !artifact_names_are_listed(c->reader))) c->names_broken = true;
}

static void check_expected(struct check *c, struct expected *e, const char *path)
{
    char hash[HEX_SHA256_SIZE];
    e->seen = true;
    if (!hash_file(c, path, e->path, e->line, hash)) return;
    if (strcmp(hash, e->sha256) == 0) return;
    found(c, true, e->path, "was changed", e->line);
    note_broken(c, e);
}

// "artifacts/ab/abcdef...", of the bytes that its name says.
static bool is_artifact(const char *below, uint8_t hash[SHA256_SIZE])
{
    char expected[ARTIFACT_PATH_MAX];
    const char *name = strrchr(below, '/');
    if (!name || strlen(name + 1) != 2 * SHA256_SIZE ||
        !hex_parse(bytes_text(name + 1), hash, SHA256_SIZE))
        return false;
    artifact_path(expected, hash);
    return strcmp(expected, below) == 0;
}

static void check_artifact(struct check *c, const char *path, const char *below,
                           const uint8_t name[SHA256_SIZE])
{
    char hash[HEX_SHA256_SIZE];
    if (c->artifact_count == c->artifact_size) {
        c->artifact_size = c->artifact_size ? 2 * c->artifact_size : 256;
        c->artifacts = memory_resize(c->artifacts, c->artifact_size * sizeof *c->artifacts);
    }
    struct present *p = &c->artifacts[c->artifact_count++];
    *p = (struct present){.changed = false};
    memcpy(p->name, name, SHA256_SIZE);
    c->checked->artifacts++;
    if (hash_file(c, path, below, 0, hash)) p->changed = strcmp(hash, strrchr(below, '/') + 1) != 0;
}

// What a writer makes before the log names it.
static bool is_half_written(const struct check *c, const char *below)
{
    unsigned long long line = 0;
    const char *name = strrchr(below, '/');
    uint8_t hash[SHA256_SIZE];
    if (!name) return false;
    if (is_artifact(below, hash)) return true;
    if (sscanf(below, "artifacts/%8llu.names", &line) == 1)
        return line > c->reader->catalogue.chain.seq;
    if (strncmp(below, "artifacts/.new/", 15) == 0 || strncmp(below, "packets/.new/", 13) == 0)
        return true;
    if (strncmp(below, "records/", 8) && strncmp(below, "packets/", 8) &&
        strncmp(below, "keys/", 5) && strncmp(below, "tail/", 5))
        return false;
    return name[1] == '.' ||
           (sscanf(name + 1, "%8llu-", &line) == 1 && line > c->reader->catalogue.chain.seq);
}

static void check_stranger(struct check *c, const char *below, const char *what)
{
    bool half = is_half_written(c, below);
    if (half && c->writer == LEASE_HELD) c->checked->is_written = true;
    else if (half && c->writer == LEASE_LEFT)
        found(c, false, below,
              "is not part of the case: a writer that was stopped left it, and the next one "
              "removes it",
              0);
    else found(c, true, below, what, 0);
}

// Rows that are in no segment yet are in no line of the log either: nobody has signed them.
static void check_tail(struct check *c, const char *below)
{
    const struct case_reader *reader = c->reader;
    c->checked->tail_rows = reader->tail.rows;
    if (c->writer == LEASE_HELD) return;
    found(c, false, below,
          tail_number(below) > reader->catalogue.tail_taken
              ? "has records that are in no segment yet: a writer that was stopped left them, not "
                "signed, and the next one makes segments of them"
              : "is left by a writer that was stopped when its records were in segments, and the "
                "next one removes it",
          0);
}

static void check_file(struct check *c, const char *path, const char *below)
{
    uint8_t hash[SHA256_SIZE];
    struct expected *e = expected_at(c, below);
    if (strcmp(below, CASE_LOG) == 0 || strcmp(below, "lock") == 0 || ngrams_is_path(below)) return;
    if (bytes_start_with(bytes_text(below), CASE_TEMPLATES) ||
        bytes_start_with(bytes_text(below), CASE_EXPORTERS "/.templates."))
        return;
    if (e) check_expected(c, e, path);
    else if (tail_number(below)) check_tail(c, below);
    else if (is_artifact(below, hash)) check_artifact(c, path, below, hash);
    else check_stranger(c, below, "is not named by the log");
}

// Folders say nothing; but one that no writer makes was put in.
static void check_folder(struct check *c, const char *below)
{
    static const char *const ours[] = {"log",  "keys",    "cache",     CASE_EXPORTERS,
                                       "tail", "records", "artifacts", "packets"};
    const char *slash = strchr(below, '/');
    size_t n = slash ? (size_t)(slash - below) : strlen(below);
    bool known = false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strlen(ours[i]) == n && memcmp(ours[i], below, n) == 0) known = !slash || i >= 5;
    if (slash && strchr(slash + 1, '/')) known = false;
    if (!known) found(c, true, below, "is a folder that does not belong to a case", 0);
}

static void check_entry(struct check *c, const FTSENT *e)
{
    const char *below = e->fts_path + strlen(c->reader->folder) + 1;
    if (e->fts_level == 0 || e->fts_info == FTS_DP) return;
    if (e->fts_info == FTS_F) check_file(c, e->fts_accpath, below);
    else if (e->fts_info == FTS_D) check_folder(c, below);
    else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
        found(c, false, below, "cannot be read", 0);
    else {
        struct expected *expected = expected_at(c, below);
        if (expected) {
            expected->seen = true;
            note_broken(c, expected);
        }
        found(c, true, below, "is not a plain file", expected ? expected->line : 0);
    }
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool walk(struct check *c, struct err *err)
{
    char *const folders[] = {c->reader->folder, NULL};
    FTS *fts = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (!fts) return err_system(err, errno, "cannot open the case %s", c->reader->named);
    for (FTSENT *e; (e = fts_read(fts));) check_entry(c, e);
    fts_close(fts);
    return true;
}

static void check_missing(struct check *c)
{
    for (size_t i = 0; i < c->expected_count; i++) {
        const struct expected *e = &c->expected[i];
        if (e->seen || e->former) continue;
        found(c, true, e->path, "is missing", e->line);
        note_broken(c, e);
    }
}

// ---- artifacts that records name ----------------------------------------------------------------

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

// The line of the first reading that names an artifact.
static uint64_t line_of(struct check *c, const uint8_t hash[SHA256_SIZE])
{
    uint64_t line = 0;
    for (const struct catalogue_reading *r = NULL;
         !line && (r = catalogue_next(&c->reader->catalogue, r));) {
        struct artifact_names names;
        case_narrow(c->reader, r->seq);
        if (!artifact_names_read(&names, c->reader, NULL)) continue;
        if (artifact_names_have(&names, hash)) line = r->line;
        artifact_names_deinit(&names);
    }
    case_narrow(c->reader, 0);
    return line;
}

static void compare_artifact(struct check *c, const struct present *present, const uint8_t *named)
{
    char below[ARTIFACT_PATH_MAX];
    artifact_path(below, present ? present->name : named);
    if (present && present->changed)
        found(c, true, below, "was changed", named ? line_of(c, named) : 0);
    else if (!present && artifact_names_have(&c->reader->tail.names, named)) return;
    else if (!present) found(c, true, below, "is missing", line_of(c, named));
    else if (!named) check_stranger(c, below, "is not named by any record");
}

static void compare_artifacts(struct check *c, const struct artifact_names *names)
{
    size_t a = 0, n = 0;
    if (c->artifact_count) qsort(c->artifacts, c->artifact_count, sizeof *c->artifacts, by_hash);
    while (a < c->artifact_count || n < names->count) {
        int order = a == c->artifact_count ? 1
                    : n == names->count    ? -1
                                           : by_hash(c->artifacts[a].name, names->hashes[n]);
        compare_artifact(c, order <= 0 ? &c->artifacts[a] : NULL,
                         order >= 0 ? names->hashes[n] : NULL);
        a += order <= 0;
        n += order >= 0;
    }
}

// What a tail names may not be where artifacts lie yet. Names can be had only where what has them
// is what it was.
static bool check_artifacts(struct check *c, struct err *err)
{
    struct artifact_names names = {0};
    char below[ARTIFACT_PATH_MAX];
    if (c->names_broken) {
        for (size_t i = 0; i < c->artifact_count; i++) {
            artifact_path(below, c->artifacts[i].name);
            if (c->artifacts[i].changed) found(c, true, below, "was changed", 0);
        }
        found(c, false, "artifacts",
              "cannot be compared with what names them, which is not what it was", 0);
        return true;
    }
    if (!artifact_names_read(&names, c->reader, err)) return false;
    compare_artifacts(c, &names);
    artifact_names_deinit(&names);
    return true;
}

bool case_check(struct case_reader *reader, const struct log_checked *log,
                const struct finding_sink *findings, struct case_checked *checked, struct err *err)
{
    struct check c = {.reader = reader, .log = log, .findings = findings, .checked = checked};
    *checked = (struct case_checked){0};
    c.writer = lease_writer(reader->folder);
    expect_all(&c);
    bool fine = walk(&c, err);
    if (fine) check_missing(&c);
    fine = fine && check_artifacts(&c, err);
    memory_free(c.expected);
    memory_free(c.artifacts);
    return fine;
}
