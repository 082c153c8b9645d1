#include "store/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/tail.h"

enum { FOLDER_MAX = 4000 };

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
    memory_free(s->frame);
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

typedef ssize_t transfer(int file, void *content, size_t n, off_t offset);

static ssize_t write_some(int file, void *content, size_t n, off_t offset)
{
    return pwrite(file, content, n, offset);
}

static int transfer_all(transfer *call, int file, uint8_t *content, size_t n, uint64_t offset)
{
    for (size_t at = 0; at < n;) {
        ssize_t done = call(file, content + at, n - at, (off_t)(offset + at));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        if (done == 0) return EIO;
        at += (size_t)done;
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

static struct spool_entry entry_of(const struct spool *s, const struct record_batch *b,
                                   const struct narrow *n)
{
    struct spool_entry e = {.kind = s->kind_count,
                            .size = (uint32_t)n->size,
                            .rows = b->rows,
                            .heap_used = b->heap_used,
                            .present = n->present};
    for (unsigned i = 0; i < s->kind_count; i++)
        if (s->kinds[i] == b->kind) e.kind = i;
    assert(e.kind < s->kind_count);
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
static void keep_entry(struct spool *s, struct spool_entry *e, const struct record_batch *batch)
{
    e->file = s->file;
    e->offset = s->size;
    s->size += e->size;
    spool_note(s, e);
    disputes_collect(&s->disputes, batch);
    artifact_names_collect(&s->names, batch);
}

// Under the lock. All of it is touched at once, so that memory does not depend on how large batches
// become.
static struct tail_frame *frame_of(struct spool *s)
{
    const size_t size = sizeof *s->frame + NARROW_MAX + NARROW_SLACK;
    if (!s->frame) s->frame = memset(memory_get(size), 1, size);
    return s->frame;
}

// Under the lock. What could not be written to its end never was.
static int put_frame(struct spool *s, struct tail_frame *frame, size_t content)
{
    tail_frame_seal(frame, s->number, s->size);
    const size_t size = sizeof *frame + content;
    int error = transfer_all(write_some, s->file, (uint8_t *)frame, size, s->size);
    if (!error) s->size += sizeof *frame;
    else if (ftruncate(s->file, (off_t)s->size) != 0) error = errno;
    return error;
}

// One frame after the other, so that all before the last whole one are whole: whoever reads the
// file meanwhile, or after a kill, sees every batch that spool_add has returned for.
static int add_framed(struct spool *s, struct spool_entry *e, const struct record_batch *batch)
{
    tail_frame_fill(s->frame, e, e->size);
    int error = put_frame(s, s->frame, e->size);
    if (!error) keep_entry(s, e, batch);
    return error;
}

int spool_mark(struct spool *s, bytes content)
{
    struct tail_frame *frame = memory_get(sizeof *frame + content.n);
    const struct spool_entry e = {.kind = TAIL_MARK};
    memcpy(frame + 1, content.p, content.n);
    tail_frame_fill(frame, &e, content.n);
    lock_take(&s->lock);
    int error = put_frame(s, frame, content.n);
    if (!error) s->size += content.n;
    if (!error) s->marked = s->entry_count;
    lock_give(&s->lock);
    memory_free(frame);
    return error;
}

static int add_bare(struct spool *s, struct spool_entry *e, const struct record_batch *batch)
{
    keep_entry(s, e, batch);
    return transfer_all(write_some, s->file, (uint8_t *)(s->frame + 1), e->size, e->offset);
}

void spool_add(struct spool *s, const struct record_batch *batch)
{
    struct narrow narrow;
    if (batch->rows == 0) return;
    narrow_measure(&narrow, batch);
    struct spool_entry e = entry_of(s, batch, &narrow);
    lock_take(&s->lock);
    narrow_put(&narrow, batch, (uint8_t *)(frame_of(s) + 1));
    int error = s->is_tail ? add_framed(s, &e, batch) : add_bare(s, &e, batch);
    if (error && !s->error) s->error = error;
    lock_give(&s->lock);
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

bool spool_read_bytes(const struct spool *s, const struct spool_entry *e, uint8_t *content,
                      struct narrow_view *view)
{
    return transfer_all(pread, e->file, content, e->size, e->offset) == 0 &&
           narrow_open(view, s->kinds[e->kind], e->present, e->rows, e->heap_used,
                       bytes_of(content, e->size));
}

bool spool_read(struct spool *s, const struct spool_entry *e, struct record_batch *into)
{
    struct narrow_view view;
    assert(into->kind == s->kinds[e->kind]);
    uint8_t *content = memory_get(e->size + NARROW_SLACK);
    bool fine = spool_read_bytes(s, e, content, &view);
    if (fine) narrow_batch(&view, into);
    memory_free(content);
    if (!fine || (s->is_read && !batch_is_sound(into))) return false;
    disputes_flag(&s->disputes, into);
    return true;
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
