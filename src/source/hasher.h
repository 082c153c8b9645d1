// A thread that hashes beside the reading: SHA-256 of files as stored, over the very bytes that are
// read.
//
// One thread serves all files of a source. Its queue is bounded; when it is full the reader waits,
// so memory is bounded too. It holds a reference to each buffer it has still to read.
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "record/packet.h"

struct hasher;

// One file's hash; caller's storage, begun by hash_job_init, not to be moved until hasher_end.
struct hash_job {
    struct sha256 state;
    uint32_t waiting; // pieces in the queue
};

struct hasher *hasher_create(struct err *err); // NULL and err on failure
void hasher_destroy(struct hasher *h);         // NULL is fine; every job must have ended

void hash_job_init(struct hash_job *job);
// Adds a view into `buffer` to the file's hash. Called by one thread, in the order of the file.
void hasher_add(struct hasher *h, struct hash_job *job, struct packet_buffer *buffer, bytes view);
// Waits for what is queued for this job; then the digest is that of all that was added.
void hasher_end(struct hasher *h, struct hash_job *job, uint8_t digest[SHA256_SIZE]);
