#include "source/aside.h"

#include <pthread.h>

#include "base/memory.h"

enum { ASIDE_QUEUE_MAX = 16 };

struct aside_piece {
    struct aside_job *job;
    struct packet_buffer *buffer;
    bytes view;
};

struct aside {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied;
    struct aside_piece queue[ASIDE_QUEUE_MAX];
    uint32_t first, count;
    bool stopping;
};

// Leaves the piece in the queue while it is taken, so that the queue's bound holds for it too.
static bool aside_next(struct aside *a, struct aside_piece *piece)
{
    pthread_mutex_lock(&a->mutex);
    while (a->count == 0 && !a->stopping) pthread_cond_wait(&a->filled, &a->mutex);
    bool some = a->count > 0;
    if (some) *piece = a->queue[a->first];
    pthread_mutex_unlock(&a->mutex);
    return some;
}

static void aside_done(struct aside *a, const struct aside_piece *piece)
{
    pthread_mutex_lock(&a->mutex);
    a->first = (a->first + 1) % ASIDE_QUEUE_MAX;
    a->count--;
    piece->job->waiting--;
    pthread_cond_signal(&a->emptied);
    pthread_mutex_unlock(&a->mutex);
}

static void *aside_run(void *context)
{
    struct aside *a = context;
    struct aside_piece piece;
    while (aside_next(a, &piece)) {
        piece.job->take(piece.job->context, piece.view);
        packet_buffer_unref(piece.buffer);
        aside_done(a, &piece);
    }
    return NULL;
}

struct aside *aside_create(const char *name, struct err *err)
{
    struct aside *a = memory_get(sizeof *a);
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->filled, NULL);
    pthread_cond_init(&a->emptied, NULL);
    int error_number = pthread_create(&a->thread, NULL, aside_run, a);
    if (error_number == 0) {
        pthread_setname_np(a->thread, name); // so that what it costs can be told apart
        return a;
    }
    err_system(err, error_number, "cannot start the thread %s beside the reading", name);
    memory_free(a);
    return NULL;
}

void aside_destroy(struct aside *a)
{
    if (!a) return;
    pthread_mutex_lock(&a->mutex);
    a->stopping = true;
    pthread_cond_signal(&a->filled);
    pthread_mutex_unlock(&a->mutex);
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->mutex);
    pthread_cond_destroy(&a->filled);
    pthread_cond_destroy(&a->emptied);
    memory_free(a);
}

void aside_add(struct aside *a, struct aside_job *job, struct packet_buffer *buffer, bytes view)
{
    if (view.n == 0) return;
    packet_buffer_ref(buffer);
    pthread_mutex_lock(&a->mutex);
    while (a->count == ASIDE_QUEUE_MAX) pthread_cond_wait(&a->emptied, &a->mutex);
    a->queue[(a->first + a->count) % ASIDE_QUEUE_MAX] = (struct aside_piece){job, buffer, view};
    a->count++;
    job->waiting++;
    pthread_cond_signal(&a->filled);
    pthread_mutex_unlock(&a->mutex);
}

void aside_wait(struct aside *a, struct aside_job *job)
{
    pthread_mutex_lock(&a->mutex);
    while (job->waiting > 0) pthread_cond_wait(&a->emptied, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
}
