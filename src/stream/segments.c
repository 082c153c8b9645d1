// Segments that wait behind a hole: a list by position without overlaps; what was seen first stays.
#include "stream/side.h"

static void segments_count(struct turn *turn, const struct segment *s, int sign)
{
    struct stream_side *side = &turn->st->side[turn->side];
    uint32_t n = (uint32_t)block_size(sizeof *s + s->kept);
    side->held_bytes += sign > 0 ? n : 0 - n;
    side->held_count = (uint16_t)(side->held_count + sign);
    turn->s->shard_held[turn->st->shard] += sign > 0 ? n : 0 - (uint64_t)n;
}

void segments_drop_first(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    struct segment *first = side->held;
    side->held = first->next;
    segments_count(turn, first, -1);
    blocks_give(turn->s->blocks, first, sizeof *first + first->kept);
}

// Puts bytes [from, to) of `what` in at `place`.
static bool segments_insert(struct turn *turn, struct segment **place, const struct segment *what,
                            bytes data, uint64_t from, uint64_t to)
{
    uint64_t offset = from - what->position;
    struct segment part = *what;
    part.position = from;
    part.length = (uint32_t)(to - from);
    part.captured = offset >= what->captured ? 0 : what->captured - (uint32_t)offset;
    if (part.captured > part.length) part.captured = part.length;
    data = bytes_first(bytes_after(data, offset), part.captured);
    part.kept = (uint32_t)data.n;
    struct segment *s = blocks_take(turn->s->blocks, sizeof *s + data.n);
    if (!s) return false;
    *s = part;
    if (data.n) memcpy(s->data, data.p, data.n);
    s->next = *place;
    *place = s;
    segments_count(turn, s, 1);
    turn->effect->new_bytes += part.length;
    return true;
}

bool segments_add(struct turn *turn, const struct segment *what, bytes data)
{
    struct segment **place = &turn->st->side[turn->side].held;
    uint64_t from = what->position, end = what->position + what->length;
    bool fits = true, added = false;
    while (from < end && fits) {
        struct segment *at = *place;
        if (at && at->position + at->length <= from) {
            place = &at->next;
            continue;
        }
        uint64_t to = at && at->position < end ? at->position : end;
        if (to > from) {
            fits = segments_insert(turn, place, what, data, from, to);
            added = true;
        }
        from = at && at->position + at->length > to ? at->position + at->length : to;
    }
    turn->effect->retransmit = !added;
    return fits;
}

bool segments_reach(const struct stream_side *side, uint64_t position)
{
    const struct segment *s = side->held;
    while (s && s->position + s->length < position) s = s->next;
    return s && s->position < position;
}
