#include "engine/frames.h"

#include "base/memory.h"

enum { CHUNK_BITS = 16, CHUNK_WORDS = (1 << CHUNK_BITS) / 64 };

void frames_deinit(struct frames *f)
{
    for (uint32_t i = 0; i < f->capture_count; i++) {
        struct frames_of_capture *c = &f->captures[i];
        for (size_t k = 0; k < c->chunk_count; k++) memory_free(c->chunks[k]);
        memory_free(c->chunks);
    }
    memory_free(f->captures);
    *f = (struct frames){0};
}

static void need_capture(struct frames *f, uint32_t capture)
{
    if (capture < f->capture_count) return;
    f->captures = memory_resize(f->captures, (capture + (size_t)1) * sizeof *f->captures);
    memset(f->captures + f->capture_count, 0,
           (capture + (size_t)1 - f->capture_count) * sizeof *f->captures);
    f->capture_count = capture + 1;
}

static uint64_t *need_chunk(struct frames_of_capture *c, size_t chunk)
{
    if (chunk >= c->chunk_count) {
        size_t count = chunk + 1 + c->chunk_count / 2;
        c->chunks = memory_resize(c->chunks, count * sizeof *c->chunks);
        memset(c->chunks + c->chunk_count, 0, (count - c->chunk_count) * sizeof *c->chunks);
        c->chunk_count = count;
    }
    if (!c->chunks[chunk]) c->chunks[chunk] = memory_get(CHUNK_WORDS * sizeof(uint64_t));
    return c->chunks[chunk];
}

bool frames_add(struct frames *f, struct packet_frame frame)
{
    if (frame.capture >= FRAMES_CAPTURES_MAX || frame.ordinal >= FRAMES_ORDINAL_MAX) return false;
    need_capture(f, frame.capture);
    uint64_t *chunk = need_chunk(&f->captures[frame.capture], frame.ordinal >> CHUNK_BITS);
    uint64_t *word = &chunk[frame.ordinal / 64 % CHUNK_WORDS];
    uint64_t bit = UINT64_C(1) << frame.ordinal % 64;
    f->count += !(*word & bit);
    *word |= bit;
    return true;
}

static const uint64_t *chunk_of(const struct frames *f, uint32_t capture, uint64_t ordinal)
{
    if (capture >= f->capture_count) return NULL;
    const struct frames_of_capture *c = &f->captures[capture];
    uint64_t chunk = ordinal >> CHUNK_BITS;
    return chunk < c->chunk_count ? c->chunks[chunk] : NULL;
}

bool frames_has(const struct frames *f, struct packet_frame frame)
{
    const uint64_t *chunk = chunk_of(f, frame.capture, frame.ordinal);
    return chunk && chunk[frame.ordinal / 64 % CHUNK_WORDS] >> frame.ordinal % 64 & 1;
}

// The first bit of the chunk from bit `*from` on.
static bool chunk_next(const uint64_t *chunk, unsigned *from)
{
    uint64_t mask = UINT64_MAX << *from % 64;
    for (unsigned word = *from / 64; word < CHUNK_WORDS; word++, mask = UINT64_MAX) {
        uint64_t bits = chunk[word] & mask;
        if (!bits) continue;
        *from = word * 64 + (unsigned)__builtin_ctzll(bits);
        return true;
    }
    return false;
}

bool frames_next(const struct frames *f, uint32_t capture, uint64_t *ordinal)
{
    if (capture >= f->capture_count) return false;
    const struct frames_of_capture *c = &f->captures[capture];
    unsigned from = *ordinal % (1 << CHUNK_BITS);
    for (size_t chunk = *ordinal >> CHUNK_BITS; chunk < c->chunk_count; chunk++, from = 0) {
        if (!c->chunks[chunk] || !chunk_next(c->chunks[chunk], &from)) continue;
        *ordinal = ((uint64_t)chunk << CHUNK_BITS) + from;
        return true;
    }
    return false;
}
