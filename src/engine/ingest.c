#include "engine/ingest.h"

#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/catalogue.h"
#include "engine/shaping.h"
#include "source/live.h"
#include "store/store.h"

// One ingest under way.
struct run {
    const struct ingest_options *options;
    struct ingest_outcome *outcome;
    struct source *source;
    struct store *store;
    struct text options_text;
    const char **left; // paths that remain when some captures are in the case already
    char **left_owned;
    uint32_t left_count;
    struct record_sink store_records;
    struct reading_position *positions; // of topics, for the commit
    size_t position_count;
    bool is_collecting; // into a tail of the case, as there is no telling when it ends
    nanos synced;
};

// How often what was made is made durable.
#define SYNC_EVERY (NANOS_PER_SECOND / 2)

// ---- records ------------------------------------------------------------------------------------

static void run_take(void *context, const struct record_batch *batch)
{
    struct run *r = context;
    if (r->store_records.take) r->store_records.take(r->store_records.context, batch);
    const struct record_sink *also = &r->options->records;
    if (also->take) also->take(also->context, batch);
    if (r->options->summary) {
        struct record_sink summary = summary_sink(r->options->summary);
        summary.take(summary.context, batch);
    }
}

static void run_remark(const struct run *r, const char *sentence)
{
    if (r->options->remark) r->options->remark(r->options->remark_context, sentence);
}

// ---- what the case has already ------------------------------------------------------------------

static struct reading run_reading(const struct run *r, const struct reading_capture *captures,
                                  size_t n)
{
    return (struct reading){captures, n, r->options_text.p, r->options->author.version,
                            r->options->author.time};
}

// Whether the case has this capture, read with the same options. False and err when it was read
// with others.
static bool run_is_known(struct run *r, const struct capture_info *info, bool *known,
                         struct err *err)
{
    struct reading_capture capture = {.path = info->path, .bytes = info->file_bytes};
    if (!file_sha256(info->path, capture.sha256, &capture.bytes, err)) return false;
    struct reading reading = run_reading(r, &capture, 1);
    enum reading_state state = store_find(r->store, &reading);
    *known = state == READING_SAME;
    if (*known && r->options->keep && !store_keeps(r->store, capture.sha256))
        return err_set(err, ERR_USAGE,
                       "%s is in %s already, but not its packets; --keep --again takes them in",
                       info->path, r->options->case_path);
    if (state == READING_NEW || state == READING_SAME) return true;
    return err_set(err, ERR_USAGE,
                   "%s is in %s already, read with other options or together with others; --again "
                   "replaces that reading",
                   info->path, r->options->case_path);
}

static bool run_open_source(struct run *r, const char *const *paths, uint32_t path_count,
                            struct err *err)
{
    struct source_options o = r->options->source;
    o.paths = paths;
    o.path_count = path_count;
    o.hash_captures = r->options->target != INGEST_NONE;
    if (r->options->target == INGEST_CASE && !r->is_collecting)
        o.captures = store_captures(r->store, r->options->keep);
    r->source = source_open(&o, err);
    return r->source != NULL;
}

static void run_keep_path(struct run *r, const char *path)
{
    r->left[r->left_count] = r->left_owned[r->left_count] = text_copy(path);
    r->left_count++;
}

// Leaves out what the case has already. A stream can't be looked at twice: it is decided at the
// commit.
static bool run_skip_known(struct run *r, struct err *err)
{
    uint32_t count = source_capture_count(r->source);
    const char *stream = NULL;
    r->left = memory_get((count + 1) * sizeof *r->left);
    r->left_owned = memory_get((count + 1) * sizeof *r->left_owned);
    for (uint32_t i = 0; i < count; i++) {
        const struct capture_info *info = source_capture(r->source, i);
        bool known = false;
        if (!info->is_stream && store_has_size(r->store, info->file_bytes) &&
            !run_is_known(r, info, &known, err))
            return false;
        if (known) r->outcome->captures_skipped++;
        else run_keep_path(r, info->path);
        stream = info->is_stream ? info->path : stream;
    }
    if (!r->outcome->captures_skipped || !r->left_count) return true;
    if (stream)
        return err_set(
            err, ERR_USAGE,
            "%u of these captures are in %s already, and %s cannot be begun twice: leave "
            "them out",
            r->outcome->captures_skipped, r->options->case_path,
            strcmp(stream, "-") == 0 ? "standard input" : stream);
    source_close(r->source);
    store_abort(r->store); // what it may have begun to keep
    return run_open_source(r, r->left, r->left_count, err);
}

// ---- the run ------------------------------------------------------------------------------------

static bool run_position(void *context, const char *input, uint64_t *next)
{
    return store_position(context, input, next);
}

static bool run_open_store(struct run *r, struct err *err)
{
    const struct ingest_options *o = r->options;
    if (o->target == INGEST_NONE) return true;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    const char *path = o->target == INGEST_CASE ? o->case_path : NULL;
    r->store = store_open(path, kinds, kind_count, &o->author, err);
    if (!r->store) return false;
    r->store_records = store_sink(r->store);
    bool is_topic = o->source.live && live_is_topics(o->source.live);
    if (is_topic) live_resume(o->source.live, &(struct live_memory){r->store, run_position});
    r->is_collecting = o->target == INGEST_CASE && o->source.live && !is_topic && !o->keep;
    if (!r->is_collecting) return true;
    const struct store_collection of = {live_name(o->source.live), r->options_text.p,
                                        o->author.version};
    return store_collect(r->store, &of, o->now(), err);
}

static bool run_open(struct run *r, struct err *err)
{
    const struct ingest_options *o = r->options;
    // The store first: what is read is kept from the first byte on.
    if (!run_open_store(r, err) || !run_open_source(r, o->source.paths, o->source.path_count, err))
        return false;
    return o->target != INGEST_CASE || o->again || run_skip_known(r, err);
}

static bool run_rest(void *context, const struct reading_counts *counts, struct err *err)
{
    struct run *r = context;
    (void)counts;
    nanos now = r->options->now();
    if (now - r->synced < SYNC_EVERY && now >= r->synced) return true;
    r->synced = now;
    if (store_is_cut_due(r->store, now, r->options->every)) return store_cut(r->store, now, err);
    return store_sync(r->store, err);
}

static bool run_read(struct run *r, struct err *err)
{
    struct reading_options reading = r->options->reading;
    struct artifact_sink artifacts = {0};
    if (r->options->target == INGEST_CASE) {
        artifacts = store_artifacts(r->store);
        reading.lane.artifacts = &artifacts;
    }
    reading.lane.references = r->options->target != INGEST_NONE && !r->is_collecting;
    if (r->is_collecting) {
        reading.rest = run_rest;
        reading.rest_context = r;
    }
    if (r->store) reading.lane.reading = store_next_reading(r->store);
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct record_sink sink = {r, run_take};
    return reading_run(r->source, &reading, kinds, kind_count, sink, &r->outcome->counts, err);
}

// Packets that no layer is there for: counted by the decoder, which does not know of captures.
static void run_remark_links(struct run *r)
{
    unsigned long long packets = r->outcome->counts.classes[PACKET_UNKNOWN_LINK];
    uint32_t captures = source_capture_count(r->source);
    const struct capture_info *first = source_capture(r->source, 0);
    char sentence[CAPTURE_REMARK_MAX];
    if (!packets) return;
    r->outcome->incomplete = true;
    if (captures == 1)
        snprintf(
            sentence, sizeof sentence,
            "%s: weir does not know a link type in it (%s): %llu packets were counted, not decoded",
            first->path, first->link_types, packets);
    else
        snprintf(sentence, sizeof sentence,
                 "weir does not know a link type of %llu packets in these %u captures (column "
                 "link_types of "
                 "capture): they were counted, not decoded",
                 packets, captures);
    run_remark(r, sentence);
}

static void run_remarks(struct run *r)
{
    struct ingest_outcome *out = r->outcome;
    char sentence[CAPTURE_REMARK_MAX];
    for (uint32_t i = 0; i < source_capture_count(r->source); i++) {
        if (!capture_remark(source_capture(r->source, i), sentence)) continue;
        run_remark(r, sentence);
        out->incomplete = true;
    }
    run_remark_links(r);
}

static void run_add_position(void *context, const char *input, uint64_t next)
{
    struct run *r = context;
    size_t n = r->position_count;
    r->positions = memory_resize(r->positions, (n + 1) * sizeof *r->positions);
    r->positions[r->position_count++] = (struct reading_position){input, next};
}

// With what came of them it is noted how far topics were read. False when there was nothing new.
static bool run_mark(struct run *r)
{
    struct live *live = r->options->source.live;
    if (!live || !live_is_topics(live)) return true;
    live_positions(live, run_add_position, r);
    store_mark(r->store, r->positions, r->position_count);
    return r->position_count > 0;
}

static bool run_commit(struct run *r, struct err *err)
{
    if (!r->store) return true;
    if (r->is_collecting) return store_cut(r->store, r->options->now(), err);
    uint32_t n = source_capture_count(r->source);
    struct reading_capture *captures = memory_get((n + 1) * sizeof *captures);
    for (uint32_t i = 0; i < n; i++) {
        const struct capture_info *info = source_capture(r->source, i);
        captures[i] = (struct reading_capture){.path = info->path, .bytes = info->file_bytes};
        memcpy(captures[i].sha256, info->sha256, sizeof captures[i].sha256);
    }
    struct reading reading = run_reading(r, captures, n);
    r->outcome->records = store_rows(r->store);
    r->outcome->artifacts = store_artifacts_kept(r->store);
    bool ok = true;
    bool is_known = !r->options->again && store_find(r->store, &reading) == READING_SAME;
    if (is_known || !run_mark(r)) {
        store_abort(r->store);
        r->outcome->captures_skipped += n;
        r->outcome->captures = 0;
    } else {
        ok = store_commit(r->store, &reading, r->options->again, err);
    }
    memory_free(captures);
    return ok;
}

static bool run_all(struct run *r, struct err *err)
{
    if (!run_open(r, err)) return false;
    if (r->outcome->captures_skipped && !r->left_count) return true;
    r->outcome->captures = source_capture_count(r->source);
    if (!run_read(r, err)) return false;
    run_remarks(r);
    return run_commit(r, err);
}

bool ingest(const struct ingest_options *options, struct ingest_outcome *outcome, struct err *err)
{
    *outcome = (struct ingest_outcome){0};
    struct run r = {.options = options, .outcome = outcome};
    shaping_text(options, &r.options_text);
    bool ok = run_all(&r, err);
    source_close(r.source);
    if (ok && options->target == INGEST_MEMORY) outcome->store = r.store;
    else store_close(r.store);
    for (uint32_t i = 0; i < r.left_count; i++) memory_free(r.left_owned[i]);
    memory_free(r.left_owned);
    memory_free(r.left);
    memory_free(r.positions);
    text_deinit(&r.options_text);
    return ok;
}
