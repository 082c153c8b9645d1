// The bodies of a case, kept by hash: artifacts/ab/abcdef….
//
// What a reading brings lies in artifacts/.new until it is committed: then it is made durable first
// and moved second, so a name below artifacts/ab is always whole. Small bodies are written with one
// call; larger ones go to a file as they come. What is kept in memory is bounded by
// ARTIFACT_MEMORY_MAX over all open bodies; beyond it every piece goes to its file at once.
//
// Thread: the sink's calls from any lane; the rest by one thread when no lane writes any more.
#pragma once

#include "base/err.h"
#include "base/lock.h"
#include "base/memory.h"
#include "record/artifact.h"

enum {
    ARTIFACTS_OPEN_MAX = 65535,
    ARTIFACT_MEMORY_MAX = 16 * 1024 * 1024,
    ARTIFACT_BUFFER_MAX = BLOCK_SIZE_MAX
};

struct artifacts {
    char *folder; // of the case; NULL: nothing is kept
    struct lock lock;
    struct pool slots;
    struct blocks blocks;
    uint64_t kept, kept_bytes; // new ones of this reading
    int error;                 // errno of the first write that failed
};

bool artifacts_init(struct artifacts *a, const char *folder, struct err *err)
    __attribute__((warn_unused_result));
void artifacts_deinit(struct artifacts *a);
struct artifact_sink artifacts_sink(struct artifacts *a);

// Makes what was kept since the last commit part of the case.
bool artifacts_commit(struct artifacts *a, struct err *err) __attribute__((warn_unused_result));
// Forgets it.
void artifacts_abort(struct artifacts *a);

// The path of an artifact below the case: "artifacts/ab/abcdef…".
enum { ARTIFACT_PATH_MAX = 96 };
void artifact_path(char path[ARTIFACT_PATH_MAX], const uint8_t sha256[32]);
