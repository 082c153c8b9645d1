#include "bus/kafka_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "bus/kafka_library.h"
#include "bus/kafka_place.h"

enum { WAIT_MS = 100, SERVE_EVERY = 256, SENTENCE_MAX = KAFKA_NAME_MAX + ERR_TEXT_MAX };

struct kafka_writer {
    struct kafka_writer_options options;
    struct kafka_place place;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct kafka_writer_counts counts;
    bool was_told; // that brokers are away
    struct err failure;
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
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        kafka.fatal_error(client, why, sizeof why);
        fail(w, why);
    } else if (!w->was_told &&
               (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL)) {
        bool is_down = error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
        w->was_told = true;
        tell(w, "does not answer (%s): waiting for it", is_down ? "all brokers are down" : reason);
    }
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka_writer *w = opaque;
    (void)client;
    w->counts.held--;
    if (m->err) {
        w->counts.failed++;
        fail(w, kafka.err2str(m->err));
        return;
    }
    w->counts.delivered++;
    if (w->was_told) tell(w, "%s", "answers again");
    w->was_told = false;
}

// ---- opening ------------------------------------------------------------------------------------

static bool writer_configure(struct kafka_writer *w, struct err *err)
{
    if (*w->place.group || *w->place.format || w->place.from || w->place.until_end)
        return err_set(err, ERR_USAGE, "%s: group, format, from and until are of reading",
                       w->place.name);
    if (!kafka_place_set(&w->place, "enable.idempotence", "true", err)) return false;
    kafka.conf_set_opaque(w->place.conf, w);
    kafka.conf_set_error_cb(w->place.conf, on_error);
    kafka.conf_set_dr_msg_cb(w->place.conf, on_report);
    kafka.conf_set_log_cb(w->place.conf, NULL);
    return true;
}

static bool client_open(struct kafka_writer *w, struct err *err)
{
    char why[ERR_TEXT_MAX / 2];
    w->client = kafka.new(RD_KAFKA_PRODUCER, w->place.conf, why, sizeof why);
    if (!w->client) return err_set(err, ERR_USAGE, "%s: %s", w->place.name, why);
    w->place.conf = NULL; // the client has it
    w->topic = kafka.topic_new(w->client, w->place.topic, NULL);
    return w->topic || err_set(err, ERR_USAGE, "%s: no topic can have this name", w->place.name);
}

struct kafka_writer *kafka_writer_open(const char *url, const char *more,
                                       const struct kafka_writer_options *options, struct err *err)
{
    struct kafka_writer *w = memory_get(sizeof *w);
    w->options = *options;
    if (kafka_place_parse(&w->place, url, more, err) && writer_configure(w, err) &&
        client_open(w, err))
        return w;
    kafka_writer_close(w);
    return NULL;
}

void kafka_writer_close(struct kafka_writer *w)
{
    if (!w) return;
    if (w->client) {
        // Without this, destroying waits for what nobody confirms.
        kafka.purge(w->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        if (w->topic) kafka.topic_destroy(w->topic);
        kafka.destroy(w->client);
    }
    kafka_place_deinit(&w->place);
    memory_free(w);
}

// ---- sending ------------------------------------------------------------------------------------

bool kafka_writer_send(struct kafka_writer *w, bytes key, bytes value, struct err *err)
{
    int sent = -1;
    if (w->counts.sent % SERVE_EVERY == 0) kafka.poll(w->client, 0);
    while (sent && !w->failure.code) {
        sent = kafka.produce(w->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                             (void *)(uintptr_t)value.p, value.n, key.p, key.n, NULL);
        rd_kafka_resp_err_t error = sent ? kafka.last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
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

bool kafka_writer_flush(struct kafka_writer *w, struct err *err)
{
    while (w->counts.held && !w->failure.code) kafka.flush(w->client, WAIT_MS);
    if (!w->failure.code) return true;
    *err = w->failure;
    return false;
}

struct kafka_writer_counts kafka_writer_counts(const struct kafka_writer *w)
{
    return w->counts;
}
