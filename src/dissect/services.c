// What dissectors may ask of the stage: rows, bodies, anomalies.
#include "dissect/inside.h"

#include <assert.h>

#include "flow/flow.h"
#include "flow/tcp.h"
#include "record/kinds.h"

void *dissect_state(struct dissect *d)
{
    return d->state;
}

static bool budget_allows(struct dissect *d, struct budget more)
{
    const struct dissect_budget *b = &d->stage->budget;
    const struct conversation *c = d->conversation;
    if (!b->accounts) return true;
    uint32_t account = c->accounts[c->first_side];
    if (!account_fits(b->accounts, c->shard, account, more)) {
        b->refused(b->context, c, more.files != 0);
        return false;
    }
    account_charge(b->accounts, c->shard, account, more);
    return true;
}

static void budget_release(struct dissect *d, struct budget less)
{
    const struct dissect_budget *b = &d->stage->budget;
    const struct conversation *c = d->conversation;
    if (b->accounts) account_release(b->accounts, c->shard, c->accounts[c->first_side], less);
}

void *dissect_block_take(struct dissect *d, size_t n)
{
    struct budget size = {.bytes = block_size(n)};
    if (!budget_allows(d, size)) return NULL;
    void *block = blocks_take(d->stage->blocks, n);
    if (block) return block;
    budget_release(d, size);
    d->stage->counters.held_full++;
    return NULL;
}

void dissect_block_give(struct dissect *d, void *block, size_t n)
{
    if (!block) return;
    blocks_give(d->stage->blocks, block, n);
    budget_release(d, (struct budget){.bytes = block_size(n)});
}

void dissect_block_forget(struct dissect *d, size_t n)
{
    budget_release(d, (struct budget){.bytes = block_size(n)});
}

void *dissect_state_resize(struct dissect *d, size_t size)
{
    assert(size >= d->state_size && size <= DISSECT_STATE_MAX);
    uint8_t *larger = dissect_block_take(d, size);
    if (!larger) return NULL;
    memcpy(larger, d->state, d->state_size);
    memset(larger + d->state_size, 0, size - d->state_size);
    dissect_block_give(d, d->state, d->state_size);
    d->state = larger;
    d->state_size = (uint16_t)size;
    return larger;
}

enum transport dissect_transport(const struct dissect *d)
{
    return d->conversation->key.proto == 6 ? TRANSPORT_TCP : TRANSPORT_UDP;
}

uint16_t dissect_port(const struct dissect *d, uint8_t side)
{
    const struct conversation_key *k = &d->conversation->key;
    return (side ^ d->first_side) ? k->port_b : k->port_a;
}

nanos dissect_time_at(const struct dissect *d, uint8_t side, uint64_t position)
{
    if (!d->conversation->stream) return d->stage->datagram_time;
    return stream_time_at(d->stage->streams, d->conversation->stream, side ^ d->first_side,
                          position);
}

struct row *dissect_row(struct dissect *d, const struct record_kind *kind, uint8_t side,
                        uint64_t position, nanos ts)
{
    struct row *row = &d->stage->row;
    row_init(row, kind, d->stage->row_memory, sizeof d->stage->row_memory - COMMON_ROOM);
    row->side = side;
    row->position = position;
    row->ts = ts;
    return row;
}

// Ids name the side of the key, which no later knowledge of who began can change.
struct record_id dissect_row_id(const struct dissect *d, const struct row *row)
{
    return record_id_under(d->conversation->id_hash, row->kind->name, row->side ^ d->first_side,
                           row->position, row->ordinal, row->ts);
}

static void emit(struct dissect *d, struct row *row)
{
    struct conversation *c = d->conversation;
    if (row->truncated) d->stage->counters.rows_truncated++;
    if (d->first_side != c->src_side) row_swap_sides(row);
    row->buf.size += COMMON_ROOM;
    row->buf.full = false;
    row_id(row, COMMON_ID, dissect_row_id(d, row));
    row_time(row, COMMON_TS, row->ts);
    conversation_fill(c, row);
    flaws_flag(d, row);
    c->settled = true;
    writer_emit(d->stage->writer, row);
}

void dissect_emit(struct dissect *d, struct row *row)
{
    emit(d, row);
}

_Static_assert(DISSECT_HELD_MAX <= 64, "a bit for each number");

// What the counts of lists take in a held row.
static size_t held_counts_size(uint64_t list_fields)
{
    return (size_t)__builtin_popcountll(list_fields) * sizeof(uint16_t);
}

static void held_fill(struct held *held, const struct row *row)
{
    uint8_t *to = held->data;
    for (uint64_t left = row->list_fields; left; left &= left - 1) {
        memcpy(to, &row->list_counts[__builtin_ctzll(left)], sizeof(uint16_t));
        to += sizeof(uint16_t);
    }
    if (row->buf.n) memcpy(to, row->buf.p, row->buf.n);
}

uint32_t dissect_hold(struct dissect *d, const struct row *row)
{
    uint32_t size = (uint32_t)(held_counts_size(row->list_fields) + row->buf.n);
    uint32_t whole = (uint32_t)sizeof(struct held) + size;
    if (!~d->held_numbers || d->held_bytes + whole > DISSECT_BUDGET) {
        d->stage->counters.held_full++;
        return 0;
    }
    struct held *held = dissect_block_take(d, whole);
    if (!held) return 0;
    uint8_t number = (uint8_t)__builtin_ctzll(~d->held_numbers);
    *held = (struct held){d->held,          row->kind,      row->position, row->ts,
                          row->list_fields, row->ordinal,   size,          number,
                          row->side,        row->truncated, row->buf.full};
    held_fill(held, row);
    d->held = held;
    d->held_numbers |= UINT64_C(1) << number;
    d->held_bytes += whole;
    return number + 1u;
}

// Takes the row at `*place` out of the list, and its block away.
static void held_give(struct dissect *d, struct held **place)
{
    struct held *held = *place;
    uint32_t whole = (uint32_t)sizeof *held + held->size;
    *place = held->next;
    d->held_numbers &= ~(UINT64_C(1) << held->number);
    d->held_bytes -= whole;
    dissect_block_give(d, held, whole);
}

static void held_read(const struct held *held, struct row *row, void *memory, size_t size)
{
    row_init(row, held->kind, memory, size);
    row->truncated = held->truncated;
    row->side = held->side;
    row->ordinal = held->ordinal;
    row->position = held->position;
    row->ts = held->ts;
    row->list_fields = held->list_fields;
    const uint8_t *from = held->data;
    for (uint64_t left = held->list_fields; left; left &= left - 1) {
        memcpy(&row->list_counts[__builtin_ctzll(left)], from, sizeof(uint16_t));
        from += sizeof(uint16_t);
    }
    row->buf.n = held->size - held_counts_size(held->list_fields);
    row->buf.full = held->full;
    if (row->buf.n) memcpy(row->buf.p, from, row->buf.n);
}

struct row *dissect_take(struct dissect *d, uint32_t handle)
{
    struct held **place = &d->held;
    while (*place && (*place)->number + 1u != handle) place = &(*place)->next;
    assert(*place);
    struct dissect_stage *g = d->stage;
    held_read(*place, &g->row, g->row_memory, sizeof g->row_memory - COMMON_ROOM);
    held_give(d, place);
    return &g->row;
}

void dissect_emit_held(struct dissect *d, const struct held *held)
{
    struct dissect_stage *g = d->stage;
    held_read(held, &g->row, g->row_memory, sizeof g->row_memory - COMMON_ROOM);
    emit(d, &g->row);
}

void dissect_anomaly(struct dissect *d, const char *name, uint8_t side, uint64_t position,
                     nanos time, bytes detail)
{
    if (d->anomalies == ANOMALIES_MAX) {
        d->stage->counters.anomalies_untold++;
        return;
    }
    struct row row;
    row_init(&row, &anomaly_kind, d->stage->anomaly_memory,
             sizeof d->stage->anomaly_memory - COMMON_ROOM);
    row.side = side;
    row.position = position;
    row.ordinal = d->anomalies++;
    row.ts = time;
    bool from_src = (side ^ d->first_side) == d->conversation->src_side;
    row_text(&row, ANOMALY_NAME, bytes_text(name));
    row_text(&row, ANOMALY_SERVICE, bytes_text(d->dissector->name));
    row_text(&row, ANOMALY_SIDE, bytes_text(from_src ? "src" : "dst"));
    if (detail.n) row_text(&row, ANOMALY_DETAIL, bytes_first(detail, 256));
    row_range(&row, side, position, 0);
    emit(d, &row);
}

void dissect_client_is(struct dissect *d, uint8_t side)
{
    struct conversation *c = d->conversation;
    uint8_t client = side ^ d->first_side;
    // A side that was never heard is not made the source of anything.
    if (client == c->src_side || c->settled || !c->side[client].packets || c->side[0].has_isn ||
        c->side[1].has_isn)
        return;
    conversation_turn(c);
}

void dissect_switch(struct dissect *d, const char *name)
{
    d->switched = true;
    d->stage->switch_to = name;
}

void dissect_tunnel(struct dissect *d, const char *name)
{
    struct conversation *c = d->conversation;
    if (c->proxy_depth < PROXIES_MAX) c->proxies[c->proxy_depth] = name;
    if (c->proxy_depth < UINT8_MAX) c->proxy_depth++;
}

static struct open_bodies *bodies_of(struct dissect *d)
{
    if (d->bodies) return d->bodies;
    d->bodies = dissect_block_take(d, sizeof *d->bodies);
    if (d->bodies) memset(d->bodies, 0, sizeof *d->bodies);
    return d->bodies;
}

static void bodies_give(struct dissect *d)
{
    if (!d->bodies || d->bodies->count) return;
    dissect_block_give(d, d->bodies, sizeof *d->bodies);
    d->bodies = NULL;
}

uint32_t dissect_body_open(struct dissect *d, const struct body_start *start)
{
    struct body_hooks *hooks = &d->stage->bodies;
    struct open_bodies *bodies = hooks->open ? bodies_of(d) : NULL;
    if (!bodies || bodies->count == BODIES_OPEN_MAX) return 0;
    static const struct budget one = {.files = 1};
    uint32_t slot = 0, handle = 0;
    if (budget_allows(d, one)) {
        handle = hooks->open(hooks->context, start);
        if (!handle) budget_release(d, one);
    }
    if (!handle) {
        bodies_give(d);
        return 0;
    }
    while (bodies->at[slot].handle) slot++;
    bodies->count++;
    bodies->at[slot].handle = handle;
    bodies->at[slot].start = *start;
    bodies->at[slot].end = start->position;
    // Borrowed for the call only.
    bodies->at[slot].start.file_name = bodies->at[slot].start.media_type = bytes_of(NULL, 0);
    return slot + 1;
}

// The hooks' handle of the body number `body`, which must be open.
static uint32_t body_handle(const struct dissect *d, uint32_t body)
{
    assert(body <= BODIES_OPEN_MAX && d->bodies && d->bodies->at[body - 1].handle);
    return d->bodies->at[body - 1].handle;
}

void dissect_body_data(struct dissect *d, uint32_t body, bytes data)
{
    if (!body) return;
    struct dissect_stage *g = d->stage;
    g->bodies.data(g->bodies.context, body_handle(d, body), data);
    // Its own place in what is shown tells where it ends, whatever framing lies between.
    if (data.p >= g->shown.p && data.p + data.n <= g->shown.p + g->shown.n)
        d->bodies->at[body - 1].end = g->shown_at + (uint64_t)(data.p - g->shown.p) + data.n;
}

void dissect_body_gap(struct dissect *d, uint32_t body, uint64_t length)
{
    if (!body) return;
    d->stage->bodies.gap(d->stage->bodies.context, body_handle(d, body), length);
    uint64_t *end = &d->bodies->at[body - 1].end;
    if (*end < d->stage->lost_at + length) *end = d->stage->lost_at + length;
}

void dissect_body_close(struct dissect *d, uint32_t body, bool complete,
                        struct body_summary *summary)
{
    struct body_summary nobody_asks;
    if (!summary) summary = &nobody_asks;
    memset(summary, 0, sizeof *summary);
    if (!body) return;
    struct dissect_stage *g = d->stage;
    struct row *row = &g->file_row;
    g->bodies.close(g->bodies.context, body_handle(d, body), complete, summary, row, g->file_memory,
                    sizeof g->file_memory - COMMON_ROOM);
    const struct body_start *start = &d->bodies->at[body - 1].start;
    row->side = start->side;
    row->position = start->position;
    row->ts = start->time;
    row_range(row, start->side, start->position, d->bodies->at[body - 1].end - start->position);
    d->bodies->at[body - 1].handle = 0;
    d->bodies->count--;
    budget_release(d, (struct budget){.files = 1});
    bodies_give(d);
    emit(d, row);
}

void dissect_forget(struct dissect *d)
{
    for (uint32_t i = 0; i < BODIES_OPEN_MAX && d->bodies; i++)
        if (d->bodies->at[i].handle) dissect_body_close(d, i + 1, false, NULL);
    while (d->held) held_give(d, &d->held);
    if (d->state) dissect_block_give(d, d->state, d->state_size);
    d->state = NULL;
    d->state_size = 0;
    d->dissector = NULL;
}
