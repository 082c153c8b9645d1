#include "engine/reading.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "bus/broadcast.h"
#include "record/kinds.h"
#include "record/writer.h"
#include "source/capture_kind.h"

enum { BATCHES_MANY = 24, PROGRESS_BATCHES = 64, CAPTURE_ROW = 8192 };

struct worker {
    struct lane *lane;
    struct broadcast *broadcast;
    uint32_t which;
    pthread_t thread;
};

struct reading {
    struct source *source;
    const struct reading_options *options;
    struct decoder *decoder;
    uint32_t lanes;
    struct lane *lane[LANES_MAX];
    uint64_t batches;
    nanos watermark;
};

static void reading_free(struct reading *r)
{
    for (uint32_t i = 0; i < r->lanes; i++) lane_destroy(r->lane[i]);
    memory_free(r->decoder);
    memory_free(r);
}

static struct reading *reading_make(struct source *source, const struct reading_options *options,
                                    const struct record_kind *const *kinds, uint32_t kind_count,
                                    struct record_sink sink, struct err *err)
{
    struct reading *r = memory_get(sizeof *r);
    r->source = source;
    r->options = options;
    r->decoder = memory_get(sizeof *r->decoder);
    decoder_init(r->decoder);
    for (uint32_t i = 0; i < options->lanes; i++) {
        struct lane_options lane = options->lane;
        lane.lane = i;
        lane.lanes = options->lanes;
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
    decode_batch(r->decoder, batch);
    lane_deal(batch);
    if (batch->count) r->watermark = batch->packets[batch->count - 1].watermark;
    const struct reading_options *o = r->options;
    if (o->progress && r->batches++ % PROGRESS_BATCHES == 0)
        o->progress(o->progress_context, source_bytes_done(r->source),
                    source_bytes_total(r->source), r->decoder->packets);
    return result;
}

static enum source_result reading_run_one(struct reading *r, struct err *err)
{
    struct packet_batch *batch = packet_batch_create();
    enum source_result result;
    while ((result = reading_next(r, batch, err)) == SOURCE_PACKETS)
        lane_packets(r->lane[0], batch);
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
        broadcast_publish(broadcast);
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

static void counters_add(struct lane_counters *sum, const struct lane_counters *more)
{
    const uint64_t *from = (const uint64_t *)more;
    uint64_t *to = (uint64_t *)sum;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) to[i] += from[i];
}

static void reading_count(const struct reading *r, struct reading_counts *counts)
{
    *counts = (struct reading_counts){.packets = r->decoder->packets, .last_seen = r->watermark};
    memcpy(counts->classes, r->decoder->classes, sizeof counts->classes);
    memcpy(counts->reasons, r->decoder->reasons, sizeof counts->reasons);
    for (uint32_t i = 0; i < r->lanes; i++) {
        struct lane_counters lane = lane_counters(r->lane[i]);
        counters_add(&counts->lanes, &lane);
    }
}

// ---- records of the captures themselves ---------------------------------------------------------

struct telling {
    struct record_writer *writer;
    const char *point;
    uint64_t reading;
    uint8_t memory[CAPTURE_ROW];
};

// One row of loss; what is zero is left out.
struct loss {
    const char *stage, *reason;
    nanos from, to; // from > to: not known
    uint64_t packets, bytes, count;
    const struct capture_info *capture;
};

static void tell_loss(struct telling *t, const struct loss *loss)
{
    struct row row;
    row_init(&row, &loss_kind, t->memory, sizeof t->memory);
    if (loss->from <= loss->to) {
        row_time(&row, LOSS_TS, loss->from);
        row_time(&row, LOSS_LAST_SEEN, loss->to);
    }
    if (*t->point) row_text(&row, LOSS_POINT, bytes_text(t->point));
    row_text(&row, LOSS_STAGE, bytes_text(loss->stage));
    row_text(&row, LOSS_REASON, bytes_text(loss->reason));
    if (loss->packets) row_uint(&row, LOSS_PACKETS, loss->packets);
    if (loss->bytes) row_uint(&row, LOSS_BYTES, loss->bytes);
    if (loss->count) row_uint(&row, LOSS_COUNT, loss->count);
    if (loss->capture) row_text(&row, LOSS_CAPTURE, bytes_text(loss->capture->path));
    writer_emit(t->writer, &row);
}

static void tell_capture_losses(struct telling *t, const struct capture_info *c)
{
    struct loss loss = {"source", "file_cut", c->last_seen, c->last_seen, .capture = c};
    if (c->first_seen > c->last_seen) loss.from = c->first_seen;
    loss.bytes = c->cut_bytes;
    if (c->truncated) tell_loss(t, &loss);
    loss.from = c->first_seen;
    loss.reason = "damaged";
    loss.bytes = c->damaged_bytes;
    if (c->damaged_bytes) tell_loss(t, &loss);
    loss.reason = "interface_drops";
    loss.bytes = 0;
    loss.packets = c->interface_drops;
    if (c->interface_drops) tell_loss(t, &loss);
}

static void tell_capture(struct telling *t, const struct capture_info *c)
{
    struct row row;
    row_init(&row, &capture_kind, t->memory, sizeof t->memory);
    capture_row(c, &row);
    row_uint(&row, CAPTURE_READING, t->reading);
    // A case is asked from other places than where it was read.
    char *path = c->is_stream ? NULL : realpath(c->path, NULL);
    if (path) row_text(&row, CAPTURE_PATH, bytes_text(path));
    free(path);
    writer_emit(t->writer, &row);
    tell_capture_losses(t, c);
}

static void tell_decode(struct telling *t, const struct reading_counts *n, nanos from, nanos to)
{
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        if (!n->reasons[reason] || decode_reason_class(reason) <= PACKET_NOT_IP) continue;
        tell_loss(t, &(struct loss){"decode", decode_reason_name(reason), from, to,
                                    .packets = n->reasons[reason]});
    }
}

// What reached a limit of the process or of a conversation and is told nowhere else. The first
// three say that the reading is not reproducible: with more memory it would say more.
static void tell_lanes(struct telling *t, const struct lane_counters *n, nanos from, nanos to)
{
    const struct loss losses[] = {
        {"flow", "process_full", from, to, .packets = n->packets_shed},
        {"stream", "process_full", from, to, .packets = n->packets_unread},
        {"flow", "references_full", from, to, .packets = n->references_lost},
        {"dissect", "given_up", from, to, .count = n->given_up},
        {"dissect", "held_full", from, to, .count = n->held_full},
        {"dissect", "row_cut", from, to, .count = n->rows_truncated},
        {"dissect", "anomalies_untold", from, to, .count = n->anomalies_untold},
        {"extract", "files_refused", from, to, .count = n->files_refused},
    };
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        if (losses[i].packets || losses[i].count) tell_loss(t, &losses[i]);
}

static void reading_tell(const struct reading *r, const struct reading_counts *counts,
                         struct record_writer *writer)
{
    struct telling *t = memory_get(sizeof *t);
    t->writer = writer;
    t->point = r->options->lane.point;
    t->reading = r->options->lane.reading;
    nanos from = INT64_MAX;
    for (uint32_t i = 0; i < source_capture_count(r->source); i++) {
        const struct capture_info *c = source_capture(r->source, i);
        if (c->first_seen <= c->last_seen && c->first_seen < from) from = c->first_seen;
        tell_capture(t, c);
    }
    tell_decode(t, counts, from, r->watermark);
    tell_lanes(t, &counts->lanes, from, r->watermark);
    memory_free(t);
}

bool reading_run(struct source *source, const struct reading_options *options,
                 const struct record_kind *const *kinds, uint32_t kind_count,
                 struct record_sink sink, struct reading_counts *counts, struct err *err)
{
    struct reading *r = reading_make(source, options, kinds, kind_count, sink, err);
    if (!r) return false;
    enum source_result result = r->lanes == 1 ? reading_run_one(r, err) : reading_run_many(r, err);
    reading_count(r, counts);
    if (result == SOURCE_END) {
        struct record_writer *writer = writer_create(kinds, kind_count, sink);
        reading_tell(r, counts, writer);
        writer_flush(writer);
        writer_destroy(writer);
    }
    reading_free(r);
    return result == SOURCE_END;
}
