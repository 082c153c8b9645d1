// Where the records of a reading wait until it is committed: batches as they came, in a file.
//
// So memory stays bounded however long the capture is. The file has no name, and a killed process
// leaves nothing behind; or it is a tail of the case (store/tail.h), from which what was put in can
// be had back. A batch (store/narrow.h) is written with one system call.
//
// Thread: spool_add from any number of lanes; spool_exchange while they do; everything else by one
// thread when no lane writes any more.
#pragma once

#include "base/err.h"
#include "base/lock.h"
#include "base/time.h"
#include "record/batch.h"
#include "store/artifact_names.h"
#include "store/disputes.h"
#include "store/narrow.h"

// A batch in a file.
struct spool_entry {
    uint64_t offset;
    int file;
    uint32_t kind; // its place in the list of kinds
    uint32_t size; // bytes in the file
    uint32_t rows;
    uint32_t heap_used;
    uint64_t present;  // bit f: column f has values
    nanos first, last; // of the kind's times; first > last when it has none
};

struct spool {
    int file;        // that takes what is added; -1: nothing is
    uint64_t number; // of the tail that it is
    bool is_read;    // somebody else may have written it: nothing in it is believed
    struct spool_entry *entries;
    size_t entry_count, entry_size;
    uint64_t rows; // of all of them
    size_t marked; // those that a mark stands behind
    uint64_t size; // bytes given out in the file
    struct disputes disputes;
    struct artifact_names names; // of what is in it
    int error;                   // errno of the first write that failed
    int *files;                  // those that were read in, besides `file`
    unsigned file_count;
    // From here on, what spool_exchange leaves where it is.
    struct lock lock;
    const struct record_kind *const *kinds;
    unsigned kind_count;
    bool is_tail; // batches stand in frames
    struct tail_frame *frame; // with room for any batch behind it; NULL: nothing was added yet
};

// `folder` is where the file lies; NULL keeps it in memory. Keeps `kinds`.
bool spool_init(struct spool *s, const char *folder, const struct record_kind *const *kinds,
                unsigned kind_count, struct err *err) __attribute__((warn_unused_result));
// One that has no file yet, and takes nothing.
void spool_init_empty(struct spool *s, const struct record_kind *const *kinds, unsigned kind_count);
void spool_deinit(struct spool *s);
// What is in one is in the other, while lanes add to `s`.
void spool_exchange(struct spool *s, struct spool *other);

void spool_add(struct spool *s, const struct record_batch *batch);

// Behind all that was added to a tail: from now on it counts, and what the mark says with it. 0, or
// errno.
int spool_mark(struct spool *s, bytes content);

// Forgets the batches from the `entries`th on.
void spool_cut(struct spool *s, size_t entries);

// Takes a batch into account that stands in a file already.
void spool_note(struct spool *s, const struct spool_entry *entry);

// Whether all batches of a kind can be had back, where somebody else may have written them: only
// then may their columns be read one by one.
bool spool_check(struct spool *s, unsigned kind);
// Reads a batch back; `into` must be of the same kind. Its rows are flagged ambiguous where it was
// found out later that they are. False when the file does not give it.
bool spool_read(struct spool *s, const struct spool_entry *entry, struct record_batch *into);
// The batch as it stands there, in the caller's memory of entry->size + NARROW_SLACK bytes. Its
// rows are flagged as they were put in.
bool spool_read_bytes(const struct spool *s, const struct spool_entry *entry, uint8_t *content,
                      struct narrow_view *view);

// The place of `kind` (by name) in the list, or -1.
int spool_kind(const struct spool *s, const char *name);
