// Dissections that are put away while their conversations rest, and brought back.
//
// A copy is the dissection, behind it its state, and behind that the rows that wait, as they are
// listed; each at a multiple of 8.
#include <assert.h>

#include "dissect/inside.h"

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static size_t held_size(const struct held *held)
{
    return sizeof *held + held->size;
}

static size_t copy_size(const struct dissect *d)
{
    size_t n = aligned(sizeof *d) + aligned(d->state_size);
    for (const struct held *held = d->held; held; held = held->next) n += aligned(held_size(held));
    return n;
}

// Returns what lies behind it. The gap between is zeroed: copies that are alike are packed smaller.
static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
    if (n) memcpy(to, from, n);
    memset(to + n, 0, aligned(n) - n);
    return to + aligned(n);
}

size_t dissect_copy(const struct dissect_stage *g, const struct conversation *c, void *memory,
                    size_t room)
{
    const struct dissect *d = c->dissect ? pool_at(&g->pool, c->dissect) : NULL;
    if (!d || d->bodies || d->flaws || copy_size(d) > room) return 0;
    struct dissect plain = *d; // without what only tells where things lie
    plain.stage = NULL;
    plain.conversation = NULL;
    plain.state = NULL;
    plain.held = NULL;
    uint8_t *to = put(memory, &plain, sizeof plain);
    to = put(to, d->state, d->state_size);
    for (const struct held *held = d->held; held; held = held->next) {
        struct held *copy = (struct held *)(void *)to;
        to = put(to, held, held_size(held));
        copy->next = NULL;
    }
    return (size_t)(to - (uint8_t *)memory);
}

void dissect_put_away(struct dissect_stage *g, struct conversation *c)
{
    struct dissect *d = pool_at(&g->pool, c->dissect);
    for (struct held *held = d->held, *next; held; held = next) {
        next = held->next;
        blocks_give(g->blocks, held, held_size(held));
    }
    if (d->state) blocks_give(g->blocks, d->state, d->state_size);
    pool_give(&g->pool, c->dissect);
    c->dissect = 0;
    g->away++;
}

// There is no block for one of its parts: what waits is told as it is, and nothing more is made.
static void give_up(struct dissect *d, const uint8_t *held_copy)
{
    for (uint64_t left = d->held_numbers; left; left &= left - 1) {
        const struct held *held = (const struct held *)(const void *)held_copy;
        dissect_emit_held(d, held);
        dissect_block_forget(d, held_size(held));
        d->stage->counters.held_full++;
        held_copy += aligned(held_size(held));
    }
    d->held_numbers = 0;
    d->held_bytes = 0;
    dissect_forget(d);
    d->conversation->undissected = true;
    d->stage->counters.given_up++;
}

static bool bring_state(struct dissect *d, const uint8_t *copy)
{
    if (!d->state_size) return true;
    d->state = blocks_take(d->stage->blocks, d->state_size);
    if (d->state) memcpy(d->state, copy, d->state_size);
    else dissect_block_forget(d, d->state_size);
    return d->state;
}

static void release_held(struct dissect *d)
{
    for (struct held *next; d->held; d->held = next) {
        next = d->held->next;
        blocks_give(d->stage->blocks, d->held, held_size(d->held));
    }
}

static bool bring_held(struct dissect *d, const uint8_t *copy)
{
    struct held **place = &d->held;
    for (uint64_t left = d->held_numbers; left; left &= left - 1) {
        const struct held *from = (const struct held *)(const void *)copy;
        struct held *held = blocks_take(d->stage->blocks, held_size(from));
        if (!held) return false;
        memcpy(held, from, held_size(from));
        *place = held;
        place = &held->next;
        copy += aligned(held_size(from));
    }
    return true;
}

void dissect_bring_back(struct dissect_stage *g, struct conversation *c, const void *copy)
{
    c->dissect = pool_take(&g->pool);
    assert(c->dissect);
    g->away--;
    struct dissect *d = pool_at(&g->pool, c->dissect);
    memcpy(d, copy, sizeof *d);
    d->stage = g;
    d->conversation = c;
    const uint8_t *state = (const uint8_t *)copy + aligned(sizeof *d);
    const uint8_t *held = state + aligned(d->state_size);
    if (bring_state(d, state) && bring_held(d, held)) return;
    release_held(d);
    give_up(d, held);
}
