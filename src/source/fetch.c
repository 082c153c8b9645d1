#include "source/fetch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "base/memory.h"
#include "source/capture_file.h"

struct fetch {
    struct capture_info info;
    struct capture_file *file;
    struct packet_batch *batch;
    uint32_t next;         // in the batch
    uint64_t ordinal_next; // the least that may be asked for
    bool ended;
};

struct fetch *fetch_open(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        err_system(err, errno, "cannot open %s", path);
        return NULL;
    }
    struct fetch *f = memory_get(sizeof *f);
    f->info.path = path;
    f->file = capture_file_open(fd, (bytes){0}, &f->info, &(struct capture_file_options){0}, err);
    if (!f->file) {
        fetch_close(f);
        return NULL;
    }
    f->file->in.read_size = BLOCK_READ_SIZE;
    f->batch = packet_batch_create();
    return f;
}

void fetch_close(struct fetch *f)
{
    if (!f) return;
    packet_batch_destroy(f->batch);
    capture_file_close(f->file);
    capture_info_deinit(&f->info);
    memory_free(f);
}

// The next batch; false at the end of the file.
static bool fetch_fill(struct fetch *f)
{
    packet_batch_clear(f->batch);
    f->next = 0;
    while (!f->ended && f->batch->count == 0) {
        f->ended = f->file->format->fill(f->file, f->batch, INT64_MAX) == FILL_END;
    }
    return f->batch->count > 0;
}

bool fetch_next(struct fetch *f, uint64_t ordinal, struct packet *out, struct err *err)
{
    assert(ordinal >= f->ordinal_next);
    f->ordinal_next = ordinal + 1;
    for (;;) {
        if (f->next == f->batch->count && !fetch_fill(f)) break;
        // Ordinals have no gaps, so the place in the batch is known.
        uint64_t ahead = ordinal - f->batch->packets[f->next].ordinal;
        if (ahead >= f->batch->count - f->next) {
            f->next = f->batch->count;
            continue;
        }
        f->next += (uint32_t)ahead;
        *out = f->batch->packets[f->next++];
        return true;
    }
    if (f->file->in.error_number)
        return err_system(err, f->file->in.error_number, "cannot read %s", f->info.path);
    return err_set(
        err, ERR_INPUT,
        "%s has no packet number %llu: it is not the file that was read, or it was cut since",
        f->info.path, (unsigned long long)ordinal + 1);
}
