#include "engine/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/catalogue.h"
#include "engine/shaping.h"
#include "flow/services.h"
#include "source/capture_kind.h"
#include "store/case.h"
#include "store/digest.h"
#include "store/extent.h"

enum { WHAT_MAX = 512, SUBJECT_MAX = 128, TOLD_MAX = 100 };

// One reading at hand.
struct run {
    struct case_reader *reader;
    const struct rebuild_options *options;
    struct rebuilt *rebuilt;
    const struct record_kind *const *kinds;
    uint32_t kind_count;
    const struct catalogue_reading *reading;
    struct ingest_options recalled;
    struct text texts; // of the options
    uint32_t capture_count;
    char **paths; // where each capture is now
    struct extent **extents;
    struct capture_content **contents; // NULL: at its path
    struct lock lock;                  // of `made`
    struct digest *made, *stored;
    uint32_t kind; // being compared
    uint64_t told;
};

static void tell(const struct run *r, bool changed, const char *subject, const char *what)
{
    const struct finding finding = {.changed = changed,
                                    .subject = subject,
                                    .what = what,
                                    .line = r->reading->line,
                                    .time = r->reading->time};
    r->options->findings.take(r->options->findings.context, &finding);
}

// ---- captures -----------------------------------------------------------------------------------

// The log has the path as it was named; the record has it in full.
static bool take_paths(void *context, const struct record_batch *b)
{
    struct run *r = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t number = batch_get(b, CAPTURE_NUMBER, row);
        if (number >= r->capture_count || !batch_has(b, CAPTURE_PATH, row)) continue;
        const struct catalogue_capture *c = &r->reading->captures[number];
        if (catalogue_is_moved(c)) continue;
        memory_free(r->paths[number]);
        r->paths[number] = text_unescaped(batch_get_bytes(b, CAPTURE_PATH, row));
    }
    return true;
}

static void set_path(struct run *r, uint32_t number, const char *path)
{
    memory_free(r->paths[number]);
    r->paths[number] = text_copy(path);
}

// Opens what the case keeps of a capture; that it is as it was, was looked at before.
static bool open_kept(struct run *r, uint32_t number)
{
    struct text path = {0};
    const struct catalogue_extent *kept = catalogue_extent_of(r->reading, number);
    struct extent *extent = kept ? extent_open(case_path(r->reader), kept, NULL) : NULL;
    if (!extent || !extent_content(extent)) {
        extent_close(extent);
        return false;
    }
    r->extents[number] = extent;
    r->contents[number] = extent_content(extent);
    text_format(&path, "%s/%s", case_path(r->reader), kept->path);
    set_path(r, number, path.p);
    text_deinit(&path);
    return true;
}

static bool is_there(const struct run *r, uint32_t number)
{
    struct stat info;
    const char *path = r->paths[number];
    uint64_t size = r->reading->captures[number].bytes;
    char what[WHAT_MAX];
    if (strcmp(path, "-") == 0) {
        tell(r, false, "standard input", "was not kept: what was made of it cannot be made again");
        return false;
    }
    if (stat(path, &info) != 0) {
        snprintf(
            what, sizeof what,
            "is missing: what was made of it cannot be made again; put it back, or say where it "
            "is now: weir relocate %s PATH",
            case_path(r->reader));
        tell(r, false, path, what);
        return false;
    }
    if ((uint64_t)info.st_size == size) return true;
    snprintf(what, sizeof what,
             "is not the capture that was read: it had %" PRIu64 " bytes and has %" PRIu64, size,
             (uint64_t)info.st_size);
    tell(r, false, path, what);
    return false;
}

static bool find_captures(struct run *r, bool *found, struct err *err)
{
    r->capture_count = (uint32_t)r->reading->capture_count;
    r->paths = memory_get((r->capture_count + (size_t)1) * sizeof *r->paths);
    r->extents = memory_get((r->capture_count + (size_t)1) * sizeof *r->extents);
    r->contents = memory_get((r->capture_count + (size_t)1) * sizeof *r->contents);
    for (uint32_t i = 0; i < r->capture_count; i++)
        set_path(r, i, r->reading->captures[i].found_at);
    const struct case_scan scan = {&capture_kind,
                                   UINT64_C(1) << CAPTURE_NUMBER | UINT64_C(1) << CAPTURE_PATH,
                                   NULL, take_paths, r};
    if (!case_scan(r->reader, &scan, err)) return false;
    *found = r->capture_count > 0;
    for (uint32_t i = 0; i < r->capture_count; i++)
        if (!open_kept(r, i) && !is_there(r, i)) *found = false;
    return true;
}

// Whether what was read just now is what was read then.
static bool captures_are_same(const struct run *r, const struct source *source)
{
    bool same = true;
    for (uint32_t i = 0; i < r->capture_count; i++) {
        char hex[HEX_SHA256_SIZE];
        const struct capture_info *info = source_capture(source, i);
        if (r->contents[i]) continue;
        hex_format(hex, bytes_of(info->sha256, SHA256_SIZE));
        if (strcmp(hex, r->reading->captures[i].sha256) == 0) continue;
        tell(r, false, r->paths[i],
             "was changed since it was read: nothing that was made of it can be compared");
        same = false;
    }
    return same;
}

// ---- making it again ----------------------------------------------------------------------------

static void take_made(void *context, const struct record_batch *batch)
{
    struct run *r = context;
    lock_take(&r->lock);
    digest_add(r->made, batch);
    lock_give(&r->lock);
}

// Bodies are made to be hashed, and not kept again.
static uint32_t body_begin(void *context)
{
    (void)context;
    return 1;
}

static void body_add(void *context, uint32_t slot, bytes content)
{
    (void)context, (void)slot, (void)content;
}

static void body_end(void *context, uint32_t slot, const uint8_t sha256[32], bool keep)
{
    (void)context, (void)slot, (void)sha256, (void)keep;
}

static bool recall(struct run *r)
{
    struct err why = {0};
    char subject[SUBJECT_MAX];
    r->recalled = (struct ingest_options){.reading = READING_DEFAULTS};
    bool fine = shaping_recall(r->reading->options, &r->recalled, &r->texts, &why);
    if (fine && r->recalled.services) fine = services_load(r->recalled.services, &why);
    snprintf(subject, sizeof subject, "reading of line %" PRIu64, r->reading->line);
    if (!fine) tell(r, false, subject, why.text);
    return fine;
}

// False and err when the machine failed; `made` tells whether there is something to compare.
static bool make(struct run *r, bool *made, struct err *err)
{
    const struct artifact_sink bodies = {NULL, body_begin, body_add, body_end};
    struct reading_options *reading = &r->recalled.reading;
    struct reading_counts counts;
    struct source_options from = r->recalled.source;
    from.paths = (const char *const *)r->paths;
    from.path_count = r->capture_count;
    from.contents = r->contents;
    from.hash_captures = true;
    reading->lanes = r->options->lanes;
    reading->lane.references = true;
    reading->lane.reading = r->reading->seq;
    reading->lane.artifacts = &bodies;
    struct source *source = source_open(&from, err);
    bool ok = source && reading_run(source, reading, r->kinds, r->kind_count,
                                    (struct record_sink){r, take_made}, &counts, err);
    *made = ok && captures_are_same(r, source);
    source_close(source);
    return ok;
}

// ---- comparing ----------------------------------------------------------------------------------

static void tell_difference(void *context, enum digest_difference how, struct record_id id)
{
    static const char *const what[] = {
        [DIGEST_CHANGED] = "is not what its packets say: it was changed",
        [DIGEST_ONLY_A] = "does not follow from the packets: it was put in or changed",
        [DIGEST_ONLY_B] = "is missing: its packets say that it is there",
    };
    struct run *r = context;
    char subject[SUBJECT_MAX];
    // Of a part that was dissected again one cannot tell what made the difference.
    if (r->told++ >= TOLD_MAX || r->reading->swapped_by) return;
    int n = snprintf(subject, sizeof subject, "%s", r->kinds[r->kind]->name);
    if (id.time_us || id.hash)
        snprintf(subject + n, sizeof subject - (size_t)n, " %016" PRIx64 "%016" PRIx64, id.time_us,
                 id.hash);
    tell(r, true, subject, what[how]);
}

static bool take_stored(void *context, const struct record_batch *batch)
{
    struct run *r = context;
    digest_add(r->stored, batch);
    r->rebuilt->records += batch->rows;
    return true;
}

static bool compare_kind(struct run *r, uint32_t kind, struct err *err)
{
    const struct case_scan scan = {.kind = r->kinds[kind],
                                   .fields = digest_fields_whole(r->kinds[kind]),
                                   .take = take_stored,
                                   .context = r};
    if (!scan.fields) return true;
    if (case_rows(r->reader, scan.kind) && !case_scan(r->reader, &scan, err)) return false;
    r->kind = kind;
    digest_compare(r->stored, r->made, kind, tell_difference, r);
    digest_forget(r->stored, kind);
    digest_forget(r->made, kind);
    return true;
}

static bool compare(struct run *r, struct err *err)
{
    char what[WHAT_MAX], subject[SUBJECT_MAX];
    r->stored = digest_create_whole(r->kinds, r->kind_count);
    bool ok = true;
    for (uint32_t i = 0; ok && i < r->kind_count; i++) ok = compare_kind(r, i, err);
    digest_destroy(r->stored);
    if (!ok || !r->told) return ok;
    snprintf(subject, sizeof subject, "reading of line %" PRIu64, r->reading->line);
    int n =
        snprintf(what, sizeof what,
                 "%" PRIu64 " records differ from what its options make of its packets", r->told);
    if (r->reading->swapped_by)
        snprintf(what + n, sizeof what - (size_t)n,
                 "; line %" PRIu64
                 " put others in their place, perhaps with other options, so this proves nothing",
                 r->reading->swapped_by);
    else if (strcmp(r->reading->version, r->options->version) != 0)
        snprintf(what + n, sizeof what - (size_t)n,
                 "; they were made by weir %s and compared by weir %s, which may see more or less",
                 r->reading->version, r->options->version);
    tell(r, !r->reading->swapped_by, subject, what);
    return true;
}

// ---- all readings -------------------------------------------------------------------------------

static void run_deinit(struct run *r)
{
    for (uint32_t i = 0; r->paths && i < r->capture_count; i++) {
        memory_free(r->paths[i]);
        extent_close(r->extents[i]);
    }
    memory_free(r->paths);
    memory_free(r->extents);
    memory_free(r->contents);
    digest_destroy(r->made);
    text_deinit(&r->texts);
    lock_deinit(&r->lock);
}

static bool rebuild_reading(struct run *r, struct err *err)
{
    bool found, made = false;
    lock_init(&r->lock);
    case_narrow(r->reader, r->reading->seq);
    r->made = digest_create_whole(r->kinds, r->kind_count);
    bool ok = find_captures(r, &found, err);
    if (ok && found && recall(r)) ok = make(r, &made, err);
    if (ok && made) ok = compare(r, err);
    r->rebuilt->readings += made;
    run_deinit(r);
    return ok;
}

bool rebuild(struct case_reader *reader, const struct rebuild_options *options,
             struct rebuilt *rebuilt, struct err *err)
{
    bool ok = true;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    *rebuilt = (struct rebuilt){0};
    for (const struct catalogue_reading *at = NULL;
         ok && (at = catalogue_next(case_catalogue(reader), at));) {
        struct run r = {.reader = reader,
                        .options = options,
                        .rebuilt = rebuilt,
                        .kinds = kinds,
                        .kind_count = kind_count,
                        .reading = at};
        if (at->is_recording) continue; // what it brought is in what was collected
        if (at->tail) rebuilt->collected++;
        else if (at->expired_by) rebuilt->expired++;
        else ok = rebuild_reading(&r, err);
    }
    case_narrow(reader, 0);
    return ok;
}
