#include "bus/kafka_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "bus/disk_queue.h"
#include "bus/kafka_library.h"
#include "bus/kafka_place.h"

enum {
    WAIT_MS = 100,
    LAST_MS = 2000,
    SERVE_EVERY = 256,
    SENTENCE_MAX = KAFKA_NAME_MAX + ERR_TEXT_MAX
};

struct kafka_writer {
    struct kafka_writer_options options;
    struct kafka_place place;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct kafka_writer_counts counts;
    bool was_told;      // that brokers are away
    bool was_explained; // and why: often known later
    bool is_full;       // and that the spool is
    bool is_closing;
    struct err failure;
    // With a spool: what left it and was not delivered yet, by a number that grows.
    struct disk_queue *queue;
    uint64_t places[WRITER_AHEAD]; // where the messages are in the queue
    bool is_done[WRITER_AHEAD];
    uint64_t first, next;
    bytes waiting; // that librdkafka had no room for
    uint64_t waiting_place;
};

// ---- what librdkafka tells ----------------------------------------------------------------------

static void tell(struct kafka_writer *w, const char *format, const char *why)
{
    char sentence[SENTENCE_MAX], what[ERR_TEXT_MAX];
    if (!w->options.tell) return;
    snprintf(what, sizeof what, format, why);
    snprintf(sentence, sizeof sentence, "%s %s", w->place.name, what);
    w->options.tell(w->options.context, sentence);
}

static void fail(struct kafka_writer *w, const char *why)
{
    if (!w->failure.code) err_set(&w->failure, ERR_MACHINE, "%s: %s", w->place.name, why);
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct kafka_writer *w = opaque;
    char why[ERR_TEXT_MAX / 2];
    bool is_down = error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        kafka.fatal_error(client, why, sizeof why);
        fail(w, why);
    } else if (!(is_down ? w->was_told : w->was_explained) &&
               (is_down || error == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                error == RD_KAFKA_RESP_ERR__SSL)) {
        w->was_told = true;
        w->was_explained = !is_down;
        tell(w, "does not answer (%s): waiting for it", is_down ? "all brokers are down" : reason);
    }
}

// Messages are done in any order; the queue hears of those before which all are.
static void queue_done(struct kafka_writer *w, uint64_t number)
{
    w->is_done[number % WRITER_AHEAD] = true;
    while (w->first < w->next && w->is_done[w->first % WRITER_AHEAD])
        disk_queue_done(w->queue, w->places[w->first++ % WRITER_AHEAD]);
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka_writer *w = opaque;
    (void)client;
    if (w->is_closing && m->err) return; // it is in the spool
    w->counts.held--;
    if (w->queue) queue_done(w, (uintptr_t)m->_private);
    if (m->err) {
        w->counts.failed++;
        if (w->queue) tell(w, "does not take a message: %s", kafka.err2str(m->err));
        else fail(w, kafka.err2str(m->err));
        return;
    }
    w->counts.delivered++;
    if (w->was_told) tell(w, "%s", "answers again");
    w->was_told = w->was_explained = false;
}

// ---- opening ------------------------------------------------------------------------------------

static bool writer_configure(struct kafka_writer *w, struct err *err)
{
    if (*w->place.group || w->place.from || w->place.until_end)
        return err_set(err, ERR_USAGE, "%s: group, from and until are of reading", w->place.name);
    if (!kafka_place_set(&w->place, "enable.idempotence", "true", err)) return false;
    // Otherwise messages without a key go where the one before went.
    if (w->options.by_number &&
        !kafka_place_set(&w->place, "sticky.partitioning.linger.ms", "0", err))
        return false;
    // What is on disk has time.
    if (w->options.spool && !kafka_place_set(&w->place, "message.timeout.ms", "0", err))
        return false;
    kafka.conf_set_opaque(w->place.conf, w);
    kafka.conf_set_error_cb(w->place.conf, on_error);
    kafka.conf_set_dr_msg_cb(w->place.conf, on_report);
    kafka.conf_set_log_cb(w->place.conf, NULL);
    return true;
}

static int32_t partition_by_number(const rd_kafka_topic_t *topic, const void *key, size_t key_size,
                                   int32_t partition_count, void *topic_opaque, void *number)
{
    (void)topic, (void)key, (void)key_size, (void)topic_opaque;
    return (int32_t)((uintptr_t)number % (uint32_t)partition_count);
}

static rd_kafka_topic_conf_t *topic_configuration(const struct kafka_writer *w)
{
    if (!w->options.by_number) return NULL;
    rd_kafka_topic_conf_t *conf = kafka.topic_conf_new();
    kafka.topic_conf_set_partitioner_cb(conf, partition_by_number);
    return conf;
}

static bool client_open(struct kafka_writer *w, struct err *err)
{
    char why[ERR_TEXT_MAX / 2];
    w->client = kafka.new(RD_KAFKA_PRODUCER, w->place.conf, why, sizeof why);
    if (!w->client) return err_set(err, ERR_USAGE, "%s: %s", w->place.name, why);
    w->place.conf = NULL; // the client has it
    w->topic = kafka.topic_new(w->client, w->place.topic, topic_configuration(w));
    return w->topic || err_set(err, ERR_USAGE, "%s: no topic can have this name", w->place.name);
}

static bool queue_open(struct kafka_writer *w, struct err *err)
{
    if (!w->options.spool) return true;
    w->queue = disk_queue_open(w->options.spool, w->options.spool_bytes_max, err);
    if (w->queue) w->counts.sent = w->counts.held = disk_queue_messages(w->queue);
    return w->queue;
}

struct kafka_writer *kafka_writer_open(const char *url, const char *more,
                                       const struct kafka_writer_options *options, struct err *err)
{
    struct kafka_writer *w = memory_get(sizeof *w);
    w->options = *options;
    if (kafka_place_parse(&w->place, url, more, err) && writer_configure(w, err) &&
        client_open(w, err) && queue_open(w, err))
        return w;
    kafka_writer_close(w);
    return NULL;
}

void kafka_writer_close(struct kafka_writer *w)
{
    if (!w) return;
    if (w->queue && !w->failure.code) {
        struct err none;
        kafka_writer_turn(w, &none);
        kafka.flush(w->client, LAST_MS);
    }
    w->is_closing = true;
    if (w->client) {
        // Without this, destroying waits for what nobody confirms.
        kafka.purge(w->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        if (w->topic) kafka.topic_destroy(w->topic);
        kafka.destroy(w->client);
    }
    disk_queue_close(w->queue);
    kafka_place_deinit(&w->place);
    memory_free(w);
}

// ---- sending ------------------------------------------------------------------------------------

// 0 when librdkafka has it now.
static rd_kafka_resp_err_t produce(struct kafka_writer *w, bytes key, bytes value, uint64_t number)
{
    int failed =
        kafka.produce(w->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                      (void *)(uintptr_t)value.p, value.n, key.p, key.n, (void *)(uintptr_t)number);
    return failed ? kafka.last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
}

// What finds no room on disk is not waited for: who sends has no time.
static bool spool(struct kafka_writer *w, bytes value, struct err *err)
{
    struct err wrong = {0};
    bool fits = disk_queue_put(w->queue, value, &wrong);
    w->counts.sent++;
    w->counts.held += fits;
    w->counts.failed += !fits;
    if (wrong.code) *err = w->failure = wrong;
    if (!fits && !wrong.code && !w->is_full)
        tell(w, "is away for too long: %s, and what comes now is lost", "the spool is full");
    w->is_full = !fits;
    return !wrong.code;
}

bool kafka_writer_send(struct kafka_writer *w, bytes key, bytes value, struct err *err)
{
    return kafka_writer_send_by(w, 0, key, value, err);
}

bool kafka_writer_send_by(struct kafka_writer *w, uint64_t number, bytes key, bytes value,
                          struct err *err)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    if (w->queue && !w->failure.code) return spool(w, value, err);
    if (w->counts.sent % SERVE_EVERY == 0) kafka.poll(w->client, 0);
    while (error && !w->failure.code) {
        error = produce(w, key, value, number);
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) kafka.poll(w->client, WAIT_MS);
        else if (error) fail(w, kafka.err2str(error));
    }
    if (w->failure.code) {
        *err = w->failure;
        return false;
    }
    w->counts.sent++;
    w->counts.held++;
    return true;
}

// One message out of the spool; false when there is none, or no room for it.
static bool pass_one(struct kafka_writer *w)
{
    if (w->next - w->first == WRITER_AHEAD) return false;
    if (!w->waiting.p && !disk_queue_next(w->queue, &w->waiting, &w->waiting_place, &w->failure))
        return false;
    w->is_done[w->next % WRITER_AHEAD] = false;
    w->places[w->next % WRITER_AHEAD] = w->waiting_place;
    rd_kafka_resp_err_t error = produce(w, bytes_of(NULL, 0), w->waiting, w->next);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    w->waiting = bytes_of(NULL, 0);
    w->next++;
    if (!error) return true;
    w->counts.held--;
    w->counts.failed++;
    tell(w, "does not take a message: %s", kafka.err2str(error));
    queue_done(w, w->next - 1);
    return true;
}

bool kafka_writer_turn(struct kafka_writer *w, struct err *err)
{
    kafka.poll(w->client, 0);
    bool ok = !w->failure.code && disk_queue_flush(w->queue, &w->failure);
    while (ok && pass_one(w)) {
    }
    ok = ok && !w->failure.code && disk_queue_note(w->queue, &w->failure);
    if (!ok) *err = w->failure;
    return ok;
}

bool kafka_writer_flush(struct kafka_writer *w, struct err *err)
{
    while (w->counts.held && !w->failure.code) {
        if (w->queue && !kafka_writer_turn(w, err)) return false;
        kafka.flush(w->client, WAIT_MS);
    }
    if (!w->failure.code) return true;
    *err = w->failure;
    return false;
}

const char *kafka_writer_format(const struct kafka_writer *w)
{
    return w->place.format;
}

const char *kafka_writer_link(const struct kafka_writer *w)
{
    return w->place.link;
}

struct kafka_writer_counts kafka_writer_counts(const struct kafka_writer *w)
{
    return w->counts;
}
