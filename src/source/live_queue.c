#include "source/live_queue.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

enum { QUEUED_MAX = sizeof(struct live_queued) + LIVE_PACKET_MAX + 8 };

void live_queue_init(struct live_queue *q, size_t size)
{
    *q = (struct live_queue){.data = memory_get(size), .size = size};
}

void live_queue_deinit(struct live_queue *q)
{
    memory_free(q->data);
}

static size_t queued_size(uint32_t captured)
{
    return sizeof(struct live_queued) + (captured + (size_t)7) / 8 * 8;
}

bool live_queue_has_room(struct live_queue *q)
{
    if (q->size - q->end >= QUEUED_MAX) return true;
    if (q->at < q->size / 2) return false;
    memmove(q->data, q->data + q->at, q->end - q->at);
    q->end -= q->at;
    q->at = 0;
    return true;
}

void live_queue_put(struct live_queue *q, const struct live_queued *head, const uint8_t *data)
{
    struct live_queued cut = *head;
    if (cut.captured > LIVE_PACKET_MAX) cut.captured = LIVE_PACKET_MAX;
    assert(q->size - q->end >= QUEUED_MAX);
    memcpy(q->data + q->end, &cut, sizeof cut);
    memcpy(q->data + q->end + sizeof cut, data, cut.captured);
    q->end += queued_size(cut.captured);
    q->last = cut.time;
}

bool live_queue_first(const struct live_queue *q, struct live_queued *head)
{
    if (q->at == q->end) return false;
    memcpy(head, q->data + q->at, sizeof *head);
    return true;
}

const uint8_t *live_queue_data(const struct live_queue *q)
{
    return q->data + q->at + sizeof(struct live_queued);
}

void live_queue_pass(struct live_queue *q, const struct live_queued *head)
{
    q->at += queued_size(head->captured);
    if (q->at == q->end) q->at = q->end = 0;
}
