#include "store/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/tail.h"

enum { PIECES_MAX = 2 * KIND_FIELDS_MAX + 1, FOLDER_MAX = 4000 };

// Files without a name are not known to every file system: then one with a name, which goes at
// once.
static int file_without_name(const char *folder)
{
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return file;
    char path[FOLDER_MAX + 32];
    if (snprintf(path, sizeof path, "%s/.spool-XXXXXX", folder) >= (int)sizeof path) return -1;
    file = mkostemp(path, O_CLOEXEC);
    if (file >= 0) unlink(path);
    return file;
}

void spool_init_empty(struct spool *s, const struct record_kind *const *kinds, unsigned kind_count)
{
    *s = (struct spool){.file = -1, .kinds = kinds, .kind_count = kind_count};
    lock_init(&s->lock);
}

bool spool_init(struct spool *s, const char *folder, const struct record_kind *const *kinds,
                unsigned kind_count, struct err *err)
{
    spool_init_empty(s, kinds, kind_count);
    s->file = folder ? file_without_name(folder) : memfd_create("weir-spool", MFD_CLOEXEC);
    if (s->file < 0)
        return err_system(err, errno, "cannot make a temporary file in %s",
                          folder ? folder : "memory");
    return true;
}

void spool_deinit(struct spool *s)
{
    if (!s->kinds) return;
    if (s->file >= 0) close(s->file);
    for (unsigned i = 0; i < s->file_count; i++) close(s->files[i]);
    memory_free(s->files);
    memory_free(s->entries);
    disputes_deinit(&s->disputes);
    artifact_names_deinit(&s->names);
    lock_deinit(&s->lock);
    *s = (struct spool){.file = -1};
}

void spool_exchange(struct spool *s, struct spool *other)
{
    struct spool kept;
    const size_t content = offsetof(struct spool, lock);
    lock_take(&s->lock);
    memcpy(&kept, s, content);
    memcpy(s, other, content);
    memcpy(other, &kept, content);
    lock_give(&s->lock);
}

int spool_kind(const struct spool *s, const char *name)
{
    for (unsigned i = 0; i < s->kind_count; i++)
        if (strcmp(s->kinds[i]->name, name) == 0) return (int)i;
    return -1;
}

static bool column_has_values(const struct column *c, uint32_t rows)
{
    for (uint32_t i = 0; i < (rows + 63) / 64; i++)
        if (c->present[i]) return true;
    return false;
}

static size_t bits_size(uint32_t rows)
{
    return (rows + 63) / 64 * sizeof(uint64_t);
}

static size_t words_size(uint32_t rows, const struct field *field)
{
    return (size_t)rows * field_words(field->type) * sizeof(uint64_t);
}

// The parts of a batch that the file holds, in order: for each column with values its presence bits
// and its words, then the heap.
static int batch_pieces(const struct record_batch *b, uint64_t present, struct iovec *pieces)
{
    int n = 0;
    for (uint32_t f = 0; f < b->kind->field_count; f++) {
        if (!(present >> f & 1)) continue;
        size_t words = words_size(b->rows, &b->kind->fields[f]);
        pieces[n++] = (struct iovec){b->columns[f].present, bits_size(b->rows)};
        pieces[n++] = (struct iovec){b->columns[f].words, words};
    }
    if (b->heap_used) pieces[n++] = (struct iovec){b->heap, b->heap_used};
    return n;
}

static size_t pieces_size(const struct iovec *pieces, int n)
{
    size_t size = 0;
    for (int i = 0; i < n; i++) size += pieces[i].iov_len;
    return size;
}

// Moves the pieces on by `done` bytes; returns how many are used up.
static int pieces_skip(struct iovec *pieces, int n, size_t done)
{
    int i = 0;
    while (i < n && done >= pieces[i].iov_len) done -= pieces[i++].iov_len;
    if (i < n) {
        pieces[i].iov_base = (uint8_t *)pieces[i].iov_base + done;
        pieces[i].iov_len -= done;
    }
    return i;
}

typedef ssize_t transfer(int file, const struct iovec *pieces, int n, off_t offset);

static int transfer_all(transfer *call, int file, struct iovec *pieces, int n, uint64_t offset)
{
    int at = 0;
    while (at < n) {
        ssize_t done = call(file, pieces + at, n - at, (off_t)offset);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        if (done == 0) return EIO;
        offset += (uint64_t)done;
        at += pieces_skip(pieces + at, n - at, (size_t)done);
    }
    return 0;
}

// The times by which a segment is found: "ts", or "first_seen" and "last_seen".
static void note_times(struct spool_entry *e, const struct record_batch *b)
{
    static const char *const names[] = {"ts", "first_seen", "last_seen"};
    e->first = INT64_MAX;
    e->last = INT64_MIN;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int field = kind_field(b->kind, bytes_text(names[i]));
        if (field < 0 || b->kind->fields[field].type != FIELD_TIME) continue;
        for (uint32_t row = 0; row < b->rows; row++) {
            if (!batch_has(b, (unsigned)field, row)) continue;
            nanos t = (nanos)batch_get(b, (unsigned)field, row);
            if (t < e->first) e->first = t;
            if (t > e->last) e->last = t;
        }
    }
}

static struct spool_entry entry_of(const struct spool *s, const struct record_batch *b)
{
    struct spool_entry e = {.kind = s->kind_count, .rows = b->rows, .heap_used = b->heap_used};
    for (unsigned i = 0; i < s->kind_count; i++)
        if (s->kinds[i] == b->kind) e.kind = i;
    assert(e.kind < s->kind_count && b->kind->field_count <= KIND_FIELDS_MAX);
    for (uint32_t f = 0; f < b->kind->field_count; f++)
        if (column_has_values(&b->columns[f], b->rows)) e.present |= UINT64_C(1) << f;
    note_times(&e, b);
    return e;
}

void spool_note(struct spool *s, const struct spool_entry *e)
{
    if (s->entry_count == s->entry_size) {
        s->entry_size = s->entry_size ? 2 * s->entry_size : 64;
        s->entries = memory_resize(s->entries, s->entry_size * sizeof *s->entries);
    }
    s->entries[s->entry_count++] = *e;
    s->rows += e->rows;
}

// Gives the batch its place.
static void keep_entry(struct spool *s, struct spool_entry *e, const struct record_batch *batch,
                       size_t size)
{
    e->file = s->file;
    e->offset = s->size;
    s->size += size;
    spool_note(s, e);
    disputes_collect(&s->disputes, batch);
    artifact_names_collect(&s->names, batch);
}

static void note_error(struct spool *s, int error)
{
    lock_take(&s->lock);
    if (!s->error) s->error = error;
    lock_give(&s->lock);
}

// Under the lock. What could not be written to its end never was.
static int put_frame(struct spool *s, struct iovec *pieces, int n)
{
    tail_frame_seal(pieces[0].iov_base, s->number, s->size);
    int error = transfer_all(pwritev, s->file, pieces, n, s->size);
    if (!error) s->size += sizeof(struct tail_frame);
    else if (ftruncate(s->file, (off_t)s->size) != 0) error = errno;
    return error;
}

// One frame after the other, so that all before the last whole one are whole: whoever reads the
// file meanwhile, or after a kill, sees every batch that spool_add has returned for.
static void add_framed(struct spool *s, struct spool_entry *e, const struct record_batch *batch,
                       struct iovec *pieces, int n)
{
    struct tail_frame frame;
    size_t size = pieces_size(pieces + 1, n);
    tail_frame_fill(&frame, e, pieces + 1, n, size);
    pieces[0] = (struct iovec){&frame, sizeof frame};
    lock_take(&s->lock);
    int error = put_frame(s, pieces, n + 1);
    if (!error) keep_entry(s, e, batch, size);
    else if (!s->error) s->error = error;
    lock_give(&s->lock);
}

int spool_mark(struct spool *s, bytes content)
{
    struct tail_frame frame;
    const struct spool_entry e = {.kind = TAIL_MARK};
    struct iovec pieces[2] = {{&frame, sizeof frame}, {(void *)content.p, content.n}};
    tail_frame_fill(&frame, &e, pieces + 1, 1, content.n);
    lock_take(&s->lock);
    int error = put_frame(s, pieces, 2);
    if (!error) s->size += content.n;
    if (!error) s->marked = s->entry_count;
    lock_give(&s->lock);
    return error;
}

void spool_add(struct spool *s, const struct record_batch *batch)
{
    struct iovec pieces[1 + PIECES_MAX];
    if (batch->rows == 0) return;
    struct spool_entry e = entry_of(s, batch);
    int n = batch_pieces(batch, e.present, pieces + 1);
    if (s->is_tail) {
        add_framed(s, &e, batch, pieces, n);
        return;
    }
    lock_take(&s->lock);
    keep_entry(s, &e, batch, pieces_size(pieces + 1, n));
    lock_give(&s->lock);
    int error = transfer_all(pwritev, s->file, pieces + 1, n, e.offset);
    if (error) note_error(s, error);
}

void spool_cut(struct spool *s, size_t entries)
{
    assert(entries <= s->entry_count);
    if (entries < s->entry_count) s->size = s->entries[entries].offset;
    while (s->entry_count > entries) s->rows -= s->entries[--s->entry_count].rows;
    if (!entries) disputes_deinit(&s->disputes);
    if (!entries) artifact_names_deinit(&s->names);
    s->error = 0;
    if (s->file >= 0 && ftruncate(s->file, (off_t)s->size) != 0) s->error = errno;
}

bool spool_read(struct spool *s, const struct spool_entry *entry, struct record_batch *into)
{
    struct iovec pieces[PIECES_MAX];
    assert(into->kind == s->kinds[entry->kind]);
    batch_clear(into);
    into->rows = entry->rows;
    into->heap_used = entry->heap_used;
    int n = batch_pieces(into, entry->present, pieces);
    if (transfer_all(preadv, entry->file, pieces, n, entry->offset) != 0) return false;
    if (s->is_read && !batch_is_sound(into)) return false;
    disputes_flag(&s->disputes, into);
    return true;
}

// Where in the file a column stands, and behind the last one the texts.
static uint64_t column_offset(const struct spool *s, const struct spool_entry *e, unsigned field)
{
    const struct record_kind *kind = s->kinds[e->kind];
    uint64_t offset = e->offset;
    for (uint32_t f = 0; f < field; f++)
        if (e->present >> f & 1)
            offset += bits_size(e->rows) + words_size(e->rows, &kind->fields[f]);
    return offset;
}

bool spool_read_column(const struct spool *s, const struct spool_entry *e, unsigned field,
                       struct column *into)
{
    const struct field *f = &s->kinds[e->kind]->fields[field];
    struct iovec pieces[] = {{into->present, bits_size(e->rows)},
                             {into->words, words_size(e->rows, f)}};
    return transfer_all(preadv, e->file, pieces, 2, column_offset(s, e, field)) == 0;
}

bool spool_read_heap(const struct spool *s, const struct spool_entry *e, uint8_t *heap)
{
    struct iovec piece = {heap, e->heap_used};
    uint64_t offset = column_offset(s, e, s->kinds[e->kind]->field_count);
    return transfer_all(preadv, e->file, &piece, 1, offset) == 0;
}

uint64_t spool_entry_size(const struct spool *s, const struct spool_entry *e)
{
    return column_offset(s, e, s->kinds[e->kind]->field_count) - e->offset + e->heap_used;
}

bool spool_check(struct spool *s, unsigned kind)
{
    struct record_batch *batch = batch_create(s->kinds[kind]);
    bool fine = true;
    for (size_t i = 0; fine && i < s->entry_count; i++)
        if (s->entries[i].kind == kind) fine = spool_read(s, &s->entries[i], batch);
    batch_destroy(batch);
    return fine;
}
