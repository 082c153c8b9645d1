#include "bus/kafka_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "bus/kafka_library.h"
#include "bus/kafka_place.h"

enum {
    ASK_MS = 100,         // while brokers do not answer yet: others wait too
    ANSWER_MS = 10000,    // once they did
    REFRESH_SECONDS = 60, // how often new partitions are looked for
    SENTENCE_MAX = KAFKA_NAME_MAX + ERR_TEXT_MAX,
};
#define TOPIC_WAIT (10 * NANOS_PER_SECOND) // a broker that starts knows no topics for a moment

struct partition {
    int64_t next; // offset of the first message that was not taken; below 0: not known
    int64_t kept; // the same, of what is safe
    int64_t told; // the same, of what the group was told
    int64_t end;  // where it was at its end
    bool is_ours, is_at_end;
    char *input;
};

struct kafka_reader {
    struct kafka_reader_options options;
    struct kafka_place place;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic; // without a group
    rd_kafka_queue_t *queue;
    int event;
    bool is_begun, is_closing;
    bool has_ends;          // of partitions, in what was read last
    bool is_telling;        // the group, and it has not answered yet
    bool is_away, was_told; // the brokers do not answer; and that was said
    struct err failure;     // of a callback
    nanos asked, first_asked;
    char *cluster;
    struct partition *partitions;
    int32_t partition_count;
    rd_kafka_message_t *fetched[KAFKA_MESSAGES_AT_ONCE];
    struct kafka_message list[KAFKA_MESSAGES_AT_ONCE];
    uint32_t fetched_count, list_count;
};

// ---- what is told -------------------------------------------------------------------------------

static void tell_away(struct kafka_reader *r, const char *why)
{
    char sentence[SENTENCE_MAX];
    r->is_away = true;
    if (r->was_told) return;
    r->was_told = true;
    snprintf(sentence, sizeof sentence, "%s does not answer (%s): waiting for it", r->place.name,
             why);
    r->options.tell(r->options.context, sentence);
}

static void tell_back(struct kafka_reader *r)
{
    char sentence[SENTENCE_MAX];
    r->is_away = false;
    if (!r->was_told) return;
    r->was_told = false;
    snprintf(sentence, sizeof sentence, "%s answers again", r->place.name);
    r->options.tell(r->options.context, sentence);
}

static void tell_plain(struct kafka_reader *r, const char *what, const char *why)
{
    char sentence[SENTENCE_MAX];
    snprintf(sentence, sizeof sentence, "%s: %s: %s", r->place.name, what, why);
    r->options.tell(r->options.context, sentence);
}

static bool fail(struct kafka_reader *r, rd_kafka_resp_err_t error, struct err *err)
{
    return err_set(err, ERR_INPUT, "%s: %s", r->place.name, kafka.err2str(error));
}

// Errors that no waiting mends.
static bool is_final(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR__FATAL;
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct kafka_reader *r = opaque;
    (void)client;
    if (is_final(error)) fail(r, error, &r->failure);
    else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == RD_KAFKA_RESP_ERR__RESOLVE ||
             error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL)
        tell_away(r,
                  error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ? "all brokers are down" : reason);
}

// ---- partitions ---------------------------------------------------------------------------------

static bool partitions_grow(struct kafka_reader *r, int32_t count, struct err *err)
{
    if (count > KAFKA_PARTITIONS_MAX)
        return err_set(err, ERR_INPUT, "%s has more than %d partitions", r->place.name,
                       KAFKA_PARTITIONS_MAX);
    if (count <= r->partition_count) return true;
    r->partitions = memory_resize(r->partitions, (size_t)count * sizeof *r->partitions);
    for (int32_t i = r->partition_count; i < count; i++) {
        char input[KAFKA_INPUT_MAX];
        snprintf(input, sizeof input, "kafka:%s/%s/%" PRId32, r->cluster, r->place.topic, i);
        r->partitions[i] = (struct partition){.next = -1, .kept = -1, .told = -1};
        r->partitions[i].input = text_copy(input);
    }
    r->partition_count = count;
    return true;
}

// Cluster and topic name a partition for good; brokers come and go.
static void cluster_find(struct kafka_reader *r)
{
    if (r->cluster) return;
    char *id = kafka.clusterid(r->client, ANSWER_MS);
    const char *name = id && strlen(id) < KAFKA_WORD_MAX ? id : "";
    r->cluster = text_copy(name);
    // It came from librdkafka's own heap.
    if (id) kafka.mem_free(r->client, id);
}

// Where the caller left it, if he knows; as far as a group says, where that is further on: another
// member had it in between.
static int64_t position_begin(struct kafka_reader *r, struct partition *p, int64_t group_next)
{
    uint64_t next = 0;
    if (p->next < 0 && r->options.position(r->options.context, p->input, &next))
        p->next = p->kept = (int64_t)next;
    if (group_next > p->next) p->next = p->kept = group_next;
    p->told = group_next;
    p->is_ours = true;
    p->is_at_end = false;
    if (p->next >= 0) return p->next;
    return r->place.from == KAFKA_FROM_END ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
}

// ---- all partitions, without a group ------------------------------------------------------------

static bool partition_start(struct kafka_reader *r, int32_t number, int64_t offset, struct err *err)
{
    return kafka.consume_start_queue(r->topic, number, offset, r->queue) == 0 ||
           err_set(err, ERR_MACHINE, "%s: partition %" PRId32 " cannot be read", r->place.name,
                   number);
}

static bool begin_partitions(struct kafka_reader *r, int32_t count, bool is_first, struct err *err)
{
    int32_t from = r->partition_count;
    if (!partitions_grow(r, count, err)) return false;
    for (int32_t i = from; i < r->partition_count; i++) {
        int64_t offset = position_begin(r, &r->partitions[i], -1);
        // What a new partition has came after we began.
        if (!is_first && offset == RD_KAFKA_OFFSET_END) offset = RD_KAFKA_OFFSET_BEGINNING;
        if (!partition_start(r, i, offset, err)) return false;
    }
    return true;
}

static bool take_metadata(struct kafka_reader *r, const struct rd_kafka_metadata *m, nanos now,
                          struct err *err)
{
    const struct rd_kafka_metadata_topic *t = &m->topics[0];
    bool is_first = !r->is_begun;
    if (m->topic_cnt != 1) return true;
    if (is_final(t->err)) return fail(r, t->err, err);
    if (t->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || t->partition_cnt == 0) {
        if (!is_first || now - r->first_asked < TOPIC_WAIT) return true;
        return err_set(err, ERR_INPUT, "%s: there is no such topic", r->place.name);
    }
    if (t->err) return true;
    cluster_find(r);
    r->is_begun = true;
    tell_back(r);
    return begin_partitions(r, t->partition_cnt, is_first, err);
}

// Asks for the topic's partitions: until they are known often, then now and then.
static bool look_for_partitions(struct kafka_reader *r, nanos now, struct err *err)
{
    const struct rd_kafka_metadata *m;
    if (r->is_begun && (r->is_away || now - r->asked < REFRESH_SECONDS * NANOS_PER_SECOND))
        return true;
    if (!r->first_asked) r->first_asked = now;
    r->asked = now;
    rd_kafka_resp_err_t error = kafka.metadata(r->client, 0, r->topic, &m, ASK_MS);
    if (error) {
        if (now - r->first_asked >= NANOS_PER_SECOND) tell_away(r, kafka.err2str(error));
        return true;
    }
    bool ok = take_metadata(r, m, now, err);
    kafka.metadata_destroy(m);
    return ok;
}

// ---- with a group -------------------------------------------------------------------------------

static void partitions_take(struct kafka_reader *r, rd_kafka_topic_partition_list_t *list)
{
    struct err *err = &r->failure;
    cluster_find(r);
    rd_kafka_resp_err_t error = kafka.committed(r->client, list, ANSWER_MS);
    if (error) tell_plain(r, "the group's offsets cannot be had", kafka.err2str(error));
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        if (!partitions_grow(r, p->partition + 1, err)) return;
        p->offset = position_begin(r, &r->partitions[p->partition], error ? -1 : p->offset);
    }
    error = kafka.assign(r->client, list);
    if (error) fail(r, error, err);
    r->is_begun = true;
    tell_back(r);
}

// What we have counts more than what the group knows: when it did not hear it does later.
static void on_commit(rd_kafka_t *client, rd_kafka_resp_err_t error,
                      rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_reader *r = opaque;
    (void)client, (void)list;
    r->is_telling = false;
    if (error && error != RD_KAFKA_RESP_ERR__NO_OFFSET)
        for (int32_t i = 0; i < r->partition_count; i++) r->partitions[i].told = -1;
}

// Brokers that are away must hold nobody up, but whoever has a partition next is to know.
static void tell_group(struct kafka_reader *r, bool wait)
{
    if (!*r->place.group || (r->is_telling && !wait)) return;
    rd_kafka_topic_partition_list_t *list = kafka.topic_partition_list_new(1);
    for (int32_t i = 0; i < r->partition_count; i++) {
        struct partition *p = &r->partitions[i];
        if (!p->is_ours || p->kept <= p->told) continue;
        p->told = p->kept;
        kafka.topic_partition_list_add(list, r->place.topic, i)->offset = p->kept;
    }
    if (list->cnt) r->is_telling = kafka.commit(r->client, list, !wait) == 0 && !wait;
    kafka.topic_partition_list_destroy(list);
}

// Messages that were fetched of them already are passed over: whoever has the partition next reads
// them.
static void partitions_give(struct kafka_reader *r, const rd_kafka_topic_partition_list_t *list)
{
    if (r->is_closing || r->options.keep(r->options.context, &r->failure)) tell_group(r, true);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].partition < r->partition_count)
            r->partitions[list->elems[i].partition].is_ours = false;
    kafka.assign(r->client, NULL);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_reader *r = opaque;
    (void)client;
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) partitions_take(r, list);
    else partitions_give(r, list);
}

// ---- opening ------------------------------------------------------------------------------------

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
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!kafka_place_set(&r->place, rows[i][0], rows[i][1], err)) return false;
    if (*r->place.group && !kafka_place_set(&r->place, "group.id", r->place.group, err))
        return false;
    kafka.conf_set_opaque(r->place.conf, r);
    kafka.conf_set_error_cb(r->place.conf, on_error);
    kafka.conf_set_log_cb(r->place.conf, NULL);
    if (!*r->place.group) return true;
    kafka.conf_set_rebalance_cb(r->place.conf, on_rebalance);
    kafka.conf_set_offset_commit_cb(r->place.conf, on_commit);
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

static bool group_join(struct kafka_reader *r, struct err *err)
{
    kafka.poll_set_consumer(r->client);
    r->queue = kafka.queue_get_consumer(r->client);
    rd_kafka_topic_partition_list_t *list = kafka.topic_partition_list_new(1);
    kafka.topic_partition_list_add(list, r->place.topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = kafka.subscribe(r->client, list);
    kafka.topic_partition_list_destroy(list);
    return !error || fail(r, error, err);
}

static bool topic_open(struct kafka_reader *r, struct err *err)
{
    r->queue = kafka.queue_new(r->client);
    r->topic = kafka.topic_new(r->client, r->place.topic, NULL);
    return r->topic || err_set(err, ERR_USAGE, "%s: no topic can have this name", r->place.name);
}

struct kafka_reader *kafka_reader_open(const char *url, const char *more,
                                       const struct kafka_reader_options *options, struct err *err)
{
    static const uint64_t one = 1;
    struct kafka_reader *r = memory_get(sizeof *r);
    r->options = *options;
    r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = r->event >= 0 && kafka_place_parse(&r->place, url, more, err) &&
              reader_configure(r, err) && client_open(r, err) &&
              (*r->place.group ? group_join(r, err) : topic_open(r, err));
    if (ok) {
        kafka.queue_io_event_enable(r->queue, r->event, &one, sizeof one);
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

static void partitions_stop(struct kafka_reader *r)
{
    for (int32_t i = 0; r->topic && i < r->partition_count; i++)
        if (r->partitions[i].is_ours) kafka.consume_stop(r->topic, i);
}

void kafka_reader_close(struct kafka_reader *r)
{
    if (!r) return;
    r->is_closing = true;
    fetched_free(r);
    if (r->client) {
        partitions_stop(r);
        if (r->queue) kafka.queue_destroy(r->queue);
        if (*r->place.group) kafka.consumer_close(r->client);
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

// After such an error a partition is not being fetched any more.
static bool partition_restart(struct kafka_reader *r, int32_t number, struct err *err)
{
    kafka.consume_stop(r->topic, number);
    return partition_start(r, number, r->partitions[number].next, err);
}

static bool group_restart(struct kafka_reader *r, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = kafka.topic_partition_list_new(1);
    for (int32_t i = 0; i < r->partition_count; i++)
        if (r->partitions[i].is_ours)
            kafka.topic_partition_list_add(list, r->place.topic, i)->offset =
                position_begin(r, &r->partitions[i], -1);
    rd_kafka_resp_err_t error = kafka.assign(r->client, list);
    kafka.topic_partition_list_destroy(list);
    return !error || fail(r, error, err);
}

// The place where we left is not there any more: time or size took the messages behind it, or the
// topic is another one of the same name.
static bool reset(struct kafka_reader *r, int32_t number, struct err *err)
{
    struct partition *p = &r->partitions[number];
    int64_t low, high, next = p->next;
    rd_kafka_resp_err_t error =
        kafka.query_watermark_offsets(r->client, r->place.topic, number, &low, &high, ANSWER_MS);
    if (error) return fail(r, error, err);
    if (next > high && r->place.from == KAFKA_FROM_UNSAID)
        return err_set(err, ERR_INPUT,
                       "%s: partition %" PRId32 " ends at %" PRId64 " and was read up to %" PRId64
                       " before: it is another topic of this name; read it into a new case, or "
                       "say from=beginning",
                       r->place.name, number, high, next);
    if (next >= 0 && next < low)
        r->options.lost(r->options.context, p->input, (uint64_t)(low - next));
    p->next = r->place.from == KAFKA_FROM_END && next > high ? high : low;
    return *r->place.group ? group_restart(r, err) : partition_restart(r, number, err);
}

static bool take_event(struct kafka_reader *r, const rd_kafka_message_t *m, struct err *err)
{
    bool has_partition = m->partition >= 0 && m->partition < r->partition_count;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (has_partition) {
            r->partitions[m->partition].is_at_end = true;
            r->partitions[m->partition].end = m->offset;
            r->has_ends = true;
        }
        tell_back(r);
        return true;
    }
    if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && has_partition)
        return reset(r, m->partition, err);
    if (is_final(m->err)) return fail(r, m->err, err);
    tell_away(r, kafka.err2str(m->err));
    return true;
}

// Whether it is one that was not taken yet.
static bool is_new(const struct kafka_reader *r, const rd_kafka_message_t *m)
{
    return m->partition >= 0 && m->partition < r->partition_count &&
           r->partitions[m->partition].is_ours && m->offset >= r->partitions[m->partition].next;
}

static bool take_fetched(struct kafka_reader *r, struct err *err)
{
    for (uint32_t i = 0; i < r->fetched_count; i++) {
        const rd_kafka_message_t *m = r->fetched[i];
        if (m->err) {
            if (!take_event(r, m, err)) return false;
        } else if (is_new(r, m)) {
            r->list[r->list_count++] =
                (struct kafka_message){bytes_of(m->key, m->key_len), bytes_of(m->payload, m->len),
                                       m->partition, m->offset};
        }
    }
    if (r->list_count && r->was_told) tell_back(r);
    return true;
}

int kafka_reader_read(struct kafka_reader *r, nanos now, const struct kafka_message **list,
                      struct err *err)
{
    uint64_t events;
    bool ok = true;
    fetched_free(r);
    (void)!read(r->event, &events, sizeof events);
    if (!*r->place.group) {
        kafka.poll(r->client, 0);
        ok = look_for_partitions(r, now, err);
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
    for (uint32_t i = 0; i < r->list_count; i++)
        r->partitions[r->list[i].partition].next = r->list[i].offset + 1;
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
    tell_group(r, false);
}
