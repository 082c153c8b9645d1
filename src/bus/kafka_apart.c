// Messages of each partition apart: the queue of one waits while those of others are taken.
#include "bus/kafka_reader_inside.h"

#include <sys/eventfd.h>

#include "base/memory.h"

void apart_begin(struct kafka_reader *r, struct partition *p)
{
    p->ahead = memory_get(sizeof *p->ahead);
    p->ahead->queue = kafka.queue_new(r->client);
    reader_wake_by(r, p->ahead->queue);
}

static void ahead_free(struct ahead *a)
{
    while (a->at < a->count) kafka.message_destroy(a->fetched[a->at++]);
}

void apart_end(struct partition *p)
{
    if (!p->ahead) return;
    ahead_free(p->ahead);
    kafka.queue_destroy(p->ahead->queue);
    memory_free(p->ahead);
    p->ahead = NULL;
}

int32_t kafka_reader_turn(struct kafka_reader *r, nanos now, struct err *err)
{
    uint64_t events;
    eventfd_read(r->event, &events);
    kafka.poll(r->client, 0);
    bool ok = reader_look(r, now, err);
    if (r->failure.code) *err = r->failure;
    return ok && !r->failure.code ? r->partition_count : -1;
}

// The first message at hand that was not taken; NULL when others must be fetched.
static const rd_kafka_message_t *first(struct kafka_reader *r, struct ahead *a, struct err *err)
{
    for (; a->at < a->count; kafka.message_destroy(a->fetched[a->at++])) {
        const rd_kafka_message_t *m = a->fetched[a->at];
        if (!m->err && reader_is_new(r, m)) return m;
        if (m->err && !reader_take_event(r, m, err)) return NULL;
    }
    return NULL;
}

enum kafka_next kafka_reader_next(struct kafka_reader *r, int32_t partition,
                                  struct kafka_message *message, struct err *err)
{
    struct partition *p = &r->partitions[partition];
    struct ahead *a = p->ahead;
    struct err wrong = {0};
    const rd_kafka_message_t *m = first(r, a, &wrong);
    if (!m && !wrong.code) {
        ssize_t n = kafka.consume_batch_queue(a->queue, 0, a->fetched, KAFKA_AHEAD);
        a->at = 0;
        a->count = n > 0 ? (uint32_t)n : 0;
        m = first(r, a, &wrong);
    }
    if (wrong.code) {
        *err = wrong;
        return KAFKA_FAILED;
    }
    if (!m && p->is_at_end && p->next < 0) p->next = p->end;
    if (!m) return p->is_at_end ? KAFKA_AT_END : KAFKA_NONE_YET;
    int64_t sent = kafka.message_timestamp(m, NULL);
    reader_tell_back(r);
    *message =
        (struct kafka_message){bytes_of(m->key, m->key_len), bytes_of(m->payload, m->len),
                               m->partition, m->offset, sent > 0 ? sent * NANOS_PER_MILLI : 0};
    return KAFKA_MESSAGE;
}

void kafka_reader_pass(struct kafka_reader *r, int32_t partition)
{
    struct partition *p = &r->partitions[partition];
    struct ahead *a = p->ahead;
    p->next = a->fetched[a->at]->offset + 1;
    kafka.message_destroy(a->fetched[a->at++]);
}
