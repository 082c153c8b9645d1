// NetFlow 5 and 7: records of fixed layout behind a header of 24 bytes (Cisco, "NetFlow Export
// Datagram Format").
#include "collect/protocol.h"
#include "flow/flow_kind.h"

enum { HEADER_SIZE = 24, RECORD_SIZE_5 = 48, RECORD_SIZE_7 = 52, SAMPLING_BITS = 14 };

// Where the fields of both versions stand in a record; behind them each has its own.
static const struct {
    uint8_t field, offset, size;
    enum { AS_NUMBER, AS_ADDRESS, AS_UPTIME } how;
} layout[] = {
    {FLOW_SRC_ADDR, 0, 4, AS_ADDRESS},  {FLOW_DST_ADDR, 4, 4, AS_ADDRESS},
    {FLOW_NEXT_HOP, 8, 4, AS_ADDRESS},  {FLOW_INPUT, 12, 2, AS_NUMBER},
    {FLOW_OUTPUT, 14, 2, AS_NUMBER},    {FLOW_PACKETS, 16, 4, AS_NUMBER},
    {FLOW_BYTES, 20, 4, AS_NUMBER},     {FLOW_FIRST_SEEN, 24, 4, AS_UPTIME},
    {FLOW_LAST_SEEN, 28, 4, AS_UPTIME}, {FLOW_SRC_PORT, 32, 2, AS_NUMBER},
    {FLOW_DST_PORT, 34, 2, AS_NUMBER},  {FLOW_TCP_FLAGS, 37, 1, AS_NUMBER},
    {FLOW_PROTO, 38, 1, AS_NUMBER},     {FLOW_TOS, 39, 1, AS_NUMBER},
    {FLOW_SRC_AS, 40, 2, AS_NUMBER},    {FLOW_DST_AS, 42, 2, AS_NUMBER},
    {FLOW_SRC_MASK, 44, 1, AS_NUMBER},  {FLOW_DST_MASK, 45, 1, AS_NUMBER},
};

// Records of one message, one behind the other.
struct records {
    const uint8_t *p;
    size_t size; // of each
    uint32_t count;
};

static inline uint32_t number_at(const uint8_t *p, unsigned size)
{
    if (size == 1) return p[0];
    return size == 2 ? (uint32_t)p[0] << 8 | p[1]
                     : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put_numbers(uint64_t *out, const struct records *r, size_t offset, unsigned size)
{
    const uint8_t *at = r->p + offset;
    for (uint32_t i = 0; i < r->count; i++, at += r->size) out[i] = number_at(at, size);
}

static void put_addresses(uint64_t *out, const struct records *r, size_t offset)
{
    const uint8_t *at = r->p + offset;
    for (uint32_t i = 0; i < r->count; i++, at += r->size) {
        struct address a = address_v4(number_at(at, 4));
        *out++ = a.hi;
        *out++ = a.lo;
    }
}

static void put_uptimes(uint64_t *out, const struct records *r, size_t offset,
                        const struct flow_origin *origin)
{
    const uint8_t *at = r->p + offset;
    for (uint32_t i = 0; i < r->count; i++, at += r->size) {
        nanos time = flow_time(origin, number_at(at, 4));
        out[i] = (uint64_t)(time > 0 ? time : 0);
    }
}

static void put_column(struct record_batch *b, const struct records *r, size_t i,
                       const struct flow_origin *origin)
{
    uint64_t *out = batch_column(b, layout[i].field, r->count);
    if (layout[i].how == AS_ADDRESS) put_addresses(out, r, layout[i].offset);
    else if (layout[i].how == AS_UPTIME) put_uptimes(out, r, layout[i].offset, origin);
    else if (layout[i].size == 1) put_numbers(out, r, layout[i].offset, 1);
    else if (layout[i].size == 2) put_numbers(out, r, layout[i].offset, 2);
    else put_numbers(out, r, layout[i].offset, 4);
}

static void take_records(struct message *m, struct records all, uint32_t rate)
{
    enum { TEXT_NEED = 256 };
    while (all.count) {
        struct records r = all;
        struct record_batch *b = flow_begin_rows(m->rows, &m->origin, TEXT_NEED, &r.count);
        for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++)
            put_column(b, &r, i, &m->origin);
        flow_put_sampling_rows(b, r.count, rate, "header");
        flow_end_rows(b, r.count);
        all.p += r.count * r.size;
        all.count -= r.count;
    }
}

static void take(struct message *m, struct reader r, uint16_t version, size_t record_size)
{
    struct reader h = read_sub(&r, HEADER_SIZE);
    read_be16(&h); // version
    uint16_t count = read_be16(&h);
    uint32_t uptime = read_be32(&h), seconds = read_be32(&h), fraction = read_be32(&h);
    uint32_t sequence = read_be32(&h);
    uint16_t engine = read_be16(&h), sampling = read_be16(&h);
    if (version != NETFLOW_5) engine = sampling = 0;
    message_open(m, version, engine, (nanos)seconds * NANOS_PER_SECOND + fraction);
    if (h.bad) {
        message_lose(m, EXPORT_LOSS_cut_message, 1);
        return;
    }
    message_uptime(m, uptime);
    session_uptime(m->session, uptime, m->origin.exported);
    session_sequence(m->session, sequence, count, m->from->received);
    uint32_t rate = sampling & ((1u << SAMPLING_BITS) - 1);
    size_t whole = reader_left(&r) / record_size;
    if (whole > count) whole = count;
    bytes records = read_bytes(&r, whole * record_size);
    take_records(m, (struct records){records.p, record_size, (uint32_t)whole}, rate);
    message_lose(m, EXPORT_LOSS_cut_record, count - whole);
}

static void take_5(struct message *m, struct reader r)
{
    take(m, r, NETFLOW_5, RECORD_SIZE_5);
}

static void take_7(struct message *m, struct reader r)
{
    take(m, r, NETFLOW_7, RECORD_SIZE_7);
}

const struct export_protocol netflow5_protocol = {NETFLOW_5, take_5};
const struct export_protocol netflow7_protocol = {NETFLOW_7, take_7};
