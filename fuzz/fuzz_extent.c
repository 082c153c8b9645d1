// Any bytes as a file of packets/, framed so that they come into the index and the frames: opening
// it ends, what is read lies within the frames, and an index that is taken is taken again when it
// is written anew.
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/extent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE = 65536, READ_MAX = 4 * 1024 * 1024 };

static void read_all(struct extent *e)
{
    static uint8_t piece[PIECE];
    struct capture_content *c = extent_content(e);
    uint64_t at = 0;
    ssize_t n = 1;
    for (; c && n > 0 && at < READ_MAX; at += (uint64_t)n) n = c->read(c, at, piece, PIECE);
    assert(n >= 0 || c->err.code != ERR_NONE);
}

static void write_anew(const struct extent_index *x)
{
    struct extent_index again;
    struct text t = {0};
    extent_index_put(x, &t);
    assert(extent_index_read(&again, bytes_of(t.p, t.n)));
    assert(again.frame_count == x->frame_count && again.map.point_count == x->map.point_count);
    extent_index_deinit(&again);
    text_deinit(&t);
}

static void put_le32(struct text *t, size_t v)
{
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    text_put(t, bytes_of(b, sizeof b));
}

// The first two bytes say how many of the others are frames; the rest is what an index has in it.
static size_t put_file(struct text *t, struct reader *r)
{
    size_t frames = read_le16(r);
    text_put(t, read_bytes(r, frames < reader_left(r) ? frames : reader_left(r)));
    size_t from = t->n, n = reader_left(r);
    put_le32(t, FRAME_SKIPPABLE);
    put_le32(t, n + EXTENT_FOOTER);
    text_put(t, reader_rest(r));
    put_le32(t, FRAME_SKIPPABLE_HEADER + n + EXTENT_FOOTER);
    text_add(t, "weir-idx");
    return from;
}

static void open_file(bytes content, uint64_t content_bytes)
{
    struct catalogue_extent named = {.bytes = content.n, .content_bytes = content_bytes};
    char name[16];
    int file = memfd_create("extent", MFD_CLOEXEC);
    if (file < 0 || !file_write_all(file, content, NULL)) return;
    snprintf(name, sizeof name, "%d", file);
    named.path = name;
    struct err err;
    struct extent *e = extent_open("/proc/self/fd", &named, &err);
    if (e) read_all(e);
    extent_close(e);
    close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    struct extent_index x;
    struct text t = {0};
    size_t from = put_file(&t, &r);
    uint64_t content_bytes = 0;
    if (extent_index_read(&x, bytes_of(t.p + from, t.n - from))) {
        content_bytes = x.content_bytes;
        write_anew(&x);
        extent_index_deinit(&x);
    }
    open_file(bytes_of(t.p, t.n), content_bytes);
    open_file(bytes_of(data, size), content_bytes);
    text_deinit(&t);
    return 0;
}
