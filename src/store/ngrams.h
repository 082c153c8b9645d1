// An index of n-grams: which stretches of streams and artifacts may hold given bytes. For each
// stretch a Bloom filter over its sequences of NGRAM_SIZE bytes, ASCII letters folded; so it may
// say "maybe" where there is nothing, and never "no" where there is something.
//
// A cache, not evidence: it can be made again from the case, and whoever doubts it looks without
// it. Its format is in docs/formats/case.md. All of it takes at most NGRAMS_SHARE_PERCENT of the
// payload (and NGRAMS_FIXED_SIZE bytes); where filters would be too full to be of use, there is
// none, and the stretch is always looked at. Thread: one. Memory: 2 MB; the size of an index does
// not matter.
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "record/id.h"

enum {
    NGRAM_SIZE = 4,
    NGRAMS_NEEDLE_MAX = 64, // bytes of what is looked for that count
    NGRAMS_CHUNK = 65536,   // bytes of one stretch
    // Bytes before a stretch that stand in its filter too, so that a needle over its beginning lies
    // in it as a whole.
    NGRAMS_OVERLAP = NGRAMS_NEEDLE_MAX - 1,
    NGRAMS_SHARE_PERCENT = 3,
    NGRAMS_FIXED_SIZE = 96, // of an index that says nothing
};

// ---- making one ---------------------------------------------------------------------------------

struct ngrams_writer;

// `name` says what it is made from. The file is there once it is finished. NULL and err on failure.
struct ngrams_writer *ngrams_create(const char *path, const uint8_t name[SHA256_SIZE],
                                    struct err *err);
// Payload that is, or will be, in a stretch: what the size is measured by. To be told first.
void ngrams_payload(struct ngrams_writer *w, uint64_t bytes);
// A stretch, at most NGRAMS_CHUNK + NGRAMS_OVERLAP bytes: of a conversation, of conversations that
// began from `from` to `to` (microseconds, as in their ids) and have no stretch of their own, of an
// artifact. Without bytes: always to be looked at.
void ngrams_conversation(struct ngrams_writer *w, struct record_id id, bytes stretch);
void ngrams_group(struct ngrams_writer *w, uint64_t from, uint64_t to, bytes stretch);
void ngrams_artifact(struct ngrams_writer *w, const uint8_t sha256[SHA256_SIZE], bytes stretch);

struct ngrams_size {
    uint64_t payload, index;        // bytes
    uint64_t stretches, unfiltered; // of them, those that are always looked at
};
// Makes it durable; false and err when it could not be written. Destroys the writer.
bool ngrams_finish(struct ngrams_writer *w, struct ngrams_size *size, struct err *err);
void ngrams_abandon(struct ngrams_writer *w); // NULL is fine

// ---- asking one ---------------------------------------------------------------------------------

struct ngrams_asking {
    bytes needle; // NGRAM_SIZE bytes at least; of more than NGRAMS_NEEDLE_MAX only the first count
    void *context;
    // Called for every stretch, with whether it may hold the needle. An artifact is told by the
    // first half of its hash.
    void (*conversation)(void *context, struct record_id id, bool may);
    void (*group)(void *context, uint64_t from, uint64_t to, bool may);
    void (*artifact)(void *context, struct record_id half, bool may);
};

enum ngrams_state {
    NGRAMS_FIT,
    NGRAMS_ABSENT,
    NGRAMS_OTHER,  // made from something else, or by another version
    NGRAMS_DAMAGED // what was told so far must be forgotten
};

enum ngrams_state ngrams_ask(const char *path, const uint8_t name[SHA256_SIZE],
                             const struct ngrams_asking *asking);
// The same of an index in memory.
enum ngrams_state ngrams_ask_bytes(bytes content, const uint8_t name[SHA256_SIZE],
                                   const struct ngrams_asking *asking);
// What stands in place of the hash of an artifact.
struct record_id ngrams_half(const uint8_t sha256[SHA256_SIZE]);

// The path below the case of the index of a reading, and of that of all artifacts (0).
enum { NGRAMS_PATH_MAX = 64 };
void ngrams_path(char path[NGRAMS_PATH_MAX], uint64_t reading);
// Whether an index lies there, or one that was never finished.
bool ngrams_is_path(const char *below);
