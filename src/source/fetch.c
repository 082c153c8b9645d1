#include "source/fetch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "base/memory.h"
#include "base/text.h"
#include "source/capture_file.h"
#include "source/paths.h"

// A comment of a packet of the batch; its bytes stand in `comment_text`.
struct fetch_comment {
    uint64_t ordinal;
    size_t at, length;
};

struct fetch {
    char *path;
    const struct capture_map *map;
    struct capture_info info;
    struct capture_file *file;
    struct packet_batch *batch;
    uint32_t next;         // in the batch
    uint64_t ordinal_next; // the least that may be asked for
    bool ended;
    struct packet given; // the last
    struct fetch_comment *comments;
    size_t comment_count, comment_room;
    struct text comment_text;
};

static void fetch_take_comment(void *context, uint64_t ordinal, bytes comment)
{
    struct fetch *f = context;
    if (f->comment_count == f->comment_room) {
        f->comment_room = f->comment_room ? 2 * f->comment_room : 16;
        f->comments = memory_resize(f->comments, f->comment_room * sizeof *f->comments);
    }
    f->comments[f->comment_count++] = (struct fetch_comment){ordinal, f->comment_text.n, comment.n};
    text_put(&f->comment_text, comment);
}

static bool fetch_input(const struct fetch_from *from, struct block_input *input, struct err *err)
{
    *input = (struct block_input){.fd = -1, .content = from->content};
    if (from->content) return true;
    input->fd = open(from->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return input->fd >= 0 || path_error(err, errno, from->path);
}

struct fetch *fetch_open(const struct fetch_from *from, struct err *err)
{
    struct block_input input;
    if (!fetch_input(from, &input, err)) return NULL;
    struct fetch *f = memory_get(sizeof *f);
    f->path = text_copy(from->path);
    f->info.path = f->path;
    f->file = capture_file_open(&input, &f->info, &(struct capture_file_options){0}, err);
    if (!f->file) {
        fetch_close(f);
        return NULL;
    }
    if (!f->file->in.decompressor) f->map = from->map;
    f->file->in.read_size = BLOCK_READ_SIZE;
    f->file->comments = (struct capture_comments){f, fetch_take_comment};
    f->batch = packet_batch_create();
    return f;
}

void fetch_close(struct fetch *f)
{
    if (!f) return;
    packet_batch_destroy(f->batch);
    capture_file_close(f->file);
    capture_info_deinit(&f->info);
    memory_free(f->path);
    memory_free(f->comments);
    text_deinit(&f->comment_text);
    memory_free(f);
}

// Leaves out what lies before the last place that is known ahead of the packet.
static void fetch_jump(struct fetch *f, uint64_t ordinal)
{
    const struct capture_point *point = f->map ? capture_map_find(f->map, ordinal) : NULL;
    if (!point || point->ordinal <= f->file->ordinal) return;
    capture_file_jump(f->file, f->map, point);
    f->ended = false;
}

// The next batch; false at the end of the file.
static bool fetch_fill(struct fetch *f, uint64_t ordinal)
{
    packet_batch_clear(f->batch);
    f->next = 0;
    fetch_jump(f, ordinal);
    f->comment_count = 0;
    text_clear(&f->comment_text);
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
        if (f->next == f->batch->count && !fetch_fill(f, ordinal)) break;
        // Ordinals have no gaps, so the place in the batch is known.
        uint64_t ahead = ordinal - f->batch->packets[f->next].ordinal;
        if (ahead >= f->batch->count - f->next) {
            f->next = f->batch->count;
            continue;
        }
        f->next += (uint32_t)ahead;
        *out = f->given = f->batch->packets[f->next++];
        return true;
    }
    if (f->file->in.error_number) return capture_file_error(f->file, err);
    return err_set(
        err, ERR_INPUT,
        "%s has no packet number %llu: it is not the file that was read, or it was cut since",
        f->path, (unsigned long long)ordinal + 1);
}

void fetch_interface(const struct fetch *f, struct capture_interface *out)
{
    *out = (struct capture_interface){.link_type = f->given.link_type};
    if (f->file->format->interface) f->file->format->interface(f->file, f->given.interface, out);
}

bytes fetch_comment(const struct fetch *f, unsigned number)
{
    for (size_t i = 0; i < f->comment_count; i++) {
        const struct fetch_comment *c = &f->comments[i];
        if (c->ordinal != f->given.ordinal || number--) continue;
        return bytes_of(f->comment_text.p + c->at, c->length);
    }
    return (bytes){0};
}
