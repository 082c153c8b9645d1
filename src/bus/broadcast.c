#include "bus/broadcast.h"

#include <assert.h>
#include <pthread.h>

#include "base/memory.h"

struct broadcast {
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    uint64_t published, flushed;
    uint32_t waiting; // consumers
    bool full;        // the producer waits
    bool closed;
    uint32_t slot_count, consumers;
    void **slots;
    uint64_t *finished; // slots that each consumer is done with
};

struct broadcast *broadcast_create(void *const *slots, uint32_t slot_count, uint32_t consumers)
{
    assert(slot_count >= 2 && consumers >= 1);
    struct broadcast *b = memory_get(sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->filled, NULL);
    pthread_cond_init(&b->freed, NULL);
    b->slot_count = slot_count;
    b->consumers = consumers;
    b->slots = memory_get(slot_count * sizeof *b->slots);
    for (uint32_t i = 0; i < slot_count; i++) b->slots[i] = slots[i];
    b->finished = memory_get(consumers * sizeof *b->finished);
    return b;
}

void broadcast_destroy(struct broadcast *b)
{
    if (!b) return;
    pthread_cond_destroy(&b->freed);
    pthread_cond_destroy(&b->filled);
    pthread_mutex_destroy(&b->lock);
    memory_free(b->slots);
    memory_free(b->finished);
    memory_free(b);
}

static uint64_t slowest(const struct broadcast *b)
{
    uint64_t n = b->published;
    for (uint32_t i = 0; i < b->consumers; i++)
        if (b->finished[i] < n) n = b->finished[i];
    return n;
}

// Waking a thread costs more than a batch of packets: whoever had to wait is only woken for half of
// the slots at once, or when there will be no more.
static uint64_t worth_waking(const struct broadcast *b)
{
    return b->slot_count / 2;
}

static void wake_consumers(struct broadcast *b)
{
    if (b->waiting) pthread_cond_broadcast(&b->filled);
}

void *broadcast_acquire(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    if (b->published - slowest(b) >= b->slot_count) {
        wake_consumers(b);
        b->full = true;
        while (b->published - slowest(b) > b->slot_count - worth_waking(b))
            pthread_cond_wait(&b->freed, &b->lock);
        b->full = false;
    }
    void *slot = b->slots[b->published % b->slot_count];
    pthread_mutex_unlock(&b->lock);
    return slot;
}

void broadcast_publish(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    b->published++;
    if (b->published - slowest(b) >= worth_waking(b)) wake_consumers(b);
    pthread_mutex_unlock(&b->lock);
}

void broadcast_flush(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    b->flushed = b->published;
    wake_consumers(b);
    pthread_mutex_unlock(&b->lock);
}

void broadcast_drain(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    b->flushed = b->published;
    wake_consumers(b);
    b->full = true;
    while (slowest(b) < b->published) pthread_cond_wait(&b->freed, &b->lock);
    b->full = false;
    pthread_mutex_unlock(&b->lock);
}

void broadcast_close(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    b->closed = true;
    wake_consumers(b);
    pthread_mutex_unlock(&b->lock);
}

static bool nothing_worth_waking(const struct broadcast *b, uint32_t which)
{
    uint64_t ready = b->published - b->finished[which];
    if (ready == 0) return !b->closed;
    return ready < worth_waking(b) && b->finished[which] >= b->flushed && !b->full && !b->closed;
}

void *broadcast_next(struct broadcast *b, uint32_t which)
{
    pthread_mutex_lock(&b->lock);
    if (b->finished[which] == b->published) {
        b->waiting++;
        while (nothing_worth_waking(b, which)) pthread_cond_wait(&b->filled, &b->lock);
        b->waiting--;
    }
    void *slot =
        b->finished[which] == b->published ? NULL : b->slots[b->finished[which] % b->slot_count];
    pthread_mutex_unlock(&b->lock);
    return slot;
}

void broadcast_done(struct broadcast *b, uint32_t which)
{
    pthread_mutex_lock(&b->lock);
    b->finished[which]++;
    if (b->full && b->published - slowest(b) <= b->slot_count - worth_waking(b))
        pthread_cond_signal(&b->freed);
    pthread_mutex_unlock(&b->lock);
}
