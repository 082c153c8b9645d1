#include "bus/kafka_reader.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "bus/kafka_reader_inside.h"

enum { SENTENCE_MAX = KAFKA_NAME_MAX + ERR_TEXT_MAX };

// ---- what is told -------------------------------------------------------------------------------

void reader_tell_away(struct kafka_reader *r, const char *why)
{
    char sentence[SENTENCE_MAX];
    r->faults += !r->is_away;
    r->is_away = true;
    if (r->was_told) return;
    r->was_told = true;
    snprintf(sentence, sizeof sentence, "%s does not answer (%s): waiting for it", r->place.name,
             why);
    r->options.tell(r->options.context, sentence);
}

void reader_tell_back(struct kafka_reader *r)
{
    char sentence[SENTENCE_MAX];
    r->is_away = false;
    if (!r->was_told) return;
    r->was_told = r->was_explained = false;
    snprintf(sentence, sizeof sentence, "%s answers again", r->place.name);
    r->options.tell(r->options.context, sentence);
}

bool reader_fail(struct kafka_reader *r, rd_kafka_resp_err_t error, struct err *err)
{
    return err_set(err, ERR_INPUT, "%s: %s", r->place.name, kafka.err2str(error));
}

bool reader_is_final(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR__FATAL;
}

// That brokers are away is often known before it is known why.
static void explain_away(struct kafka_reader *r, const char *why)
{
    if (!r->was_explained) r->was_told = false;
    r->was_explained = true;
    reader_tell_away(r, why);
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct kafka_reader *r = opaque;
    (void)client;
    // Whoever reads to the end does not wait for another password.
    bool is_refused =
        error == RD_KAFKA_RESP_ERR__AUTHENTICATION && r->options.is_apart && !r->is_begun;
    if (is_refused) err_set(&r->failure, ERR_USAGE, "%s: %s", r->place.name, reason);
    else if (reader_is_final(error)) reader_fail(r, error, &r->failure);
    else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        reader_tell_away(r, "all brokers are down");
    else if (error == RD_KAFKA_RESP_ERR__RESOLVE || error == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
             error == RD_KAFKA_RESP_ERR__SSL)
        explain_away(r, reason);
}

// ---- opening ------------------------------------------------------------------------------------

// Where partitions are read apart, what is fetched ahead is bounded for each; and one that has
// nothing new does not hold up the others for long, with which it shares its requests. Unless a
// person said otherwise.
static bool configure_apart(struct kafka_reader *r, struct err *err)
{
    static const struct {
        const char *name, *usual, *ours;
    } rows[] = {
        {"queued.max.messages.kbytes", "65536", "8192"},
        {"fetch.wait.max.ms", "500", "50"},
    };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof rows / sizeof rows[0]; i++) {
        char said[32];
        size_t size = sizeof said;
        bool is_usual =
            kafka.conf_get(r->place.conf, rows[i].name, said, &size) == RD_KAFKA_CONF_OK &&
            strcmp(said, rows[i].usual) == 0;
        ok = !is_usual || kafka_place_set(&r->place, rows[i].name, rows[i].ours, err);
    }
    return ok;
}

static bool reader_configure(struct kafka_reader *r, struct err *err)
{
    static const char *const rows[][2] = {
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},
        // With members that come and go all partitions stop for a moment: then it is simple what
        // is whose.
        {"partition.assignment.strategy", "range,roundrobin"},
    };
    r->is_member = *r->place.group && !r->options.is_apart;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!kafka_place_set(&r->place, rows[i][0], rows[i][1], err)) return false;
    if (r->options.is_apart && !configure_apart(r, err)) return false;
    if (*r->place.group && !kafka_place_set(&r->place, "group.id", r->place.group, err))
        return false;
    kafka.conf_set_opaque(r->place.conf, r);
    kafka.conf_set_error_cb(r->place.conf, on_error);
    kafka.conf_set_log_cb(r->place.conf, NULL);
    if (r->is_member) group_configure(r);
    return true;
}

static bool client_open(struct kafka_reader *r, struct err *err)
{
    char why[ERR_TEXT_MAX / 2];
    r->client = kafka.new(RD_KAFKA_CONSUMER, r->place.conf, why, sizeof why);
    if (!r->client) return err_set(err, ERR_USAGE, "%s: %s", r->place.name, why);
    r->place.conf = NULL; // the client has it
    return true;
}

void reader_wake_by(struct kafka_reader *r, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1;
    kafka.queue_io_event_enable(queue, r->event, &one, sizeof one);
}

struct kafka_reader *kafka_reader_open(const char *url, const char *more,
                                       const struct kafka_reader_options *options, struct err *err)
{
    struct kafka_reader *r = memory_get(sizeof *r);
    r->options = *options;
    r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = r->event >= 0 && kafka_place_parse(&r->place, url, more, err) &&
              reader_configure(r, err) && client_open(r, err) &&
              (r->is_member ? group_join(r, err) : reader_open_topic(r, err));
    if (ok) {
        reader_wake_by(r, r->queue);
        return r;
    }
    kafka_reader_close(r);
    return NULL;
}

static void fetched_free(struct kafka_reader *r)
{
    for (uint32_t i = 0; i < r->fetched_count; i++) kafka.message_destroy(r->fetched[i]);
    r->fetched_count = r->list_count = 0;
}

void kafka_reader_close(struct kafka_reader *r)
{
    if (!r) return;
    r->is_closing = true;
    fetched_free(r);
    if (r->client) {
        reader_stop(r);
        for (int32_t i = 0; i < r->partition_count; i++) apart_end(&r->partitions[i]);
        if (r->queue) kafka.queue_destroy(r->queue);
        if (r->is_member) kafka.consumer_close(r->client);
        if (r->topic) kafka.topic_destroy(r->topic);
        kafka.destroy(r->client);
    }
    kafka_place_deinit(&r->place);
    for (int32_t i = 0; i < r->partition_count; i++) memory_free(r->partitions[i].input);
    memory_free(r->partitions);
    memory_free(r->cluster);
    if (r->event >= 0) close(r->event);
    memory_free(r);
}

// ---- reading ------------------------------------------------------------------------------------

static bool take_fetched(struct kafka_reader *r, struct err *err)
{
    for (uint32_t i = 0; i < r->fetched_count; i++) {
        const rd_kafka_message_t *m = r->fetched[i];
        if (m->err) {
            if (!reader_take_event(r, m, err)) return false;
        } else if (reader_is_new(r, m)) {
            r->list[r->list_count++] =
                (struct kafka_message){bytes_of(m->key, m->key_len), bytes_of(m->payload, m->len),
                                       m->partition, m->offset, 0};
        }
    }
    if (r->list_count && r->was_told) reader_tell_back(r);
    return true;
}

int kafka_reader_read(struct kafka_reader *r, nanos now, const struct kafka_message **list,
                      struct err *err)
{
    uint64_t events;
    bool ok = true;
    fetched_free(r);
    (void)!read(r->event, &events, sizeof events);
    if (!r->is_member) {
        kafka.poll(r->client, 0);
        ok = reader_look(r, now, err);
    }
    ssize_t n = ok ? kafka.consume_batch_queue(r->queue, 0, r->fetched, KAFKA_MESSAGES_AT_ONCE) : 0;
    r->fetched_count = n > 0 ? (uint32_t)n : 0;
    ok = ok && take_fetched(r, err);
    if (r->failure.code) *err = r->failure;
    *list = r->list;
    return ok && !r->failure.code ? (int)r->list_count : -1;
}

// A partition that had nothing yet has a place from now on: what comes and goes before we are here
// again is missing, and what comes is read also where reading began at the end.
static void ends_note(struct kafka_reader *r)
{
    for (int32_t i = 0; i < r->partition_count; i++)
        if (r->partitions[i].next < 0 && r->partitions[i].is_at_end)
            r->partitions[i].next = r->partitions[i].end;
    r->has_ends = false;
}

void kafka_reader_done(struct kafka_reader *r)
{
    for (uint32_t i = 0; i < r->list_count; i++) {
        struct partition *p = &r->partitions[r->list[i].partition];
        p->next = r->list[i].offset + 1;
        p->messages++;
        p->bytes += r->list[i].value.n;
    }
    if (r->has_ends) ends_note(r);
    fetched_free(r);
}

bool kafka_reader_is_at_end(const struct kafka_reader *r)
{
    uint32_t open = 0;
    for (int32_t i = 0; i < r->partition_count; i++)
        open += r->partitions[i].is_ours && !r->partitions[i].is_at_end;
    return r->place.until_end && r->is_begun && !open;
}

int kafka_reader_descriptor(const struct kafka_reader *r)
{
    return r->event;
}

const char *kafka_reader_name(const struct kafka_reader *r)
{
    return r->place.name;
}

const char *kafka_reader_topic(const struct kafka_reader *r)
{
    return r->place.topic;
}

const char *kafka_reader_format(const struct kafka_reader *r)
{
    return r->place.format;
}

const char *kafka_reader_link(const struct kafka_reader *r)
{
    return r->place.link;
}

// ---- how far ------------------------------------------------------------------------------------

void kafka_reader_positions(const struct kafka_reader *r,
                            void (*take)(void *context, const char *input, uint64_t next),
                            void *context)
{
    for (int32_t i = 0; i < r->partition_count; i++)
        if (r->partitions[i].next > r->partitions[i].kept)
            take(context, r->partitions[i].input, (uint64_t)r->partitions[i].next);
}

void kafka_reader_kept(struct kafka_reader *r)
{
    for (int32_t i = 0; i < r->partition_count; i++) r->partitions[i].kept = r->partitions[i].next;
    group_tell(r, !r->is_member);
}

// ---- what was counted ---------------------------------------------------------------------------

bool kafka_reader_taken(const struct kafka_reader *r, int32_t partition, struct kafka_taken *taken)
{
    int64_t low, high;
    if (partition >= r->partition_count) return false;
    const struct partition *p = &r->partitions[partition];
    *taken = (struct kafka_taken){p->messages, p->bytes, -1};
    bool is_known = p->is_ours && p->next >= 0 &&
                    kafka.get_watermark_offsets(r->client, r->place.topic, partition, &low,
                                                &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                    high >= 0;
    if (is_known) taken->behind = high > p->next ? high - p->next : 0;
    return true;
}

uint64_t kafka_reader_faults(const struct kafka_reader *r)
{
    return r->faults;
}
