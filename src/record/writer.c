#include "record/writer.h"

#include <assert.h>

#include "base/memory.h"

struct record_writer {
    const struct record_kind *const *kinds;
    uint32_t kind_count, last; // `last`: the kind asked for last, mostly asked for again
    struct record_sink sink;
    uint64_t records;
    struct record_batch *batches[];
};

struct record_writer *writer_create(const struct record_kind *const *kinds, uint32_t kind_count,
                                    struct record_sink sink)
{
    struct record_writer *w = memory_get(sizeof *w + kind_count * sizeof w->batches[0]);
    w->kinds = kinds;
    w->kind_count = kind_count;
    w->sink = sink;
    return w;
}

void writer_destroy(struct record_writer *w)
{
    if (!w) return;
    for (uint32_t i = 0; i < w->kind_count; i++) batch_destroy(w->batches[i]);
    memory_free(w);
}

static struct record_batch *writer_batch(struct record_writer *w, const struct record_kind *kind)
{
    uint32_t i = w->last;
    if (w->kinds[i] != kind) {
        i = 0;
        while (i < w->kind_count && w->kinds[i] != kind) i++;
        assert(i < w->kind_count); // a kind that the catalogue does not know
        w->last = i;
    }
    if (!w->batches[i]) w->batches[i] = batch_create(kind);
    return w->batches[i];
}

static void writer_pass(struct record_writer *w, struct record_batch *b)
{
    if (b && b->rows && w->sink.take) w->sink.take(w->sink.context, b);
    if (b) batch_clear(b);
}

void writer_emit(struct record_writer *w, const struct row *row)
{
    struct record_batch *b = writer_batch(w, row->kind);
    if (!batch_append(b, row)) {
        writer_pass(w, b);
        bool fits = batch_append(b, row);
        assert(fits); // ROW_SIZE_MAX is far below an empty batch
        (void)fits;
    }
    w->records++;
}

struct record_batch *writer_begin(struct record_writer *w, const struct record_kind *kind,
                                  size_t heap_need)
{
    struct record_batch *b = writer_batch(w, kind);
    if (!batch_begin(b, heap_need)) {
        writer_pass(w, b);
        bool fits = batch_begin(b, heap_need);
        assert(fits);
        (void)fits;
    }
    w->records++;
    return b;
}

struct record_batch *writer_begin_rows(struct record_writer *w, const struct record_kind *kind,
                                       size_t heap_need, uint32_t *rows)
{
    struct record_batch *b = writer_begin(w, kind, heap_need);
    if (*rows > BATCH_ROWS_MAX - b->rows) *rows = BATCH_ROWS_MAX - b->rows;
    w->records += *rows - 1;
    return b;
}

void writer_flush(struct record_writer *w)
{
    for (uint32_t i = 0; i < w->kind_count; i++) writer_pass(w, w->batches[i]);
}

uint64_t writer_records(const struct record_writer *w)
{
    return w->records;
}
