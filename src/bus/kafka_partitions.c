// The partitions of a topic: which there are, and where each is begun.
#include "bus/kafka_reader_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum {
    ASK_MS = 100,         // while brokers do not answer yet: others wait too
    REFRESH_SECONDS = 60, // how often new partitions are looked for
};
#define TOPIC_WAIT (10 * NANOS_PER_SECOND) // a broker that starts knows no topics for a moment

bool reader_grow(struct kafka_reader *r, int32_t count, struct err *err)
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
void reader_find_cluster(struct kafka_reader *r)
{
    if (r->cluster) return;
    char *id = kafka.clusterid(r->client, READER_ANSWER_MS);
    const char *name = id && strlen(id) < KAFKA_WORD_MAX ? id : "";
    r->cluster = text_copy(name);
    // It came from librdkafka's own heap.
    if (id) kafka.mem_free(r->client, id);
}

// Where the caller left it, if he knows; as far as a group says, where that is further on: another
// member had it in between.
int64_t reader_begin_at(struct kafka_reader *r, struct partition *p, int64_t group_next)
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

// ---- all partitions, for whoever is no member of a group ----------------------------------------

static bool partition_start(struct kafka_reader *r, int32_t number, int64_t offset, struct err *err)
{
    const struct ahead *ahead = r->partitions[number].ahead;
    rd_kafka_queue_t *queue = ahead ? ahead->queue : r->queue;
    return kafka.consume_start_queue(r->topic, number, offset, queue) == 0 ||
           err_set(err, ERR_MACHINE, "%s: partition %" PRId32 " cannot be read", r->place.name,
                   number);
}

static bool begin_partitions(struct kafka_reader *r, int32_t count, bool is_first, struct err *err)
{
    int32_t from = r->partition_count;
    if (!reader_grow(r, count, err)) return false;
    for (int32_t i = from; i < r->partition_count; i++) {
        if (r->options.is_apart) apart_begin(r, &r->partitions[i]);
        int64_t offset = reader_begin_at(r, &r->partitions[i], group_next(r, i));
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
    if (reader_is_final(t->err)) return reader_fail(r, t->err, err);
    if (t->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || t->partition_cnt == 0) {
        if (!is_first || now - r->first_asked < TOPIC_WAIT) return true;
        return err_set(err, ERR_INPUT, "%s: there is no such topic", r->place.name);
    }
    if (t->err) return true;
    reader_find_cluster(r);
    r->is_begun = true;
    reader_tell_back(r);
    return begin_partitions(r, t->partition_cnt, is_first, err);
}

bool reader_look(struct kafka_reader *r, nanos now, struct err *err)
{
    const struct rd_kafka_metadata *m;
    if (r->is_begun && (r->is_away || now - r->asked < REFRESH_SECONDS * NANOS_PER_SECOND))
        return true;
    if (!r->first_asked) r->first_asked = now;
    r->asked = now;
    rd_kafka_resp_err_t error = kafka.metadata(r->client, 0, r->topic, &m, ASK_MS);
    if (error) {
        if (now - r->first_asked >= NANOS_PER_SECOND) reader_tell_away(r, kafka.err2str(error));
        return true;
    }
    bool ok = take_metadata(r, m, now, err);
    kafka.metadata_destroy(m);
    return ok;
}

bool reader_open_topic(struct kafka_reader *r, struct err *err)
{
    r->queue = kafka.queue_new(r->client);
    r->topic = kafka.topic_new(r->client, r->place.topic, NULL);
    return r->topic || err_set(err, ERR_USAGE, "%s: no topic can have this name", r->place.name);
}

void reader_stop(struct kafka_reader *r)
{
    for (int32_t i = 0; r->topic && i < r->partition_count; i++)
        if (r->partitions[i].is_ours) kafka.consume_stop(r->topic, i);
}

// ---- what comes in the place of messages --------------------------------------------------------

// After such an error a partition is not being fetched any more.
static bool reader_restart(struct kafka_reader *r, int32_t number, struct err *err)
{
    kafka.consume_stop(r->topic, number);
    return partition_start(r, number, r->partitions[number].next, err);
}

// The place where we left is not there any more: time or size took the messages behind it, or the
// topic is another one of the same name.
static bool reader_reset(struct kafka_reader *r, int32_t number, struct err *err)
{
    struct partition *p = &r->partitions[number];
    int64_t low, high, next = p->next;
    rd_kafka_resp_err_t error = kafka.query_watermark_offsets(r->client, r->place.topic, number,
                                                              &low, &high, READER_ANSWER_MS);
    if (error) return reader_fail(r, error, err);
    if (next > high && r->place.from == KAFKA_FROM_UNSAID)
        return err_set(err, ERR_INPUT,
                       "%s: partition %" PRId32 " ends at %" PRId64 " and was read up to %" PRId64
                       " before: it is another topic of this name; read it into a new case, or "
                       "say from=beginning",
                       r->place.name, number, high, next);
    if (next >= 0 && next < low)
        r->options.lost(r->options.context, p->input, (uint64_t)(low - next));
    p->next = r->place.from == KAFKA_FROM_END && next > high ? high : low;
    return r->is_member ? group_restart(r, err) : reader_restart(r, number, err);
}

bool reader_take_event(struct kafka_reader *r, const rd_kafka_message_t *m, struct err *err)
{
    bool has_partition = m->partition >= 0 && m->partition < r->partition_count;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (has_partition) {
            r->partitions[m->partition].is_at_end = true;
            r->partitions[m->partition].end = m->offset;
            r->has_ends = true;
        }
        reader_tell_back(r);
        return true;
    }
    if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && has_partition)
        return reader_reset(r, m->partition, err);
    if (reader_is_final(m->err)) return reader_fail(r, m->err, err);
    reader_tell_away(r, kafka.err2str(m->err));
    return true;
}

bool reader_is_new(const struct kafka_reader *r, const rd_kafka_message_t *m)
{
    return m->partition >= 0 && m->partition < r->partition_count &&
           r->partitions[m->partition].is_ours && m->offset >= r->partitions[m->partition].next;
}
