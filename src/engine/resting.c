#include "engine/resting.h"

#include <assert.h>

#include "base/packing.h"

enum {
    LOOKS = 4, // at others, for each that is added
    // Of those that are packed, as many may be brought back before more are left as they are.
    VAIN_SHARE = 2,
    VAIN_MIN = 4096,
};

struct rest {
    uint16_t packed_size, size; // of data; of what it was
    uint16_t stream_size;       // of it
    uint8_t data[];
};
_Static_assert(PACKING_PIECE_MAX <= UINT16_MAX, "sizes fit");

// A conversation as it was when it was added: its slot may have another one by now.
struct awake {
    uint32_t slot, mark;
};

struct resting {
    struct flow_table *table;
    struct streams *streams;
    struct dissect_stage *dissect;
    struct blocks *blocks;
    struct packing *packing; // made when it is needed first
    struct awake *queue;     // a ring
    uint32_t size, first, count;
    uint32_t begun, ended; // rests, since `size` was set
    uint64_t rests;        // that were ever begun
    _Alignas(16) uint8_t copy[PACKING_PIECE_MAX];
    uint8_t packed[PACKING_PIECE_MAX];
};

struct resting *resting_create(struct flow_table *table, struct streams *streams,
                               struct dissect_stage *dissect, struct blocks *blocks,
                               uint32_t awake_max)
{
    struct resting *r = memory_get(sizeof *r);
    r->table = table;
    r->streams = streams;
    r->dissect = dissect;
    r->blocks = blocks;
    r->size = awake_max ? awake_max : 1;
    r->queue = memory_get(r->size * sizeof *r->queue);
    return r;
}

void resting_destroy(struct resting *r)
{
    if (!r) return;
    packing_destroy(r->packing);
    memory_free(r->queue);
    memory_free(r);
}

// Its size; 0 when there is something that can't rest.
static size_t resting_copy(struct resting *r, const struct conversation *c, size_t *stream_size)
{
    size_t room = sizeof r->copy;
    *stream_size = c->stream ? stream_copy(r->streams, c->stream, r->copy, room) : 0;
    if (c->stream && !*stream_size) return 0;
    assert(*stream_size % 8 == 0);
    size_t n = dissect_copy(r->dissect, c, r->copy + *stream_size, room - *stream_size);
    return n ? *stream_size + n : 0;
}

static bool resting_begin(struct resting *r, struct conversation *c)
{
    size_t stream_size, size = resting_copy(r, c, &stream_size);
    if (!size) return false;
    if (!r->packing) r->packing = packing_create();
    if (!r->packing) return false;
    size_t n = packing_pack(r->packing, bytes_of(r->copy, size), r->packed, size * 3 / 4);
    struct rest *rest = n ? blocks_take(r->blocks, sizeof *rest + n) : NULL;
    if (!rest) return false;
    rest->packed_size = (uint16_t)n;
    rest->size = (uint16_t)size;
    rest->stream_size = (uint16_t)stream_size;
    memcpy(rest->data, r->packed, n);
    if (c->stream) stream_put_away(r->streams, c->stream);
    dissect_put_away(r->dissect, c);
    c->stream = 0;
    c->rest = rest;
    r->begun++;
    r->rests++;
    return true;
}

// ---- the queue ----------------------------------------------------------------------------------

static uint32_t mark_of(const struct conversation *c)
{
    return (uint32_t)c->id_hash;
}

static void queue_put(struct resting *r, struct conversation *c)
{
    uint32_t at = r->first + r->count++;
    if (at >= r->size) at -= r->size;
    r->queue[at] = (struct awake){flow_table_slot(r->table, c), mark_of(c)};
    c->is_awake = true;
}

// NULL when it has ended.
static struct conversation *queue_take(struct resting *r)
{
    struct awake awake = r->queue[r->first];
    r->first = r->first + 1 == r->size ? 0 : r->first + 1;
    r->count--;
    struct conversation *c = flow_table_at(r->table, awake.slot);
    if (!c || mark_of(c) != awake.mark || !c->is_awake) return NULL;
    c->is_awake = false;
    return c;
}

static void queue_grow(struct resting *r)
{
    struct awake *larger = memory_get(2 * (size_t)r->size * sizeof *larger);
    for (uint32_t i = 0; i < r->count; i++) larger[i] = r->queue[(r->first + i) % r->size];
    memory_free(r->queue);
    r->queue = larger;
    r->first = 0;
    r->size *= 2;
    r->begun = r->ended = 0;
}

// Looks at those that stand in it longest until one of them need not stand there any more.
static void queue_make_room(struct resting *r)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        struct conversation *c = queue_take(r);
        if (!c || (!c->stirred && resting_begin(r, c))) return;
        c->stirred = false;
        // The last one comes again with its next packet.
        if (i + 1 < LOOKS) queue_put(r, c);
    }
}

void resting_add(struct resting *r, struct conversation *c)
{
    if (r->ended >= VAIN_MIN && r->ended >= r->begun / VAIN_SHARE) queue_grow(r);
    if (r->count == r->size) queue_make_room(r);
    queue_put(r, c);
}

void resting_end(struct resting *r, struct conversation *c)
{
    struct rest *rest = c->rest;
    bool is_whole =
        packing_unpack(r->packing, bytes_of(rest->data, rest->packed_size), r->copy, rest->size);
    assert(is_whole);
    size_t stream_size = rest->stream_size;
    blocks_give(r->blocks, rest, sizeof *rest + rest->packed_size);
    c->rest = NULL;
    r->ended++;
    if (stream_size) c->stream = stream_bring_back(r->streams, r->copy);
    dissect_bring_back(r->dissect, c, r->copy + stream_size);
}

uint64_t resting_count(const struct resting *r)
{
    return r->rests;
}
