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
    const struct conversation_key *k = &c->key;
    if (row->truncated) d->stage->counters.rows_truncated++;
    if (d->first_side != c->src_side) row_swap_sides(row);
    row->buf.size += COMMON_ROOM;
    row->buf.full = false;
    row_id(row, COMMON_ID, dissect_row_id(d, row));
    row_time(row, COMMON_TS, row->ts);
    row_id(row, COMMON_CONVERSATION_ID, conversation_id(c));
    row_address(row, COMMON_SRC_ADDR, c->src_side ? k->b : k->a);
    row_uint(row, COMMON_SRC_PORT, c->src_side ? k->port_b : k->port_a);
    row_address(row, COMMON_DST_ADDR, c->src_side ? k->a : k->b);
    row_uint(row, COMMON_DST_PORT, c->src_side ? k->port_a : k->port_b);
    row_uint(row, COMMON_PROTO, k->proto);
    c->settled = true;
    writer_emit(d->stage->writer, row);
}

void dissect_emit(struct dissect *d, struct row *row)
{
    emit(d, row);
}

// A free slot, or held_size when all are taken.
static uint8_t held_slot(const struct dissect *d)
{
    uint8_t slot = 0;
    while (slot < d->held_size && d->held[slot]) slot++;
    return slot;
}

// More slots, up to DISSECT_HELD_MAX. False when there can be none.
static bool held_grow(struct dissect *d)
{
    enum { SLOTS_MIN = BLOCK_SIZE_MIN / sizeof(struct held *), SLOTS_TIMES = 4 };
    uint32_t size = d->held_size ? d->held_size * SLOTS_TIMES : SLOTS_MIN;
    if (size > DISSECT_HELD_MAX) size = DISSECT_HELD_MAX;
    if (size == d->held_size) return false;
    struct held **larger = blocks_take(d->stage->blocks, size * sizeof(struct held *));
    if (!larger) return false;
    memset(larger, 0, size * sizeof(struct held *));
    if (d->held) {
        memcpy(larger, d->held, d->held_size * sizeof(struct held *));
        blocks_give(d->stage->blocks, d->held, d->held_size * sizeof(struct held *));
    }
    d->held = larger;
    d->held_size = (uint8_t)size;
    return true;
}

uint32_t dissect_hold(struct dissect *d, const struct row *row)
{
    uint32_t size = (uint32_t)(sizeof(struct held) + row->buf.n);
    uint8_t slot = held_slot(d);
    struct held *held = NULL;
    bool has_room = d->held_bytes + size <= DISSECT_BUDGET;
    if (has_room && (slot < d->held_size || held_grow(d)))
        held = blocks_take(d->stage->blocks, size);
    if (!held) {
        d->stage->counters.held_full++;
        return 0;
    }
    held->row = *row;
    held->size = size;
    if (row->buf.n) memcpy(held->data, row->buf.p, row->buf.n);
    d->held[slot] = held;
    d->held_bytes += size;
    d->held_count++;
    return slot + 1u;
}

static void held_give(struct dissect *d, uint32_t slot)
{
    struct held *held = d->held[slot];
    if (!held) return;
    d->held_bytes -= held->size;
    d->held_count--;
    blocks_give(d->stage->blocks, held, held->size);
    d->held[slot] = NULL;
}

static void held_deinit(struct dissect *d)
{
    for (uint32_t i = 0; i < d->held_size && d->held_count; i++) held_give(d, i);
    blocks_give(d->stage->blocks, d->held, d->held_size * sizeof(struct held *));
    d->held = NULL;
    d->held_size = 0;
}

struct row *dissect_take(struct dissect *d, uint32_t handle)
{
    assert(handle && handle <= d->held_size && d->held[handle - 1]);
    struct held *held = d->held[handle - 1];
    struct row *row = &d->stage->row;
    *row = held->row;
    row->buf = buf_on(d->stage->row_memory, sizeof d->stage->row_memory - COMMON_ROOM);
    row->buf.n = held->row.buf.n;
    row->buf.full = held->row.buf.full;
    if (row->buf.n) memcpy(row->buf.p, held->data, row->buf.n);
    held_give(d, handle - 1);
    return row;
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
    d->switch_to = name;
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
    d->bodies = blocks_take(d->stage->blocks, sizeof *d->bodies);
    if (d->bodies) memset(d->bodies, 0, sizeof *d->bodies);
    else d->stage->counters.held_full++;
    return d->bodies;
}

static void bodies_give(struct dissect *d)
{
    if (!d->bodies || d->bodies->count) return;
    blocks_give(d->stage->blocks, d->bodies, sizeof *d->bodies);
    d->bodies = NULL;
}

uint32_t dissect_body_open(struct dissect *d, const struct body_start *start)
{
    struct body_hooks *hooks = &d->stage->bodies;
    struct open_bodies *bodies = hooks->open ? bodies_of(d) : NULL;
    if (!bodies || bodies->count == BODIES_OPEN_MAX) return 0;
    uint32_t slot = 0, handle = hooks->open(hooks->context, start);
    if (!handle) {
        bodies_give(d);
        return 0;
    }
    while (bodies->at[slot].handle) slot++;
    bodies->count++;
    bodies->at[slot].handle = handle;
    bodies->at[slot].start = *start;
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
    if (body) d->stage->bodies.data(d->stage->bodies.context, body_handle(d, body), data);
}

void dissect_body_gap(struct dissect *d, uint32_t body, uint64_t length)
{
    if (body) d->stage->bodies.gap(d->stage->bodies.context, body_handle(d, body), length);
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
    row_range(row, start->side, start->position, summary->seen_bytes);
    d->bodies->at[body - 1].handle = 0;
    d->bodies->count--;
    bodies_give(d);
    emit(d, row);
}

void dissect_forget(struct dissect *d)
{
    for (uint32_t i = 0; i < BODIES_OPEN_MAX && d->bodies; i++)
        if (d->bodies->at[i].handle) dissect_body_close(d, i + 1, false, NULL);
    held_deinit(d);
    if (d->state) blocks_give(d->stage->blocks, d->state, d->dissector->state_size);
    d->state = NULL;
    d->dissector = NULL;
}
