// Segments: the rows of one kind in the spool as Parquet files below records/KIND/.
//
// Written under a hidden name; segment_publish makes it durable and gives it its name. It counts
// only once the log names it.
#pragma once

#include "store/catalogue.h"
#include "store/spool.h"
#include "store/spool_table.h"

// A segment holds at most this; the first to be reached ends it. The bytes are those of the spool,
// some five times what the file has.
enum { SEGMENT_ROWS_MAX = 500000, SEGMENT_SPOOL_MAX = 320 * 1024 * 1024 };

// The batches [from, to) of a kind, as many as one segment takes; sets rows, times and `with`.
// False when there are none from `from` on.
bool segment_range(const struct spool *s, unsigned kind, size_t from,
                   struct catalogue_segment *segment, size_t *to);

// Writes it; `segment` has path, kind, rows, times and fields and gets bytes and SHA-256.
bool segment_write(struct spool *s, unsigned kind, const char *folder,
                   struct catalogue_segment *segment, size_t from, size_t to, struct err *err)
    __attribute__((warn_unused_result));
// The rows of a SELECT instead, which it counts; none are no failure.
bool segment_write_select(struct database *d, const char *folder, struct catalogue_segment *segment,
                          const char *select, struct err *err) __attribute__((warn_unused_result));
// Takes back one that was written and not published.
void segment_drop(const char *folder, const struct catalogue_segment *segment);
bool segment_publish(const char *folder, const struct catalogue_segment *segments, size_t count,
                     struct err *err) __attribute__((warn_unused_result));

// The SHA-256 and the size of a file.
bool segment_hash(const char *path, char sha256[HEX_SHA256_SIZE], uint64_t *size, struct err *err)
    __attribute__((warn_unused_result));

// Removes files below records/ that no reading names, unless somebody still reads a state in which
// one did, and what a killed writer left.
struct lease;
void segment_sweep(const char *folder, const struct catalogue *c, const struct lease *lease);
