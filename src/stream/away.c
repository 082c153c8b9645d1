// Streams that are put away while their connections rest, and brought back.
//
// A copy is the stream, and behind it for each direction the block of delivered bytes that are kept
// to compare, if there is one.
#include <assert.h>

#include "stream/side.h"

static bool side_rests(const struct stream_side *side)
{
    return !side->view && !side->held;
}

static size_t recent_size(const struct stream_side *side)
{
    return side->recent ? recent_block(side->recent) : 0;
}

size_t stream_copy(const struct streams *s, uint32_t stream, void *memory, size_t room)
{
    const struct stream *st = pool_at(&s->pool, stream);
    if (!side_rests(&st->side[0]) || !side_rests(&st->side[1])) return 0;
    size_t sizes[2] = {recent_size(&st->side[0]), recent_size(&st->side[1])};
    if (sizeof *st + sizes[0] + sizes[1] > room) return 0;
    memcpy(memory, st, sizeof *st);
    uint8_t *to = (uint8_t *)memory + sizeof *st;
    for (unsigned i = 0; i < 2; i++) {
        if (sizes[i]) memcpy(to, st->side[i].recent, sizes[i]);
        to += sizes[i];
    }
    return (size_t)(to - (uint8_t *)memory);
}

void stream_put_away(struct streams *s, uint32_t stream)
{
    const struct stream *st = pool_at(&s->pool, stream);
    for (unsigned i = 0; i < 2; i++)
        if (st->side[i].recent)
            blocks_give(s->blocks, st->side[i].recent, recent_size(&st->side[i]));
    pool_give(&s->pool, stream);
    s->away++;
}

// Where there is no block for them, they are not compared any more.
static size_t recent_bring_back(struct streams *s, struct stream *st, uint8_t side,
                                const uint8_t *copy)
{
    if (!st->side[side].recent) return 0;
    const struct recent *from = (const struct recent *)(const void *)copy;
    size_t size = recent_block(from);
    struct recent *recent = st->side[side].recent = blocks_take(s->blocks, size);
    if (recent) {
        memcpy(recent, from, size);
        return size;
    }
    stream_give(s, st, side, (struct budget){.recent = size});
    s->uncompared += from->used;
    return size;
}

uint32_t stream_bring_back(struct streams *s, const void *copy)
{
    uint32_t index = pool_take(&s->pool);
    assert(index);
    struct stream *st = pool_at(&s->pool, index);
    memcpy(st, copy, sizeof *st);
    s->away--;
    const uint8_t *from = (const uint8_t *)copy + sizeof *st;
    for (uint8_t i = 0; i < 2; i++) from += recent_bring_back(s, st, i, from);
    return index;
}
