#include "bus/broadcast.h"

#include <assert.h>
#include <pthread.h>

#include "base/memory.h"

struct broadcast {
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    uint64_t published;
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

void *broadcast_acquire(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->published - slowest(b) >= b->slot_count) pthread_cond_wait(&b->freed, &b->lock);
    void *slot = b->slots[b->published % b->slot_count];
    pthread_mutex_unlock(&b->lock);
    return slot;
}

void broadcast_publish(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    b->published++;
    pthread_cond_broadcast(&b->filled);
    pthread_mutex_unlock(&b->lock);
}

void broadcast_close(struct broadcast *b)
{
    pthread_mutex_lock(&b->lock);
    b->closed = true;
    pthread_cond_broadcast(&b->filled);
    pthread_mutex_unlock(&b->lock);
}

void *broadcast_next(struct broadcast *b, uint32_t which)
{
    pthread_mutex_lock(&b->lock);
    while (b->finished[which] == b->published && !b->closed) pthread_cond_wait(&b->filled, &b->lock);
    void *slot = b->finished[which] == b->published ? NULL : b->slots[b->finished[which] % b->slot_count];
    pthread_mutex_unlock(&b->lock);
    return slot;
}

void broadcast_done(struct broadcast *b, uint32_t which)
{
    pthread_mutex_lock(&b->lock);
    b->finished[which]++;
    // The producer waits only when all slots are out: nobody is woken otherwise.
    if (b->published - slowest(b) == b->slot_count - 1) pthread_cond_signal(&b->freed);
    pthread_mutex_unlock(&b->lock);
}
