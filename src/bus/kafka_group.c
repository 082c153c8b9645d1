// Partitions that a group shares out, and what it is told.
#include "bus/kafka_reader_inside.h"

#include <stdio.h>

enum { SENTENCE_MAX = KAFKA_NAME_MAX + ERR_TEXT_MAX };

static void tell_plain(struct kafka_reader *r, const char *what, const char *why)
{
    char sentence[SENTENCE_MAX];
    snprintf(sentence, sizeof sentence, "%s: %s: %s", r->place.name, what, why);
    r->options.tell(r->options.context, sentence);
}

static void partitions_take(struct kafka_reader *r, rd_kafka_topic_partition_list_t *list)
{
    struct err *err = &r->failure;
    reader_find_cluster(r);
    rd_kafka_resp_err_t error = kafka.committed(r->client, list, READER_ANSWER_MS);
    if (error) tell_plain(r, "the group's offsets cannot be had", kafka.err2str(error));
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        if (!reader_grow(r, p->partition + 1, err)) return;
        p->offset = reader_begin_at(r, &r->partitions[p->partition], error ? -1 : p->offset);
    }
    error = kafka.assign(r->client, list);
    if (error) reader_fail(r, error, err);
    r->is_begun = true;
    reader_tell_back(r);
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
void group_tell(struct kafka_reader *r, bool wait)
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
    if (r->is_closing || r->options.keep(r->options.context, &r->failure)) group_tell(r, true);
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

int64_t group_next(struct kafka_reader *r, int32_t partition)
{
    if (!*r->place.group) return -1;
    rd_kafka_topic_partition_list_t *list = kafka.topic_partition_list_new(1);
    rd_kafka_topic_partition_t *p = kafka.topic_partition_list_add(list, r->place.topic, partition);
    rd_kafka_resp_err_t error = kafka.committed(r->client, list, READER_ANSWER_MS);
    int64_t next = error || p->offset < 0 ? -1 : p->offset;
    if (error) tell_plain(r, "the group's offsets cannot be had", kafka.err2str(error));
    kafka.topic_partition_list_destroy(list);
    return next;
}

void group_configure(struct kafka_reader *r)
{
    kafka.conf_set_rebalance_cb(r->place.conf, on_rebalance);
    kafka.conf_set_offset_commit_cb(r->place.conf, on_commit);
}

bool group_join(struct kafka_reader *r, struct err *err)
{
    kafka.poll_set_consumer(r->client);
    r->queue = kafka.queue_get_consumer(r->client);
    rd_kafka_topic_partition_list_t *list = kafka.topic_partition_list_new(1);
    kafka.topic_partition_list_add(list, r->place.topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = kafka.subscribe(r->client, list);
    kafka.topic_partition_list_destroy(list);
    return !error || reader_fail(r, error, err);
}

bool group_restart(struct kafka_reader *r, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = kafka.topic_partition_list_new(1);
    for (int32_t i = 0; i < r->partition_count; i++)
        if (r->partitions[i].is_ours)
            kafka.topic_partition_list_add(list, r->place.topic, i)->offset =
                reader_begin_at(r, &r->partitions[i], -1);
    rd_kafka_resp_err_t error = kafka.assign(r->client, list);
    kafka.topic_partition_list_destroy(list);
    return !error || reader_fail(r, error, err);
}
