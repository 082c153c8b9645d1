// sFlow 5 (sflow.org, "sFlow Version 5", 2004): samples of packets, each a flow of one packet with
// the rate at which it was taken, and counters of interfaces.
//
// `bytes` is the length of the innermost IP packet, as for captured packets; that of the frame is
// `frame_bytes`.
#include "collect/interface_kind.h"
#include "collect/protocol.h"
#include "flow/flow_kind.h"

enum { VERSION = 5, ADDRESS_V4 = 1, ADDRESS_V6 = 2 };

// Kinds of samples, and of records in them (enterprise 0).
enum { SAMPLE_FLOW = 1, SAMPLE_COUNTERS, SAMPLE_FLOW_EXPANDED, SAMPLE_COUNTERS_EXPANDED };
enum {
    RECORD_HEADER = 1,
    RECORD_IPV4 = 3,
    RECORD_IPV6 = 4,
    RECORD_SWITCH = 1001,
    RECORD_ROUTER = 1002,
    RECORD_GATEWAY = 1003,
    COUNTERS_INTERFACE = 1,
};

// Which link type a sampled header has; 0: weir does not know it.
static uint16_t header_link_type(uint32_t protocol)
{
    enum { ETHERNET = 1, IPV4 = 11, IPV6 = 12 };
    if (protocol == ETHERNET) return LINK_ETHERNET;
    if (protocol == IPV4) return LINK_IPV4;
    return protocol == IPV6 ? LINK_IPV6 : 0;
}

static struct address read_address(struct reader *r)
{
    uint32_t type = read_be32(r);
    if (type == ADDRESS_V4) return element_address(read_bytes(r, 4));
    if (type == ADDRESS_V6) return element_address(read_bytes(r, 16));
    return (struct address){0};
}

static bytes read_padded(struct reader *r, uint32_t length)
{
    bytes b = read_bytes(r, length);
    read_bytes(r, (4 - length % 4) % 4);
    return b;
}

// ---- samples of packets -------------------------------------------------------------------------

static void take_header(struct message *m, struct record_batch *b, struct reader r)
{
    uint32_t protocol = read_be32(&r), length = read_be32(&r);
    read_be32(&r); // bytes that were stripped
    bytes header = read_padded(&r, read_be32(&r));
    uint16_t link_type = header_link_type(protocol);
    if (r.bad) return;
    batch_word(b, FLOW_FRAME_BYTES, length);
    struct sampled_packet sample = {header, length, link_type, m->from->received};
    if (link_type && header.n) sampled_put(&m->rows->sampled, b, &sample);
    else batch_word(b, FLOW_BYTES, length);
}

static void take_ip(struct record_batch *b, struct reader r, size_t address_size)
{
    uint32_t length = read_be32(&r), proto = read_be32(&r);
    struct address src = element_address(read_bytes(&r, address_size));
    struct address dst = element_address(read_bytes(&r, address_size));
    uint32_t src_port = read_be32(&r), dst_port = read_be32(&r), flags = read_be32(&r);
    uint32_t tos = read_be32(&r);
    if (r.bad) return;
    batch_words(b, FLOW_SRC_ADDR, src.hi, src.lo);
    batch_words(b, FLOW_DST_ADDR, dst.hi, dst.lo);
    batch_word(b, FLOW_SRC_PORT, src_port & UINT16_MAX);
    batch_word(b, FLOW_DST_PORT, dst_port & UINT16_MAX);
    batch_word(b, FLOW_PROTO, proto & UINT8_MAX);
    batch_word(b, FLOW_TOS, tos & UINT8_MAX);
    batch_word(b, FLOW_BYTES, length);
    batch_word(b, FLOW_TCP_FLAGS, flags & UINT16_MAX);
}

static void take_switch(struct record_batch *b, struct reader r)
{
    uint32_t vlan = read_be32(&r);
    read_be32(&r); // priority
    uint32_t dst_vlan = read_be32(&r);
    if (r.bad) return;
    // All ones: not known.
    if (vlan && vlan != UINT32_MAX) batch_word(b, FLOW_VLAN, vlan);
    if (dst_vlan && dst_vlan != UINT32_MAX) batch_word(b, FLOW_DST_VLAN, dst_vlan);
}

static void take_router(struct record_batch *b, struct reader r)
{
    struct address hop = read_address(&r);
    uint32_t src_mask = read_be32(&r), dst_mask = read_be32(&r);
    if (r.bad) return;
    batch_words(b, FLOW_NEXT_HOP, hop.hi, hop.lo);
    batch_word(b, FLOW_SRC_MASK, src_mask);
    batch_word(b, FLOW_DST_MASK, dst_mask);
}

// The last system of the path is that of the destination.
static void take_gateway(struct record_batch *b, struct reader r)
{
    enum { SEGMENTS_MAX = 256 };
    struct address hop = read_address(&r);
    uint32_t own_as = read_be32(&r), src_as = read_be32(&r), dst_as = 0;
    read_be32(&r); // that of the peer
    uint32_t segments = read_be32(&r);
    for (uint32_t i = 0; i < segments && i < SEGMENTS_MAX && !r.bad; i++) {
        read_be32(&r); // set or sequence
        bytes path = read_bytes(&r, 4 * (size_t)(read_be32(&r) & UINT16_MAX));
        if (path.n) dst_as = (uint32_t)element_number(bytes_after(path, path.n - 4));
    }
    if (r.bad) return;
    batch_words(b, FLOW_BGP_NEXT_HOP, hop.hi, hop.lo);
    batch_word(b, FLOW_SRC_AS, src_as ? src_as : own_as);
    batch_word(b, FLOW_DST_AS, dst_as ? dst_as : own_as);
}

static void take_record(struct message *m, struct record_batch *b, uint32_t format, struct reader r)
{
    if (format == RECORD_HEADER) take_header(m, b, r);
    else if (format == RECORD_IPV4) take_ip(b, r, 4);
    else if (format == RECORD_IPV6) take_ip(b, r, 16);
    else if (format == RECORD_SWITCH) take_switch(b, r);
    else if (format == RECORD_ROUTER) take_router(b, r);
    else if (format == RECORD_GATEWAY) take_gateway(b, r);
}

// An interface is a number with its form in the upper bits, or both apart.
struct interface {
    uint32_t form, value;
};

static struct interface read_interface(struct reader *r, bool is_expanded)
{
    enum { FORM_BITS = 30 };
    struct interface i = {is_expanded ? read_be32(r) : 0, read_be32(r)};
    if (is_expanded) return i;
    return (struct interface){i.value >> FORM_BITS, i.value & ((1u << FORM_BITS) - 1)};
}

static void put_output(struct message *m, struct record_batch *b, struct interface output)
{
    enum { FORM_INDEX, FORM_DROPPED, FORM_SEVERAL };
    if (output.form == FORM_INDEX) batch_word(b, FLOW_OUTPUT, output.value);
    if (output.form == FORM_DROPPED) flow_note(m->rows, "discardReason", output.value);
    if (output.form == FORM_SEVERAL) flow_note(m->rows, "outputInterfaces", output.value);
}

static void take_flow(struct message *m, struct reader r, bool is_expanded)
{
    read_bytes(&r, is_expanded ? 12 : 8); // its own count, and the source
    uint32_t rate = read_be32(&r);
    read_bytes(&r, 8); // packets that could have been sampled, samples that were dropped
    struct interface input = read_interface(&r, is_expanded);
    struct interface output = read_interface(&r, is_expanded);
    uint32_t records = read_be32(&r);
    if (r.bad) {
        message_lose(m, EXPORT_LOSS_cut_record, 1);
        return;
    }
    struct record_batch *b = flow_begin(m->rows, &m->origin, 256 + FLOW_NOTES_NEED);
    batch_word(b, FLOW_FIRST_SEEN, (uint64_t)m->from->received);
    batch_word(b, FLOW_LAST_SEEN, (uint64_t)m->from->received);
    batch_word(b, FLOW_PACKETS, 1);
    batch_word(b, FLOW_INPUT, input.value);
    put_output(m, b, output);
    flow_put_sampling(b, rate, "record");
    for (; records && !r.bad; records--) {
        uint32_t format = read_be32(&r);
        struct reader record = read_sub(&r, read_be32(&r));
        if (!record.bad) take_record(m, b, format, record);
    }
    flow_end(m->rows, b);
    if (r.bad) message_lose(m, EXPORT_LOSS_cut_record, 1);
}

// ---- counters -----------------------------------------------------------------------------------

static void take_interface(struct message *m, struct reader r)
{
    static const struct {
        uint8_t field, size;
    } layout[] = {
        {INTERFACE_INDEX, 4},         {INTERFACE_TYPE, 4},         {INTERFACE_SPEED, 8},
        {INTERFACE_DUPLEX, 4},        {INTERFACE_STATUS, 4},       {INTERFACE_IN_BYTES, 8},
        {INTERFACE_IN_UNICAST, 4},    {INTERFACE_IN_MULTICAST, 4}, {INTERFACE_IN_BROADCAST, 4},
        {INTERFACE_IN_DISCARDS, 4},   {INTERFACE_IN_ERRORS, 4},    {INTERFACE_IN_UNKNOWN, 4},
        {INTERFACE_OUT_BYTES, 8},     {INTERFACE_OUT_UNICAST, 4},  {INTERFACE_OUT_MULTICAST, 4},
        {INTERFACE_OUT_BROADCAST, 4}, {INTERFACE_OUT_DISCARDS, 4}, {INTERFACE_OUT_ERRORS, 4},
    };
    enum { LENGTH = 84 };
    const struct flow_origin *o = &m->origin;
    if (reader_left(&r) < LENGTH) {
        message_lose(m, EXPORT_LOSS_cut_record, 1);
        return;
    }
    struct record_batch *b = writer_begin(m->rows->writer, &interface_kind, 256);
    batch_word(b, INTERFACE_TS, (uint64_t)m->from->received);
    batch_words(b, INTERFACE_EXPORTER, o->exporter.hi, o->exporter.lo);
    batch_word(b, INTERFACE_DOMAIN, o->domain);
    if (*o->point) batch_text(b, INTERFACE_POINT, bytes_text(o->point));
    for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++)
        batch_word(b, layout[i].field, element_number(read_bytes(&r, layout[i].size)));
    batch_end(b);
    m->counts->options++;
}

static void take_counters(struct message *m, struct reader r, bool is_expanded)
{
    read_bytes(&r, is_expanded ? 12 : 8);
    for (uint32_t records = read_be32(&r); records && !r.bad; records--) {
        uint32_t format = read_be32(&r);
        struct reader record = read_sub(&r, read_be32(&r));
        if (!record.bad && format == COUNTERS_INTERFACE) take_interface(m, record);
    }
    if (r.bad) message_lose(m, EXPORT_LOSS_cut_record, 1);
}

// ---- messages -----------------------------------------------------------------------------------

static void take_sample(struct message *m, uint32_t format, struct reader r)
{
    if (format == SAMPLE_FLOW || format == SAMPLE_FLOW_EXPANDED)
        take_flow(m, r, format == SAMPLE_FLOW_EXPANDED);
    if (format == SAMPLE_COUNTERS || format == SAMPLE_COUNTERS_EXPANDED)
        take_counters(m, r, format == SAMPLE_COUNTERS_EXPANDED);
}

static void take(struct message *m, struct reader r)
{
    uint32_t version = read_be32(&r);
    struct address agent = read_address(&r);
    uint32_t domain = read_be32(&r), sequence = read_be32(&r);
    read_be32(&r); // uptime
    uint32_t samples = read_be32(&r);
    message_open(m, SFLOW, domain, m->from->received);
    if (agent.hi || agent.lo) m->origin.exporter = agent;
    if (r.bad || version != VERSION) {
        message_lose(m, EXPORT_LOSS_cut_message, 1);
        return;
    }
    session_sequence(m->session, sequence, 1, m->from->received);
    for (; samples && !r.bad; samples--) {
        uint32_t format = read_be32(&r);
        struct reader sample = read_sub(&r, read_be32(&r));
        if (!sample.bad) take_sample(m, format, sample);
    }
    if (r.bad) message_lose(m, EXPORT_LOSS_bad_set, 1);
}

const struct export_protocol sflow_protocol = {SFLOW, take};
