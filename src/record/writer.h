// A lane's way out for records: one open batch a kind, passed on when full.
//
// One writer, one thread. What does not fit is never dropped: the full batch goes to the sink,
// which may block.
#pragma once

#include "record/batch.h"

struct record_writer;

// Borrows the kinds for good. Batches are made when their kind first has a record.
struct record_writer *writer_create(const struct record_kind *const *kinds, uint32_t kind_count,
                                    struct record_sink sink);
void writer_destroy(struct record_writer *w); // without flushing

void writer_emit(struct record_writer *w, const struct row *row);

// For those who write columns directly: the open batch of `kind`, begun, with room for `heap_need`
// bytes of text. The caller sets fields and calls batch_end.
struct record_batch *writer_begin(struct record_writer *w, const struct record_kind *kind,
                                  size_t heap_need);

// The same for up to *rows rows, of which it says how many there is room for; at least one.
struct record_batch *writer_begin_rows(struct record_writer *w, const struct record_kind *kind,
                                       size_t heap_need, uint32_t *rows);

// Passes on whatever is held.
void writer_flush(struct record_writer *w);
uint64_t writer_records(const struct record_writer *w); // emitted so far
