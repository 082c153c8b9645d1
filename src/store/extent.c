#include "store/extent.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"

enum {
    EXTENT_VERSION = 2,
    EXTENT_VERSION_UNSUMMED = 1, // where frames have their checksum in them
    SUM_SIZE = 8,
    VARINT_MAX = 10,
    INDEX_SIZE_MIN = FRAME_SKIPPABLE_HEADER + EXTENT_FOOTER
};

#define EXTENT_MARK "weir-idx"

// ---- the index ----------------------------------------------------------------------------------

void extent_index_deinit(struct extent_index *x)
{
    memory_free(x->frames);
    memory_free(x->sums);
    capture_map_deinit(&x->map);
    *x = (struct extent_index){0};
}

static void put_varint(struct text *to, uint64_t v)
{
    uint8_t memory[VARINT_MAX];
    struct buf b = buf_on(memory, sizeof memory);
    buf_varint(&b, v);
    text_put(to, buf_bytes(&b));
}

static void put_le32(uint8_t to[4], uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) to[i] = (uint8_t)(v >> (8 * i));
}

static void put_sum(struct text *to, uint64_t sum)
{
    uint8_t memory[SUM_SIZE];
    for (unsigned i = 0; i < SUM_SIZE; i++) memory[i] = (uint8_t)(sum >> (8 * i));
    text_put(to, bytes_of(memory, sizeof memory));
}

void extent_index_put(const struct extent_index *x, struct text *to)
{
    uint8_t header[FRAME_SKIPPABLE_HEADER], length[4];
    size_t from = to->n;
    put_le32(header, FRAME_SKIPPABLE);
    text_put(to, bytes_of(header, sizeof header));
    bool is_summed = x->sums || !x->frame_count;
    put_varint(to, is_summed ? EXTENT_VERSION : EXTENT_VERSION_UNSUMMED);
    put_varint(to, x->frame_size);
    put_varint(to, x->content_bytes);
    put_varint(to, x->frame_count);
    for (uint32_t i = 0; i < x->frame_count; i++) {
        put_varint(to, x->frames[i + 1] - x->frames[i]);
        if (x->sums) put_sum(to, x->sums[i]);
    }
    capture_map_put(&x->map, to);
    size_t size = to->n - from + EXTENT_FOOTER;
    put_le32(length, (uint32_t)size);
    text_put(to, bytes_of(length, sizeof length));
    text_add(to, EXTENT_MARK);
    put_le32((uint8_t *)to->p + from + 4, (uint32_t)(size - FRAME_SKIPPABLE_HEADER));
}

// Offsets of the frames from their sizes.
static void read_frames(struct extent_index *x, struct reader *r, bool is_summed)
{
    uint64_t n = read_varint(r), at = 0;
    // A frame takes a byte of the index at least, and all but the last one are full.
    uint64_t full = x->frame_size ? (x->content_bytes + x->frame_size - 1) / x->frame_size : 0;
    if (n > EXTENT_FRAMES_MAX || n > reader_left(r) || (n && n != full)) r->bad = true;
    if (r->bad || !n) return;
    x->frame_count = (uint32_t)n;
    x->frames = memory_get((n + 1) * sizeof *x->frames);
    if (is_summed) x->sums = memory_get(n * sizeof *x->sums);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t size = read_varint(r);
        if (is_summed) x->sums[i] = read_le64(r);
        if (size > frame_room(x->frame_size)) r->bad = true;
        if (r->bad) return;
        at += size;
        x->frames[i + 1] = at;
    }
}

// Whether all that the map names lies within the capture.
static bool map_is_inside(const struct extent_index *x)
{
    const struct capture_map *m = &x->map;
    uint32_t points = m->point_count, descriptions = m->description_count;
    return (!points || m->points[points - 1].offset <= x->content_bytes) &&
           (!descriptions || m->descriptions[descriptions - 1] < x->content_bytes);
}

bool extent_index_read(struct extent_index *x, bytes index)
{
    struct reader whole = reader_of(index);
    *x = (struct extent_index){0};
    if (index.n < INDEX_SIZE_MIN) return false;
    bool framed = read_le32(&whole) == FRAME_SKIPPABLE &&
                  read_le32(&whole) == index.n - FRAME_SKIPPABLE_HEADER;
    struct reader r = read_sub(&whole, reader_left(&whole) - EXTENT_FOOTER);
    framed = framed && read_le32(&whole) == index.n &&
             bytes_equal(reader_rest(&whole), bytes_text(EXTENT_MARK));
    uint64_t version = read_varint(&r);
    if (!framed || version < EXTENT_VERSION_UNSUMMED || version > EXTENT_VERSION) return false;
    uint64_t frame_size = read_varint(&r);
    x->content_bytes = read_varint(&r);
    if (frame_size > EXTENT_FRAME_SIZE_MAX || x->content_bytes > INT64_MAX) r.bad = true;
    x->frame_size = (uint32_t)frame_size;
    if (!r.bad) read_frames(x, &r, version == EXTENT_VERSION);
    if (!r.bad) capture_map_read(&x->map, &r);
    if (!r.bad && !reader_left(&r) && map_is_inside(x)) return true;
    extent_index_deinit(x);
    return false;
}

// ---- the file -----------------------------------------------------------------------------------

struct extent {
    char *path; // as a person knows it
    int file;
    struct extent_index index;
    struct capture_content content;
    struct frame_codec *codec;
    uint8_t *stored, *frame; // one frame, as it is stored and as it was
    uint32_t frame_number;   // which one that is
    uint32_t frame_bytes;    // 0: none
};

static bool damaged(const struct extent *e, struct err *err)
{
    return err_set(
        err, ERR_INPUT,
        "%s was damaged or changed since it was written: weir verify tells what else was", e->path);
}

// All `n` bytes from `offset` on.
static bool read_at(const struct extent *e, uint64_t offset, uint8_t *to, size_t n, struct err *err)
{
    while (n) {
        ssize_t got = pread(e->file, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_system(err, errno, "cannot read %s", e->path);
        if (got == 0) return damaged(e, err);
        to += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

static bool read_index(struct extent *e, uint64_t size, struct err *err)
{
    uint8_t footer[EXTENT_FOOTER];
    if (size < INDEX_SIZE_MIN) return damaged(e, err);
    if (!read_at(e, size - sizeof footer, footer, sizeof footer, err)) return false;
    struct reader r = reader_of(bytes_of(footer, sizeof footer));
    uint32_t n = read_le32(&r);
    if (n < INDEX_SIZE_MIN || n > size || n > EXTENT_INDEX_MAX) return damaged(e, err);
    uint8_t *index = memory_get(n);
    bool fine = read_at(e, size - n, index, n, err);
    if (fine && !extent_index_read(&e->index, bytes_of(index, n))) fine = damaged(e, err);
    memory_free(index);
    if (!fine) return false;
    uint64_t frames_end = e->index.frame_count ? e->index.frames[e->index.frame_count] : 0;
    return frames_end == size - n || damaged(e, err);
}

// Makes a frame the one at hand.
static bool need_frame(struct extent *e, uint32_t number, struct err *err)
{
    const struct extent_index *x = &e->index;
    if (e->frame_bytes && e->frame_number == number) return true;
    uint64_t from = x->frames[number], left = x->content_bytes - (uint64_t)number * x->frame_size;
    size_t stored = (size_t)(x->frames[number + 1] - from);
    size_t size = left < x->frame_size ? (size_t)left : x->frame_size;
    e->frame_bytes = 0;
    if (!read_at(e, from, e->stored, stored, err)) return false;
    // What is stored is some hundredths of what is in it, so its sum costs nothing.
    if (x->sums && table_hash(e->stored, stored, 0) != x->sums[number]) return damaged(e, err);
    if (!frame_open(e->codec, bytes_of(e->stored, stored), e->frame, size)) return damaged(e, err);
    e->frame_number = number;
    e->frame_bytes = (uint32_t)size;
    return true;
}

// Not beyond the frame: what is in the next one may not be wanted.
static ssize_t content_read(struct capture_content *c, uint64_t offset, uint8_t *to, size_t size)
{
    struct extent *e = c->context;
    if (offset >= e->index.content_bytes) return 0;
    if (!need_frame(e, (uint32_t)(offset / e->index.frame_size), &c->err)) return -1;
    uint32_t within = (uint32_t)(offset % e->index.frame_size), n = e->frame_bytes - within;
    if (n > size) n = (uint32_t)size;
    memcpy(to, e->frame + within, n);
    return n;
}

static bool prepare_content(struct extent *e, struct err *err)
{
    e->content = (struct capture_content){.context = e, .read = content_read};
    e->codec = frame_codec_create(false);
    if (!e->codec) return err_set(err, ERR_MACHINE, "there is no memory to decompress %s", e->path);
    e->stored = memory_get(frame_room(e->index.frame_size));
    e->frame = memory_get(e->index.frame_size);
    return true;
}

static bool open_file(struct extent *e, const char *path, const struct catalogue_extent *named,
                      struct err *err)
{
    struct stat st;
    e->file = open(path, O_RDONLY | O_CLOEXEC);
    if (e->file < 0 && errno == ENOENT)
        return err_set(err, ERR_INPUT,
                       "%s is missing in the case, and the packets were in it: weir verify tells "
                       "what else is",
                       e->path);
    if (e->file < 0 || fstat(e->file, &st) != 0)
        return err_system(err, errno, "cannot read %s", e->path);
    if ((uint64_t)st.st_size != named->bytes) return damaged(e, err);
    if (!read_index(e, named->bytes, err)) return false;
    if (e->index.content_bytes != named->content_bytes) return damaged(e, err);
    return e->index.frame_count == 0 || prepare_content(e, err);
}

struct extent *extent_open(const char *folder, const struct catalogue_extent *named,
                           struct err *err)
{
    struct extent *e = memory_get(sizeof *e);
    struct text path = {0};
    text_format(&path, "%s/%s", folder, named->path);
    e->path = path.p;
    if (open_file(e, path.p, named, err)) return e;
    extent_close(e);
    return NULL;
}

void extent_close(struct extent *e)
{
    if (!e) return;
    if (e->file >= 0) close(e->file);
    extent_index_deinit(&e->index);
    frame_codec_destroy(e->codec);
    memory_free(e->stored);
    memory_free(e->frame);
    memory_free(e->path);
    memory_free(e);
}

const struct capture_map *extent_map(const struct extent *e)
{
    return &e->index.map;
}

struct capture_content *extent_content(struct extent *e)
{
    return e->index.frame_count ? &e->content : NULL;
}
