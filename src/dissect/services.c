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

uint32_t dissect_hold(struct dissect *d, const struct row *row)
{
    uint32_t slot = 0, size = (uint32_t)(sizeof(struct held) + row->buf.n);
    while (slot < DISSECT_HELD_MAX && d->held[slot]) slot++;
    struct held *held = NULL;
    if (slot < DISSECT_HELD_MAX && d->held_bytes + size <= DISSECT_BUDGET)
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
    return slot + 1;
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

struct row *dissect_take(struct dissect *d, uint32_t handle)
{
    assert(handle && handle <= DISSECT_HELD_MAX && d->held[handle - 1]);
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
    if (d->anomalies == ANOMALIES_MAX) return;
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

uint32_t dissect_body_open(struct dissect *d, const struct body_start *start)
{
    uint32_t slot = 0;
    while (slot < BODIES_OPEN_MAX && d->bodies[slot].handle) slot++;
    if (slot == BODIES_OPEN_MAX || !d->stage->bodies.open) return 0;
    uint32_t handle = d->stage->bodies.open(d->stage->bodies.context, start);
    if (!handle) return 0;
    d->bodies[slot].handle = handle;
    d->bodies[slot].start = *start;
    // Borrowed for the call only.
    d->bodies[slot].start.file_name = d->bodies[slot].start.media_type = bytes_of(NULL, 0);
    return slot + 1;
}

void dissect_body_data(struct dissect *d, uint32_t body, bytes data)
{
    if (body) d->stage->bodies.data(d->stage->bodies.context, d->bodies[body - 1].handle, data);
}

void dissect_body_gap(struct dissect *d, uint32_t body, uint64_t length)
{
    if (body) d->stage->bodies.gap(d->stage->bodies.context, d->bodies[body - 1].handle, length);
}

void dissect_body_close(struct dissect *d, uint32_t body, bool complete,
                        struct body_summary *summary)
{
    struct body_summary nobody_asks;
    if (!summary) summary = &nobody_asks;
    memset(summary, 0, sizeof *summary);
    if (!body) return;
    struct dissect_stage *g = d->stage;
    const struct body_start *start = &d->bodies[body - 1].start;
    struct row *row = &g->file_row;
    g->bodies.close(g->bodies.context, d->bodies[body - 1].handle, complete, summary, row,
                    g->file_memory, sizeof g->file_memory - COMMON_ROOM);
    row->side = start->side;
    row->position = start->position;
    row->ts = start->time;
    row_range(row, start->side, start->position, summary->seen_bytes);
    d->bodies[body - 1].handle = 0;
    emit(d, row);
}

void dissect_forget(struct dissect *d)
{
    for (uint32_t i = 0; i < BODIES_OPEN_MAX; i++)
        if (d->bodies[i].handle) dissect_body_close(d, i + 1, false, NULL);
    for (uint32_t i = 0; i < DISSECT_HELD_MAX && d->held_count; i++) held_give(d, i);
    if (d->state) blocks_give(d->stage->blocks, d->state, d->dissector->state_size);
    d->state = NULL;
    d->dissector = NULL;
}
