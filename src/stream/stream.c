#include "stream/stream.h"

#include <assert.h>

#include "stream/side.h"

struct stream_effect stream_packet(struct streams *s, uint32_t stream, void *owner,
                                   const struct packet *p)
{
    struct stream *st = pool_at(&s->pool, stream);
    struct stream_effect effect = {0};
    struct turn turn = {
        .s = s, .st = st, .owner = owner, .effect = &effect, .packet = p, .side = p->side};
    side_note_ack(&turn, p);
    if (!(p->tcp_flags & TCP_RST)) side_take(&turn, p);
    for (uint8_t i = 0; i < 2; i++) {
        turn.side = i;
        side_lose_patience(&turn, p->side);
    }
    return effect;
}

void stream_close(struct streams *s, uint32_t stream, void *owner, uint64_t missed[2])
{
    struct stream *st = pool_at(&s->pool, stream);
    for (uint8_t i = 0; i < 2; i++) {
        struct stream_effect effect = {0};
        struct turn turn = {
            .s = s, .st = st, .owner = owner, .effect = &effect, .side = i, .packet_side = i};
        side_close(&turn);
        missed[i] = effect.missed_bytes;
    }
    pool_give(&s->pool, stream);
}

bool stream_fits(const struct streams *s, const struct stream *st, uint8_t side, struct budget more)
{
    return !s->accounts || account_fits(s->accounts, st->shard, st->accounts[side], more);
}

void stream_take(struct streams *s, const struct stream *st, uint8_t side, struct budget more)
{
    if (s->accounts) account_charge(s->accounts, st->shard, st->accounts[side], more);
}

void stream_give(struct streams *s, const struct stream *st, uint8_t side, struct budget less)
{
    if (s->accounts) account_release(s->accounts, st->shard, st->accounts[side], less);
}

bool turn_has_room(const struct turn *turn, size_t n)
{
    return stream_fits(turn->s, turn->st, turn->side, (struct budget){.bytes = n});
}

void turn_charge(struct turn *turn, size_t n)
{
    turn->s->held += n;
    stream_take(turn->s, turn->st, turn->side, (struct budget){.bytes = n});
}

void turn_release(struct turn *turn, size_t n)
{
    turn->s->held -= n;
    stream_give(turn->s, turn->st, turn->side, (struct budget){.bytes = n});
}

struct streams *streams_create(uint32_t streams_max, struct blocks *blocks,
                               struct stream_hooks hooks, struct err *err)
{
    struct streams *s = memory_get(sizeof *s);
    s->blocks = blocks;
    s->hooks = hooks;
    if (pool_init(&s->pool, sizeof(struct stream), streams_max, err)) return s;
    memory_free(s);
    return NULL;
}

void streams_destroy(struct streams *s)
{
    if (!s) return;
    pool_deinit(&s->pool);
    memory_free(s);
}

void streams_charge(struct streams *s, struct accounts *accounts)
{
    s->accounts = accounts;
}

void stream_charge(struct streams *s, uint32_t stream, const uint32_t accounts[2])
{
    struct stream *st = pool_at(&s->pool, stream);
    memcpy(st->accounts, accounts, sizeof st->accounts);
}

uint32_t stream_open(struct streams *s, uint8_t shard)
{
    if (s->pool.used + s->away >= s->pool.items_max) return 0;
    uint32_t index = pool_take(&s->pool);
    if (index) ((struct stream *)pool_at(&s->pool, index))->shard = shard;
    return index;
}

void stream_overlap(struct streams *s, uint32_t stream, uint8_t side, enum overlap_policy policy)
{
    ((struct stream *)pool_at(&s->pool, stream))->side[side].policy = (uint8_t)policy;
}

nanos stream_time_at(const struct streams *s, uint32_t stream, uint8_t side, uint64_t position)
{
    const struct stream *st = pool_at(&s->pool, stream);
    return view_time_at(&st->side[side], position);
}

void stream_attend(struct streams *s, uint32_t stream, uint8_t side)
{
    struct stream_side *at = &((struct stream *)pool_at(&s->pool, stream))->side[side];
    at->ignore = at->finished;
    at->skip = 0;
    at->want = 0;
}

void stream_gap_times(const struct streams *s, uint32_t stream, uint8_t side, nanos *since,
                      nanos *until)
{
    const struct stream_side *at = &((const struct stream *)pool_at(&s->pool, stream))->side[side];
    *since = at->direct_time;
    *until = at->held ? at->held->origin.time : 0;
}

uint64_t streams_held(const struct streams *s)
{
    return s->held;
}

uint64_t streams_uncompared(const struct streams *s)
{
    return s->uncompared;
}
