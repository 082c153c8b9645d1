// A thread beside the reading: it takes the very bytes that are read, to hash them or to keep them.
//
// One thread serves all files of a source. Its queue is bounded; when it is full the reader waits,
// so memory is bounded too. It holds a reference to each buffer it has still to take from.
#pragma once

#include "base/err.h"
#include "record/packet.h"

struct aside;

// What is done with one file's bytes, in their order. Caller's storage, not to be moved until
// aside_wait.
struct aside_job {
    void (*take)(void *context, bytes view);
    void *context;
    uint32_t waiting; // pieces in the queue
};

struct aside *aside_create(const char *name, struct err *err); // NULL and err on failure
void aside_destroy(struct aside *a); // NULL is fine; every job must have ended

// Adds a view into `buffer` to the job. Called by one thread, in the order of the file.
void aside_add(struct aside *a, struct aside_job *job, struct packet_buffer *buffer, bytes view);
// Waits until all that was added was taken.
void aside_wait(struct aside *a, struct aside_job *job);
