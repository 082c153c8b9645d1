// Segments that wait behind a hole: a list by position without overlaps, cut as the receiver's
// policy says.
#include "stream/side.h"

static void segments_count(struct turn *turn, const struct segment *s, int sign)
{
    struct stream_side *side = &turn->st->side[turn->side];
    uint32_t n = (uint32_t)block_size(sizeof *s + s->kept);
    side->held_bytes += sign > 0 ? n : 0 - n;
    side->held_count = (uint16_t)(side->held_count + sign);
    if (sign > 0) turn_charge(turn, n);
    else turn_release(turn, n);
}

void segments_drop_first(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    struct segment *first = side->held;
    side->held = first->next;
    if (side->near == first) side->near = NULL;
    segments_count(turn, first, -1);
    blocks_give(turn->s->blocks, first, sizeof *first + first->kept);
}

// Puts bytes [from, to) of `what` in at `place`.
static bool segments_put(struct turn *turn, struct segment **place, const struct segment *what,
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
    turn->st->side[turn->side].near = s;
    segments_count(turn, s, 1);
    return true;
}

static uint64_t segment_end(const struct segment *s)
{
    return s->position + s->length;
}

// Bytes [from, to) of the segment at `place` become those of `what`.
static bool segments_replace(struct turn *turn, struct segment **place, const struct segment *what,
                             bytes data, uint64_t from, uint64_t to)
{
    struct segment *old = *place;
    bytes old_data = {old->data, old->kept};
    bool fits = true;
    *place = old->next;
    // From the last to the first, so that each goes in at the same place.
    if (to < segment_end(old))
        fits = segments_put(turn, place, old, old_data, to, segment_end(old));
    fits = segments_put(turn, place, what, data, from, to) && fits;
    if (old->position < from)
        fits = segments_put(turn, place, old, old_data, old->position, from) && fits;
    struct stream_side *side = &turn->st->side[turn->side];
    if (side->near == old) side->near = NULL;
    segments_count(turn, old, -1);
    blocks_give(turn->s->blocks, old, sizeof *old + old->kept);
    return fits;
}

static struct overlap_extent origin_extent(const struct origin *origin)
{
    return (struct overlap_extent){origin->position, origin->position + origin->length};
}

// The bytes [from, to) that are there of a segment.
static bytes segment_part(const struct segment *s, bytes data, uint64_t from, uint64_t to)
{
    return bytes_first(bytes_after(data, from - s->position), to - from);
}

// `what` and the segment at `place` both have the bytes [from, to).
static bool segments_dispute(struct turn *turn, struct segment **place, const struct segment *what,
                             bytes data, uint64_t from, uint64_t to)
{
    struct segment *old = *place;
    enum overlap_policy policy = turn->st->side[turn->side].policy;
    bytes earlier = segment_part(old, bytes_of(old->data, old->kept), from, to);
    bytes later = segment_part(what, data, from, to);
    // Who has fewer of the bytes, since the snap length cut them, does not win.
    bool wins = later.n >= earlier.n && overlap_later_wins(policy, origin_extent(&old->origin),
                                                           origin_extent(&what->origin));
    size_t both = earlier.n < later.n ? earlier.n : later.n;
    uint64_t first = 0, end = 0;
    ambiguity_find(bytes_first(earlier, both), bytes_first(later, both), from, &first, &end);
    if (first < end) {
        struct dispute dispute = {
            .position = first,
            .length = end - first,
            .earlier = bytes_first(bytes_after(earlier, first - from), end - first),
            .later = bytes_first(bytes_after(later, first - from), end - first),
            .origin = &old->origin,
            .policy = overlap_name(policy),
            .later_wins = wins,
        };
        ambiguity_tell(turn, &dispute);
    }
    return !wins || segments_replace(turn, place, what, data, from, to);
}

bool segments_add(struct turn *turn, const struct segment *what, bytes data)
{
    struct stream_side *side = &turn->st->side[turn->side];
    bool is_behind = side->near && segment_end(side->near) <= what->position;
    struct segment **place = is_behind ? &side->near->next : &side->held;
    uint64_t from = what->position, end = segment_end(what), new_bytes = 0;
    bool fits = true;
    while (from < end && fits) {
        struct segment *at = *place;
        if (at && segment_end(at) <= from) {
            place = &at->next;
            continue;
        }
        bool is_there = at && at->position <= from;
        uint64_t to = !at ? end : is_there ? segment_end(at) : at->position;
        if (to > end) to = end;
        if (is_there) {
            fits = segments_dispute(turn, place, what, data, from, to);
        } else {
            fits = segments_put(turn, place, what, data, from, to);
            new_bytes += to - from;
        }
        from = to;
    }
    turn->effect->new_bytes += new_bytes;
    turn->effect->retransmit = !new_bytes;
    return fits;
}

bool segments_reach(const struct stream_side *side, uint64_t position)
{
    const struct segment *s = side->held;
    while (s && segment_end(s) < position) s = s->next;
    return s && s->position < position;
}
