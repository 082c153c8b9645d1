// The delivered bytes that the other side did not acknowledge yet: a copy that differs may be what
// it took. A ring in one block, which is given back with the acknowledgement, so that a block goes
// from one busy direction to the next; when it is full, the oldest bytes fall out.
#include "base/checksum.h"
#include "stream/side.h"

enum {
    BLOCK_MIN = 128,
    BYTES_PER_ORIGIN = 256, // as many origins as make sense for a ring
    ORIGINS_ENOUGH = 16,    // for fewer a larger block is taken, as for bytes
    GROWTH = 4,
    SMALL_MAX = 512, // a first segment up to this is likely to be all that is sent at once
};

// Who brought the bytes from `from` on.
struct recent_origin {
    uint64_t from;
    struct origin origin;
};
_Static_assert(sizeof(struct recent) % _Alignof(struct recent_origin) == 0, "they lie behind it");

size_t recent_block(const struct recent *r)
{
    return sizeof *r + r->size + r->origins_max * sizeof(struct recent_origin);
}

// The origins lie behind the ring, whose size is a multiple of 8, and are a ring themselves: number
// 0 is the oldest.
static struct recent_origin *recent_origin(struct recent *r, uint32_t number)
{
    uint32_t at = r->origin_first + number;
    if (at >= r->origins_max) at -= r->origins_max;
    return (struct recent_origin *)(void *)(r->data + r->size) + at;
}

static struct recent recent_shape(size_t block)
{
    struct recent r = {.origins_max = (uint16_t)(block / BYTES_PER_ORIGIN)};
    if (!r.origins_max) r.origins_max = 1;
    r.size = (uint32_t)(block - sizeof r - r.origins_max * sizeof(struct recent_origin));
    return r;
}

void recent_drop(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    if (!side->recent) return;
    size_t block = recent_block(side->recent);
    stream_give(turn->s, turn->st, turn->side, (struct budget){.recent = block});
    blocks_give(turn->s->blocks, side->recent, block);
    side->recent = NULL;
}

// The `length` bytes that lie `offset` behind the oldest, as the two parts in which they lie.
static void recent_parts(const struct recent *r, uint64_t offset, uint64_t length, bytes parts[2])
{
    uint64_t at = r->first + offset;
    if (at >= r->size) at -= r->size;
    uint64_t before_wrap = r->size - at < length ? r->size - at : length;
    parts[0] = bytes_of(r->data + at, before_wrap);
    parts[1] = bytes_of(r->data, length - before_wrap);
}

static void recent_take_over(struct recent *to, struct recent *from)
{
    bytes parts[2];
    recent_parts(from, 0, from->used, parts);
    memcpy(to->data, parts[0].p, parts[0].n);
    memcpy(to->data + parts[0].n, parts[1].p, parts[1].n);
    for (uint32_t i = 0; i < from->origin_count; i++)
        *recent_origin(to, i) = *recent_origin(from, i);
    to->from = from->from;
    to->used = from->used;
    to->origin_count = from->origin_count;
}

// A larger block for `need` bytes, as far as its sender and shard have room for it.
static void recent_grow(struct turn *turn, size_t need)
{
    struct stream_side *side = &turn->st->side[turn->side];
    struct recent *old = side->recent;
    size_t block = old ? recent_block(old) * GROWTH : BLOCK_MIN;
    while (block < STREAM_RECENT_MAX && recent_shape(block).size < need)
        block = block_size(block + 1);
    if (block > STREAM_RECENT_MAX) block = STREAM_RECENT_MAX;
    size_t given = old ? recent_block(old) : 0;
    if (block <= given ||
        !stream_fits(turn->s, turn->st, turn->side, (struct budget){.recent = block - given}))
        return;
    struct recent *larger = blocks_take(turn->s->blocks, block);
    if (!larger) return;
    *larger = recent_shape(block);
    larger->from = side->next;
    if (old) recent_take_over(larger, old);
    recent_drop(turn);
    stream_take(turn->s, turn->st, turn->side, (struct budget){.recent = block});
    side->recent = larger;
}

static void recent_note_origin(struct recent *r, uint64_t from, const struct origin *origin)
{
    if (r->origin_count == r->origins_max) {
        r->origin_first = r->origin_first + 1 == r->origins_max ? 0 : r->origin_first + 1;
        r->origin_count--;
    }
    *recent_origin(r, r->origin_count++) = (struct recent_origin){from, *origin};
}

static bool recent_is_full(const struct recent *r, size_t need)
{
    return r->size < need || (r->origin_count == r->origins_max && r->origins_max < ORIGINS_ENOUGH);
}

void recent_keep(struct turn *turn, bytes data, const struct origin *origin)
{
    struct stream_side *side = &turn->st->side[turn->side];
    uint64_t end = side->next + data.n;
    if (side->acked >= end) {
        recent_drop(turn);
        return;
    }
    size_t used = side->recent ? side->recent->used : 0;
    size_t need = used || data.n <= SMALL_MAX ? used + data.n : 2 * data.n;
    if (!side->recent || recent_is_full(side->recent, need)) recent_grow(turn, need);
    struct recent *r = side->recent;
    if (!r) {
        turn->s->uncompared += data.n;
        return;
    }
    recent_note_origin(r, side->next, origin);
    if (data.n > r->size) data = bytes_after(data, data.n - r->size);
    uint32_t n = (uint32_t)data.n, out = r->used + n > r->size ? r->used + n - r->size : 0;
    r->first = r->first + out >= r->size ? r->first + out - r->size : r->first + out;
    r->used -= out;
    bytes parts[2];
    recent_parts(r, r->used, n, parts);
    memcpy(r->data + (parts[0].p - r->data), data.p, parts[0].n);
    if (parts[1].n) memcpy(r->data, data.p + parts[0].n, parts[1].n);
    r->used += n;
    r->from = end - r->used;
}

// ---- comparing ----------------------------------------------------------------------------------

static const struct recent_origin *recent_origin_at(struct recent *r, uint64_t position)
{
    for (uint32_t i = r->origin_count; i; i--) {
        const struct recent_origin *by = recent_origin(r, i - 1);
        if (by->from <= position) return by;
    }
    return NULL;
}

// Whether the checksum of the segment was bad, where the whole of it is still there.
static bool recent_has_bad_sum(const struct recent *r, const struct recent_origin *by)
{
    const struct origin *o = &by->origin;
    if (!o->has_sum || by->from != o->position || o->position < r->from ||
        o->position + o->length > r->from + r->used)
        return false;
    bytes parts[2];
    recent_parts(r, o->position - r->from, o->length, parts);
    // A second part that begins at an odd place is summed with its bytes exchanged (RFC 1071
    // section 2).
    uint32_t sum = internet_sum(0, parts[0]), rest = internet_sum(0, parts[1]);
    sum += parts[0].n % 2 ? __builtin_bswap16((uint16_t)rest) : rest;
    return sum % 0xffff != o->sum % 0xffff;
}

// The bytes that lie `offset` behind the oldest in one piece, as many as are told.
static bytes recent_reading(struct turn *turn, uint64_t offset, uint64_t length)
{
    const struct recent *r = turn->st->side[turn->side].recent;
    bytes parts[2];
    if (length > STREAM_AMBIGUITY_BYTES) length = STREAM_AMBIGUITY_BYTES;
    recent_parts(r, offset, length, parts);
    if (!parts[1].n) return parts[0];
    memcpy(turn->s->reading, parts[0].p, parts[0].n);
    memcpy(turn->s->reading + parts[0].n, parts[1].p, parts[1].n);
    return bytes_of(turn->s->reading, length);
}

static void recent_dispute(struct turn *turn, uint64_t first, uint64_t end, bytes later)
{
    const struct stream_side *side = &turn->st->side[turn->side];
    struct recent *r = side->recent;
    const struct recent_origin *by = recent_origin_at(r, first);
    struct dispute dispute = {
        .position = first,
        .length = end - first,
        .earlier = recent_reading(turn, first - r->from, end - first),
        .later = bytes_first(later, end - first),
        .origin = by ? &by->origin : NULL,
        .doubts = by && recent_has_bad_sum(r, by) ? DOUBT_BAD_CHECKSUM : 0,
        .policy = side->policy == OVERLAP_FIRST ? overlap_name(OVERLAP_FIRST) : "delivered",
    };
    ambiguity_tell(turn, &dispute);
}

void recent_compare(struct turn *turn, uint64_t position, bytes data)
{
    const struct recent *r = turn->st->side[turn->side].recent;
    if (!r) return;
    if (position < r->from) {
        data = bytes_after(data, r->from - position);
        position = r->from;
    }
    uint64_t end = r->from + r->used, first = 0, last = 0;
    if (position >= end || !data.n) return;
    data = bytes_first(data, end - position);
    bytes parts[2];
    recent_parts(r, position - r->from, data.n, parts);
    ambiguity_find(parts[0], bytes_first(data, parts[0].n), position, &first, &last);
    ambiguity_find(parts[1], bytes_after(data, parts[0].n), position + parts[0].n, &first, &last);
    if (first < last) recent_dispute(turn, first, last, bytes_after(data, first - position));
}
