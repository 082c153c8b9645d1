// NetFlow 5 and 7: records of fixed layout behind a header of 24 bytes (Cisco, "NetFlow Export
// Datagram Format").
#include "collect/protocol.h"
#include "flow/flow_kind.h"

enum { HEADER_SIZE = 24, RECORD_SIZE_5 = 48, RECORD_SIZE_7 = 52, SAMPLING_BITS = 14 };

static void put_address(struct record_batch *b, unsigned field, uint32_t v4)
{
    struct address a = address_v4(v4);
    batch_words(b, field, a.hi, a.lo);
}

static void put_time(struct record_batch *b, unsigned field, const struct flow_origin *o,
                     uint32_t uptime)
{
    nanos time = flow_time(o, uptime);
    batch_word(b, field, (uint64_t)(time > 0 ? time : 0));
}

static void netflow5_record(struct message *m, struct reader r, uint32_t rate)
{
    struct record_batch *b = flow_begin(m->rows, &m->origin, 256);
    put_address(b, FLOW_SRC_ADDR, read_be32(&r));
    put_address(b, FLOW_DST_ADDR, read_be32(&r));
    put_address(b, FLOW_NEXT_HOP, read_be32(&r));
    batch_word(b, FLOW_INPUT, read_be16(&r));
    batch_word(b, FLOW_OUTPUT, read_be16(&r));
    batch_word(b, FLOW_PACKETS, read_be32(&r));
    batch_word(b, FLOW_BYTES, read_be32(&r));
    put_time(b, FLOW_FIRST_SEEN, &m->origin, read_be32(&r));
    put_time(b, FLOW_LAST_SEEN, &m->origin, read_be32(&r));
    batch_word(b, FLOW_SRC_PORT, read_be16(&r));
    batch_word(b, FLOW_DST_PORT, read_be16(&r));
    read_u8(&r); // padding; in version 7 flags of the router
    batch_word(b, FLOW_TCP_FLAGS, read_u8(&r));
    batch_word(b, FLOW_PROTO, read_u8(&r));
    batch_word(b, FLOW_TOS, read_u8(&r));
    batch_word(b, FLOW_SRC_AS, read_be16(&r));
    batch_word(b, FLOW_DST_AS, read_be16(&r));
    batch_word(b, FLOW_SRC_MASK, read_u8(&r));
    batch_word(b, FLOW_DST_MASK, read_u8(&r));
    flow_put_sampling(b, rate, "header");
    flow_end(m->rows, b);
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
    for (; count && reader_left(&r) >= record_size; count--)
        netflow5_record(m, read_sub(&r, record_size), rate);
    message_lose(m, EXPORT_LOSS_cut_record, count);
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
