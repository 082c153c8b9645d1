#include "source/block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { BLOCK_MAGIC_SIZE = 4 };

static bool buffer_is_free(const struct packet_buffer *b)
{
    return __atomic_load_n(&b->refs, __ATOMIC_ACQUIRE) == 1;
}

// A buffer with a reference for the caller. Those of the usual size are kept as spares and used
// again when nobody else holds them: with one reader and one lane the same warm memory goes round.
static struct packet_buffer *block_buffer(struct block_reader *r, size_t size)
{
    bool alone = r->read_size == BLOCK_READ_SIZE;
    size_t usual = (size_t)r->read_size + (alone ? BLOCK_CARRY_ROOM : BLOCK_CARRY_ROOM_SHARED);
    unsigned spares = alone ? BLOCK_SPARES : BLOCK_SPARES_SHARED;
    if (size > usual) return packet_buffer_create((uint32_t)size);
    for (unsigned i = 0; i < spares; i++) {
        struct packet_buffer *spare = r->spares[i];
        if (!spare || spare->size != usual || !buffer_is_free(spare)) continue;
        packet_buffer_ref(spare);
        return spare;
    }
    struct packet_buffer *fresh = packet_buffer_create((uint32_t)usual);
    r->spare_turn = (r->spare_turn + 1) % spares;
    if (r->spares[r->spare_turn]) packet_buffer_unref(r->spares[r->spare_turn]);
    r->spares[r->spare_turn] = fresh;
    packet_buffer_ref(fresh);
    return fresh;
}

// Stored bytes into `buffer` from `at`; 0 at the end of the file or when reading fails.
static size_t block_read_stored(struct block_reader *r, struct packet_buffer *buffer, size_t at)
{
    size_t room = buffer->size - at;
    if (room > r->read_size) room = r->read_size;
    size_t n = 0;
    if (r->content) {
        ssize_t result = r->content->read(r->content, r->end_offset, buffer->data + at, room);
        if (result < 0) r->error_number = EIO;
        n = result < 0 ? 0 : (size_t)result;
    } else if (r->fd < 0) {
        n = room < r->memory.n ? room : r->memory.n;
        if (n) memcpy(buffer->data + at, r->memory.p, n);
        r->memory = bytes_after(r->memory, n);
    } else {
        ssize_t result;
        do result = read(r->fd, buffer->data + at, room);
        while (result < 0 && errno == EINTR);
        if (result < 0) r->error_number = errno;
        n = result < 0 ? 0 : (size_t)result;
    }
    r->stored_bytes += n;
    if (r->hasher) aside_add(r->hasher, &r->hash_job, buffer, bytes_of(buffer->data + at, n));
    return n;
}

static bool block_more_stored(struct block_reader *r)
{
    if (r->stored) packet_buffer_unref(r->stored);
    r->stored = block_buffer(r, r->read_size);
    r->stored_left = bytes_of(r->stored->data, block_read_stored(r, r->stored, 0));
    return r->stored_left.n > 0;
}

// Decompresses something behind `end`.
static void block_more_decompressed(struct block_reader *r)
{
    for (;;) {
        bool dry = r->stored_left.n == 0 && !block_more_stored(r);
        size_t room = r->buffer->size - r->end, written = 0;
        enum decompress_result result =
            decompress(r->decompressor, &r->stored_left, r->buffer->data + r->end, room, &written);
        r->end += (uint32_t)written;
        r->ended = result != DECOMPRESS_GO || (dry && written == 0);
        r->cut = result == DECOMPRESS_BROKEN || (dry && result == DECOMPRESS_GO && written == 0);
        if (written > 0 || r->ended) return;
    }
}

static void block_more(struct block_reader *r)
{
    uint32_t before = r->end;
    if (r->decompressor) {
        block_more_decompressed(r);
    } else {
        r->end += (uint32_t)block_read_stored(r, r->buffer, r->end);
        r->ended = r->end == before;
    }
    size_t n = r->end - before;
    r->end_offset += n;
    if (r->tap) aside_add(r->tap, &r->tap_job, r->buffer, bytes_of(r->buffer->data + before, n));
}

// Goes on in another buffer, with what is unread at its beginning. The room doubles with what is
// carried, so that long records do not make long copies frequent.
static void block_move(struct block_reader *r, size_t n)
{
    size_t carried = r->end - r->at;
    size_t needed = n > carried ? n : carried;
    size_t size = needed + (needed > r->read_size ? needed : r->read_size);
    struct packet_buffer *next = block_buffer(r, size);
    if (carried) memcpy(next->data, r->buffer->data + r->at, carried);
    packet_buffer_unref(r->buffer);
    r->buffer = next;
    r->at = 0;
    r->end = (uint32_t)carried;
}

bool block_need_more(struct block_reader *r, size_t n)
{
    assert(n <= BLOCK_RECORD_MAX);
    while (r->end - r->at < n) {
        if (r->ended) return false;
        if (r->buffer->size - r->at < n || r->buffer->size - r->end < r->read_size)
            block_move(r, n);
        block_more(r);
    }
    return true;
}

// The first block was read as it is stored; what it tells decides how it is to be understood.
static void block_recognise(struct block_reader *r, enum compression *compression)
{
    *compression = COMPRESSION_NONE;
    if (!block_need(r, BLOCK_MAGIC_SIZE)) return;
    *compression = compression_of_file(block_view(r));
    if (*compression == COMPRESSION_NONE) return;
    r->decompressor = decompressor_create(*compression);
    if (!r->decompressor) {
        r->error_number = ENOMEM;
        return;
    }
    r->stored = r->buffer;
    r->stored_left = block_view(r);
    r->buffer = block_buffer(r, r->read_size);
    r->at = r->end = 0;
    r->end_offset = 0;
}

static void block_take_hash(void *context, bytes view)
{
    sha256_add(context, view);
}

bool block_init(struct block_reader *r, const struct block_input *input, struct aside *hasher,
                enum compression *compression)
{
    *r = (struct block_reader){.fd = input->fd,
                               .content = input->content,
                               .memory = input->memory,
                               .waits = input->waits,
                               .hasher = hasher,
                               .hash_job = {.take = block_take_hash, .context = &r->hash}};
    r->read_size = BLOCK_READ_SIZE_SHARED;
    sha256_init(&r->hash);
    r->buffer = block_buffer(r, r->read_size);
    block_recognise(r, compression);
    return r->error_number == 0;
}

bool block_hash(struct block_reader *r, uint8_t digest[SHA256_SIZE])
{
    if (!r->hasher) return false;
    aside_wait(r->hasher, &r->hash_job);
    sha256_end(&r->hash, digest);
    r->hasher = NULL;
    return true;
}

void block_tap(struct block_reader *r, struct aside *aside, void (*take)(void *, bytes),
               void *context)
{
    assert(block_offset(r) == 0);
    r->tap = aside;
    r->tap_job = (struct aside_job){.take = take, .context = context};
    aside_add(r->tap, &r->tap_job, r->buffer, block_view(r));
}

void block_tap_wait(struct block_reader *r)
{
    if (r->tap) aside_wait(r->tap, &r->tap_job);
}

void block_seek(struct block_reader *r, uint64_t offset)
{
    assert(!r->decompressor && (r->fd >= 0 || r->content));
    uint64_t from = block_offset(r);
    if (offset >= from && offset <= r->end_offset) {
        block_skip(r, (size_t)(offset - from));
        return;
    }
    if (r->fd >= 0 && lseek(r->fd, (off_t)offset, SEEK_SET) < 0) r->error_number = errno;
    packet_buffer_unref(r->buffer); // packets that were given lie in it
    r->buffer = block_buffer(r, r->read_size);
    r->at = r->end = 0;
    r->end_offset = offset;
    r->ended = r->error_number != 0;
}

void block_deinit(struct block_reader *r)
{
    uint8_t digest[SHA256_SIZE];
    block_hash(r, digest);
    block_tap_wait(r);
    if (r->buffer) packet_buffer_unref(r->buffer);
    if (r->stored) packet_buffer_unref(r->stored);
    for (unsigned i = 0; i < BLOCK_SPARES; i++) {
        if (r->spares[i]) packet_buffer_unref(r->spares[i]);
    }
    decompressor_destroy(r->decompressor);
    if (r->fd >= 0) close(r->fd);
    *r = (struct block_reader){.fd = -1};
}

void block_drain(struct block_reader *r)
{
    if (r->error_number || !r->decompressor) return;
    r->unusable_bytes += r->stored_left.n;
    while (block_more_stored(r)) r->unusable_bytes += r->stored_left.n;
    r->stored_left = (bytes){0};
}
