#include "base/ahead.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/memory.h"

struct ahead {
    void (*work)(void *context);
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_busy, is_ending;
};

static bool ahead_next(struct ahead *a)
{
    pthread_mutex_lock(&a->mutex);
    while (!a->is_busy && !a->is_ending) pthread_cond_wait(&a->changed, &a->mutex);
    bool more = a->is_busy;
    pthread_mutex_unlock(&a->mutex);
    return more;
}

static void ahead_set(struct ahead *a, bool *what, bool value)
{
    pthread_mutex_lock(&a->mutex);
    *what = value;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

static void *ahead_run(void *context)
{
    struct ahead *a = context;
    while (ahead_next(a)) {
        a->work(a->context);
        ahead_set(a, &a->is_busy, false);
    }
    return NULL;
}

struct ahead *ahead_create(void (*work)(void *context), void *context)
{
    struct ahead *a = memory_get(sizeof *a);
    a->work = work;
    a->context = context;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    if (pthread_create(&a->thread, NULL, ahead_run, a) == 0) {
        pthread_setname_np(a->thread, "weir-ahead");
        return a;
    }
    memory_free(a);
    return NULL;
}

void ahead_destroy(struct ahead *a)
{
    if (!a) return;
    ahead_set(a, &a->is_ending, true);
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->mutex);
    pthread_cond_destroy(&a->changed);
    memory_free(a);
}

void ahead_begin(struct ahead *a)
{
    assert(!a->is_busy);
    ahead_set(a, &a->is_busy, true);
}

void ahead_wait(struct ahead *a)
{
    pthread_mutex_lock(&a->mutex);
    while (a->is_busy) pthread_cond_wait(&a->changed, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
}
