#include "engine/reading.h"

#include <errno.h>
#include <pthread.h>

#include "base/memory.h"
#include "bus/broadcast.h"
#include "engine/dispatcher.h"
#include "engine/tell.h"

enum { BATCHES_MANY = 24, PROGRESS_BATCHES = 64, REST_BATCHES = 256 };

struct worker {
    struct lane *lane;
    struct broadcast *broadcast;
    uint32_t which;
    pthread_t thread;
};

struct reading {
    struct source *source;
    const struct reading_options *options;
    struct dispatcher *dispatcher;
    const struct decoder *decoder; // the dispatcher's
    uint32_t lanes;
    struct lane *lane[LANES_MAX];
    struct record_writer *writer; // of what is told of the source
    uint64_t batches;
    nanos watermark;
};

static void reading_free(struct reading *r)
{
    for (uint32_t i = 0; i < r->lanes; i++) lane_destroy(r->lane[i]);
    dispatcher_destroy(r->dispatcher);
    writer_destroy(r->writer);
    memory_free(r);
}

static struct reading *reading_make(struct source *source, const struct reading_options *options,
                                    const struct record_kind *const *kinds, uint32_t kind_count,
                                    struct record_sink sink, struct err *err)
{
    struct reading *r = memory_get(sizeof *r);
    r->source = source;
    r->options = options;
    r->writer = writer_create(kinds, kind_count, sink);
    r->dispatcher = dispatcher_create(&options->lane, kinds, kind_count, sink, err);
    if (!r->dispatcher) {
        reading_free(r);
        return NULL;
    }
    r->decoder = dispatcher_decoder(r->dispatcher);
    for (uint32_t i = 0; i < options->lanes; i++) {
        struct lane_options lane = options->lane;
        lane.lane = i;
        lane.lanes = options->lanes;
        lane.awake_max /= options->lanes;
        r->lane[i] = lane_create(&lane, kinds, kind_count, sink, err);
        if (!r->lane[i]) {
            reading_free(r);
            return NULL;
        }
        r->lanes++;
    }
    return r;
}

// Reads and decodes the next batch.
static enum source_result reading_next(struct reading *r, struct packet_batch *batch,
                                       struct err *err)
{
    packet_batch_clear(batch);
    enum source_result result = source_read(r->source, batch, err);
    if (result != SOURCE_PACKETS) return result;
    if (r->options->frames && !r->options->frames(r->options->frames_context, batch, err))
        return SOURCE_FAILED;
    if (r->options->rest && r->batches % REST_BATCHES == 0) batch->rests = true;
    dispatcher_batch(r->dispatcher, batch);
    if (batch->count) r->watermark = batch->packets[batch->count - 1].watermark;
    const struct reading_options *o = r->options;
    if (o->progress && (r->batches % PROGRESS_BATCHES == 0 || batch->rests))
        o->progress(o->progress_context, source_bytes_done(r->source),
                    source_bytes_total(r->source), r->decoder->packets);
    r->batches++;
    return result;
}

static void words_add(void *sum, const void *more, size_t size)
{
    const uint64_t *from = more;
    uint64_t *to = sum;
    for (size_t i = 0; i < size / sizeof *to; i++) to[i] += from[i];
}

static void reading_count(const struct reading *r, struct reading_counts *counts)
{
    *counts = (struct reading_counts){
        .packets = r->decoder->packets, .more = r->decoder->more, .last_seen = r->watermark};
    memcpy(counts->classes, r->decoder->classes, sizeof counts->classes);
    memcpy(counts->reasons, r->decoder->reasons, sizeof counts->reasons);
    for (uint32_t i = 0; i < r->lanes; i++) {
        struct lane_counters lane = lane_counters(r->lane[i]);
        struct lane_gauges now = lane_gauges(r->lane[i]);
        words_add(&counts->lanes, &lane, sizeof lane);
        words_add(&counts->now, &now, sizeof now);
    }
}

// No lane works.
static bool reading_rest(const struct reading *r, struct err *err)
{
    const struct reading_options *o = r->options;
    struct reading_counts counts;
    if (!o->rest) return true;
    reading_tell_rest(r->source, o, r->writer);
    reading_count(r, &counts);
    return o->rest(o->rest_context, &counts, err);
}

static enum source_result reading_run_one(struct reading *r, struct err *err)
{
    struct packet_batch *batch = packet_batch_create();
    enum source_result result;
    while ((result = reading_next(r, batch, err)) == SOURCE_PACKETS) {
        lane_packets(r->lane[0], batch);
        if (!batch->rests || reading_rest(r, err)) continue;
        result = SOURCE_FAILED;
        break;
    }
    packet_batch_destroy(batch);
    lane_end(r->lane[0]);
    return result;
}

static void *worker_run(void *context)
{
    struct worker *w = context;
    for (struct packet_batch *batch; (batch = broadcast_next(w->broadcast, w->which));
         broadcast_done(w->broadcast, w->which))
        lane_packets(w->lane, batch);
    lane_end(w->lane);
    return NULL;
}

// Starts a thread a lane; returns how many could be started.
static uint32_t workers_start(struct reading *r, struct broadcast *broadcast,
                              struct worker *workers, struct err *err)
{
    for (uint32_t i = 0; i < r->lanes; i++) {
        workers[i] = (struct worker){.lane = r->lane[i], .broadcast = broadcast, .which = i};
        int failed = pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
        if (!failed) continue;
        err_system(err, failed, "cannot start thread %u of %u", i + 1, r->lanes);
        return i;
    }
    return r->lanes;
}

static enum source_result reading_feed(struct reading *r, struct broadcast *broadcast,
                                       struct err *err)
{
    for (;;) {
        struct packet_batch *batch = broadcast_acquire(broadcast);
        enum source_result result = reading_next(r, batch, err);
        if (result != SOURCE_PACKETS) return result;
        bool rests = batch->rests;
        broadcast_publish(broadcast);
        if (!rests) continue;
        if (r->options->rest) broadcast_drain(broadcast);
        else broadcast_flush(broadcast);
        if (!reading_rest(r, err)) return SOURCE_FAILED;
    }
}

static enum source_result reading_run_many(struct reading *r, struct err *err)
{
    void *batches[BATCHES_MANY];
    for (unsigned i = 0; i < BATCHES_MANY; i++) batches[i] = packet_batch_create();
    struct broadcast *broadcast = broadcast_create(batches, BATCHES_MANY, r->lanes);
    struct worker workers[LANES_MAX];
    uint32_t started = workers_start(r, broadcast, workers, err);
    enum source_result result =
        started == r->lanes ? reading_feed(r, broadcast, err) : SOURCE_FAILED;
    broadcast_close(broadcast);
    for (uint32_t i = 0; i < started; i++) pthread_join(workers[i].thread, NULL);
    broadcast_destroy(broadcast);
    for (unsigned i = 0; i < BATCHES_MANY; i++) packet_batch_destroy(batches[i]);
    return result;
}

bool reading_run(struct source *source, const struct reading_options *options,
                 const struct record_kind *const *kinds, uint32_t kind_count,
                 struct record_sink sink, struct reading_counts *counts, struct err *err)
{
    struct reading *r = reading_make(source, options, kinds, kind_count, sink, err);
    if (!r) return false;
    enum source_result result = r->lanes == 1 ? reading_run_one(r, err) : reading_run_many(r, err);
    dispatcher_end(r->dispatcher);
    reading_count(r, counts);
    if (result == SOURCE_END) {
        reading_tell(source, options, counts, r->writer);
        writer_flush(r->writer);
    }
    reading_free(r);
    return result == SOURCE_END;
}
