// Where the records of a reading wait until it is committed: batches as they came, in a file
// without a name.
//
// So memory stays bounded however long the capture is, and a killed process leaves nothing behind.
// A batch is written with one system call and read back into the same form.
//
// Thread: spool_add from any number of lanes; everything else by one thread when no lane writes any
// more.
#pragma once

#include "base/err.h"
#include "base/lock.h"
#include "base/time.h"
#include "record/batch.h"
#include "store/artifact_names.h"
#include "store/disputes.h"

// A batch in the file.
struct spool_entry {
    uint64_t offset;
    uint32_t kind; // its place in the list of kinds
    uint32_t rows;
    uint32_t heap_used;
    uint64_t present;  // bit f: column f has values
    nanos first, last; // of the kind's times; first > last when it has none
};

struct spool {
    int file;
    const struct record_kind *const *kinds;
    unsigned kind_count;
    struct lock lock;
    struct spool_entry *entries;
    size_t entry_count, entry_size;
    uint64_t size; // bytes given out in the file
    struct disputes disputes;
    struct artifact_names names; // of what is in it
    int error;                   // errno of the first write that failed
};

// `folder` is where the file lies; NULL keeps it in memory. Keeps `kinds`.
bool spool_init(struct spool *s, const char *folder, const struct record_kind *const *kinds,
                unsigned kind_count, struct err *err) __attribute__((warn_unused_result));
void spool_deinit(struct spool *s);

void spool_add(struct spool *s, const struct record_batch *batch);

// Forgets the batches from the `entries`th on.
void spool_cut(struct spool *s, size_t entries);

// Reads a batch back; `into` must be of the same kind. Its rows are flagged ambiguous where it was
// found out later that they are. False when the file does not give it.
bool spool_read(struct spool *s, const struct spool_entry *entry, struct record_batch *into);
// One column of a batch, which the batch has, as it was put in; and the texts of all.
bool spool_read_column(const struct spool *s, const struct spool_entry *entry, unsigned field,
                       struct column *into);
bool spool_read_heap(const struct spool *s, const struct spool_entry *entry, uint8_t *heap);

// The place of `kind` (by name) in the list, or -1.
int spool_kind(const struct spool *s, const char *name);
