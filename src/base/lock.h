// A lock for the few places where lanes meet (store/, extract's sink): held for moments, never
// across a call that blocks on another lane. Stages themselves share nothing they write.
#pragma once

#include <pthread.h>

struct lock {
    pthread_mutex_t mutex;
};

#define LOCK_INIT                                                                                  \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER                                                                  \
    }

static inline void lock_init(struct lock *l)
{
    pthread_mutex_init(&l->mutex, NULL);
}

static inline void lock_deinit(struct lock *l)
{
    pthread_mutex_destroy(&l->mutex);
}

static inline void lock_take(struct lock *l)
{
    pthread_mutex_lock(&l->mutex);
}

static inline void lock_give(struct lock *l)
{
    pthread_mutex_unlock(&l->mutex);
}
