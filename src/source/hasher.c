#include "source/hasher.h"

#include <pthread.h>

#include "base/memory.h"

enum { HASHER_QUEUE_MAX = 16 };

struct hash_piece {
    struct hash_job *job;
    struct packet_buffer *buffer;
    bytes view;
};

struct hasher {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied;
    struct hash_piece queue[HASHER_QUEUE_MAX];
    uint32_t first, count;
    bool stopping;
};

// Leaves the piece in the queue while it is hashed, so that the queue's bound holds for it too.
static bool hasher_wait(struct hasher *h, struct hash_piece *piece)
{
    pthread_mutex_lock(&h->mutex);
    while (h->count == 0 && !h->stopping) pthread_cond_wait(&h->filled, &h->mutex);
    bool some = h->count > 0;
    if (some) *piece = h->queue[h->first];
    pthread_mutex_unlock(&h->mutex);
    return some;
}

static void hasher_done(struct hasher *h, const struct hash_piece *piece)
{
    pthread_mutex_lock(&h->mutex);
    h->first = (h->first + 1) % HASHER_QUEUE_MAX;
    h->count--;
    piece->job->waiting--;
    pthread_cond_signal(&h->emptied);
    pthread_mutex_unlock(&h->mutex);
}

static void *hasher_run(void *context)
{
    struct hasher *h = context;
    struct hash_piece piece;
    while (hasher_wait(h, &piece)) {
        sha256_add(&piece.job->state, piece.view);
        packet_buffer_unref(piece.buffer);
        hasher_done(h, &piece);
    }
    return NULL;
}

struct hasher *hasher_create(struct err *err)
{
    struct hasher *h = memory_get(sizeof *h);
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->filled, NULL);
    pthread_cond_init(&h->emptied, NULL);
    int error_number = pthread_create(&h->thread, NULL, hasher_run, h);
    if (error_number == 0) {
        pthread_setname_np(h->thread, "weir-hash"); // so that what hashing costs can be told apart
        return h;
    }
    err_system(err, error_number, "cannot start the thread that hashes the captures");
    memory_free(h);
    return NULL;
}

void hasher_destroy(struct hasher *h)
{
    if (!h) return;
    pthread_mutex_lock(&h->mutex);
    h->stopping = true;
    pthread_cond_signal(&h->filled);
    pthread_mutex_unlock(&h->mutex);
    pthread_join(h->thread, NULL);
    pthread_mutex_destroy(&h->mutex);
    pthread_cond_destroy(&h->filled);
    pthread_cond_destroy(&h->emptied);
    memory_free(h);
}

void hash_job_init(struct hash_job *job)
{
    sha256_init(&job->state);
    job->waiting = 0;
}

void hasher_add(struct hasher *h, struct hash_job *job, struct packet_buffer *buffer, bytes view)
{
    if (view.n == 0) return;
    packet_buffer_ref(buffer);
    pthread_mutex_lock(&h->mutex);
    while (h->count == HASHER_QUEUE_MAX) pthread_cond_wait(&h->emptied, &h->mutex);
    h->queue[(h->first + h->count) % HASHER_QUEUE_MAX] = (struct hash_piece){job, buffer, view};
    h->count++;
    job->waiting++;
    pthread_cond_signal(&h->filled);
    pthread_mutex_unlock(&h->mutex);
}

void hasher_end(struct hasher *h, struct hash_job *job, uint8_t digest[SHA256_SIZE])
{
    pthread_mutex_lock(&h->mutex);
    while (job->waiting > 0) pthread_cond_wait(&h->emptied, &h->mutex);
    pthread_mutex_unlock(&h->mutex);
    sha256_end(&job->state, digest);
}
