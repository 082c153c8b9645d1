#include "flow/flow.h"

#include <string.h>

#include "base/hash.h"
#include "decode/scope.h"
#include "decode/tunnels.h"
#include "flow/services.h"
#include "flow/tcp.h"

enum { ID_NETWORK_BYTES = 64, SERVICE_TEXT_MAX = 96, TUNNELS_TEXT_MAX = 96 };

enum conversation_field {
    CONVERSATION_ID,
    CONVERSATION_FIRST_SEEN,
    CONVERSATION_LAST_SEEN,
    CONVERSATION_PROTO,
    CONVERSATION_SRC_ADDR,
    CONVERSATION_SRC_PORT,
    CONVERSATION_DST_ADDR,
    CONVERSATION_DST_PORT,
    CONVERSATION_SERVICE,
    CONVERSATION_SRC_PACKETS,
    CONVERSATION_DST_PACKETS,
    CONVERSATION_SRC_BYTES,
    CONVERSATION_DST_BYTES,
    CONVERSATION_SRC_PAYLOAD_BYTES,
    CONVERSATION_DST_PAYLOAD_BYTES,
    CONVERSATION_SRC_MISSED_BYTES,
    CONVERSATION_DST_MISSED_BYTES,
    CONVERSATION_SRC_RETRANSMITS,
    CONVERSATION_DST_RETRANSMITS,
    CONVERSATION_RTT,
    CONVERSATION_CONN_STATE,
    CONVERSATION_HISTORY,
    CONVERSATION_VLAN,
    CONVERSATION_TUNNEL,
    CONVERSATION_PARENT_ID,
    CONVERSATION_CARRIES,
    CONVERSATION_SRC_CUT_BYTES,
    CONVERSATION_DST_CUT_BYTES,
    CONVERSATION_AMBIGUITIES,
    CONVERSATION_FIELDS,
};

static const struct field conversation_fields[CONVERSATION_FIELDS] = {
    {"id", FIELD_ID, NULL, "Name of the conversation, the same in every run over the same packets",
     "event.id", "uid", 0},
    {"first_seen", FIELD_TIME, NULL, "Time of its first packet", "event.start", "ts", 0},
    {"last_seen", FIELD_TIME, NULL, "Time of its last packet", "event.end", NULL, 0},
    {"proto", FIELD_UINT, NULL, "IP protocol number", "network.iana_number", "ip_proto", 0},
    {"src_addr", FIELD_ADDRESS, NULL, "Address of who began", "source.ip", "id.orig_h", 0},
    {"src_port", FIELD_UINT, NULL, "Port of who began; ICMP: type", "source.port", "id.orig_p", 0},
    {"dst_addr", FIELD_ADDRESS, NULL, "Address of who answered", "destination.ip", "id.resp_h", 0},
    {"dst_port", FIELD_UINT, NULL, "Port of who answered; ICMP: code, or type of the answer",
     "destination.port", "id.resp_p", 0},
    {"service", FIELD_TEXT, NULL, "Application protocol, by content first, by port second",
     "network.protocol", NULL, 0},
    {"src_packets", FIELD_UINT, "packets", "Packets that src sent", "source.packets", "orig_pkts",
     0},
    {"dst_packets", FIELD_UINT, "packets", "Packets that dst sent", "destination.packets",
     "resp_pkts", 0},
    {"src_bytes", FIELD_UINT, "bytes", "Bytes that src sent, IP headers included", "source.bytes",
     "orig_ip_bytes", 0},
    {"dst_bytes", FIELD_UINT, "bytes", "Bytes that dst sent, IP headers included",
     "destination.bytes", "resp_ip_bytes", 0},
    {"src_payload_bytes", FIELD_UINT, "bytes",
     "Payload that src sent; TCP: without retransmissions", NULL, "orig_bytes", 0},
    {"dst_payload_bytes", FIELD_UINT, "bytes",
     "Payload that dst sent; TCP: without retransmissions", NULL, "resp_bytes", 0},
    {"src_missed_bytes", FIELD_UINT, "bytes", "Payload that src sent and the capture lacks", NULL,
     "missed_bytes", 0},
    {"dst_missed_bytes", FIELD_UINT, "bytes", "Payload that dst sent and the capture lacks", NULL,
     "missed_bytes", 0},
    {"src_retransmits", FIELD_UINT, "packets", "Segments of src that brought only what was there",
     NULL, NULL, 0},
    {"dst_retransmits", FIELD_UINT, "packets", "Segments of dst that brought only what was there",
     NULL, NULL, 0},
    {"rtt", FIELD_DURATION, "s", "Round-trip time of the TCP handshake", NULL, NULL, 0},
    {"conn_state", FIELD_TEXT, NULL, "How it began and ended, in Zeek's terms (SF, S0, REJ, ...)",
     NULL, "conn_state", 0},
    {"history", FIELD_TEXT, NULL, "What happened in order, in Zeek's letters, upper case for src",
     NULL, "history", 0},
    {"vlan", FIELD_UINTS, NULL, "VLAN identifiers, outermost first", "network.vlan.id", "vlan", 0},
    {"tunnel", FIELD_TEXT, NULL,
     "Tunnels around it, outermost first; then the proxies that its stream goes through", NULL,
     "tunnel_type", 0},
    {"parent_id", FIELD_ID, NULL, "The conversation that carries it", NULL, "tunnel_parents", 0},
    {"carries", FIELD_BOOL, NULL, "It is the outside of others, whose packets are the same", NULL,
     NULL, 0},
    {"src_cut_bytes", FIELD_UINT, "bytes",
     "Of the payload that src sent, what the snap length cut off", NULL, NULL, 0},
    {"dst_cut_bytes", FIELD_UINT, "bytes",
     "Of the payload that dst sent, what the snap length cut off", NULL, NULL, 0},
    {"ambiguities", FIELD_UINT, NULL, "Places where its bytes have two readings: see ambiguity",
     NULL, NULL, 0},
};

const struct record_kind conversation_kind = {
    .name = "conversation",
    .help = "One TCP connection, or one exchange of another protocol",
    .fields = conversation_fields,
    .field_count = CONVERSATION_FIELDS,
};

struct record_id conversation_id(const struct conversation *c)
{
    uint64_t us = c->first_seen > 0 ? (uint64_t)(c->first_seen / NANOS_PER_MICRO) : 0;
    return (struct record_id){us, c->id_hash};
}

void conversation_name(struct conversation *c, const struct packet *first, const char *point)
{
    uint8_t memory[sizeof(struct conversation_key) + 8 * 8 + ID_NETWORK_BYTES];
    struct buf b = buf_on(memory, sizeof memory);
    uint64_t words[] = {c->key.scope, c->key.a.hi, c->key.a.lo,
                        c->key.b.hi,  c->key.b.lo, (uint64_t)c->key.port_a << 32 | c->key.port_b,
                        c->key.proto};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint64_t be = __builtin_bswap64(words[i]);
        buf_put(&b, bytes_of(&be, sizeof be));
    }
    bytes frame = {first->data, first->captured};
    buf_put(&b, bytes_first(bytes_after(frame, first->network_offset), ID_NETWORK_BYTES));
    struct sha256 h;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&h);
    sha256_add(&h, bytes_of(point, strlen(point) + 1));
    sha256_add(&h, buf_bytes(&b));
    sha256_end(&h, digest);
    struct reader r = reader_of(bytes_of(digest, sizeof digest));
    c->id_hash = read_be64(&r);
}

void conversation_count(struct conversation *c, const struct packet *p)
{
    struct conversation_side *s = &c->side[p->side];
    s->packets += p->pieces;
    s->bytes += p->ip_length;
    c->active_at = p->watermark;
    if (p->time > c->last_seen) c->last_seen = p->time;
    if (!c->metered) {
        c->metered = true;
        c->metered_from = c->metered_last = p->time;
        c->metered_at = p->watermark;
        c->tos = p->tos;
    }
    if (p->time > c->metered_last) c->metered_last = p->time;
}

// Columns of the tuple, which conversation and flow both have in the same order from `first`.
static void write_tuple(struct record_batch *b, unsigned first, const struct conversation *c)
{
    const struct conversation_key *k = &c->key;
    struct address src = c->src_side ? k->b : k->a, dst = c->src_side ? k->a : k->b;
    batch_word(b, first, k->proto);
    batch_words(b, first + 1, src.hi, src.lo);
    batch_word(b, first + 2, c->src_side ? k->port_b : k->port_a);
    batch_words(b, first + 3, dst.hi, dst.lo);
    batch_word(b, first + 4, c->src_side ? k->port_a : k->port_b);
}

enum flow_end flow_end_at(const struct conversation *c, nanos watermark, nanos active_timeout,
                          nanos idle_timeout)
{
    // Watermarks never go back, and times may be any: unsigned differences are right.
    nanos active = silent_since(c->metered_at, c->metered_from, watermark);
    nanos idle = silent_since(c->active_at, c->metered_last, watermark);
    uint64_t silent = (uint64_t)watermark - (uint64_t)idle;
    uint64_t running = (uint64_t)watermark - (uint64_t)active;
    bool is_idle = silent >= (uint64_t)idle_timeout, is_long = running >= (uint64_t)active_timeout;
    if (c->ended || (!is_idle && !is_long)) return FLOW_ENDED;
    if (!is_idle || !is_long) return is_idle ? FLOW_IDLE : FLOW_ACTIVE;
    // Both: whichever ran out first.
    return silent - (uint64_t)idle_timeout > running - (uint64_t)active_timeout ? FLOW_IDLE
                                                                                : FLOW_ACTIVE;
}

void flow_write(struct conversation *c, enum flow_end why, struct record_writer *writer)
{
    static const char *const reasons[] = {"idle", "active", "end"};
    if (!c->metered) return;
    struct conversation_side *src = &c->side[c->src_side], *dst = &c->side[c->src_side ^ 1];
    struct record_batch *b = writer_begin(writer, &flow_kind, 8);
    batch_word(b, FLOW_FIRST_SEEN, (uint64_t)c->metered_from);
    batch_word(b, FLOW_LAST_SEEN, (uint64_t)c->metered_last);
    write_tuple(b, FLOW_PROTO, c);
    batch_word(b, FLOW_PACKETS, src->packets - src->metered_packets);
    batch_word(b, FLOW_BYTES, src->bytes - src->metered_bytes);
    batch_word(b, FLOW_REVERSE_PACKETS, dst->packets - dst->metered_packets);
    batch_word(b, FLOW_REVERSE_BYTES, dst->bytes - dst->metered_bytes);
    if (c->key.proto == 6) {
        batch_word(b, FLOW_TCP_FLAGS, src->metered_flags);
        batch_word(b, FLOW_REVERSE_TCP_FLAGS, dst->metered_flags);
    }
    batch_word(b, FLOW_TOS, c->tos);
    batch_text(b, FLOW_END_REASON, bytes_text(reasons[why]));
    struct record_id id = conversation_id(c);
    batch_words(b, FLOW_CONVERSATION_ID, id.time_us, id.hash);
    batch_end(b);
    for (int i = 0; i < 2; i++) {
        struct conversation_side *s = &c->side[i];
        s->metered_packets = s->packets;
        s->metered_bytes = s->bytes;
        s->metered_flags = 0;
    }
    c->metered = false;
}

// By port only when content told nothing: the lower port first, as servers mostly have the lower
// one.
static const char *conversation_service_by_port(const struct conversation *c)
{
    if (c->key.proto != 6 && c->key.proto != 17) return NULL;
    uint16_t low = c->key.port_a, high = c->key.port_b;
    if (low > high) {
        low = c->key.port_b;
        high = c->key.port_a;
    }
    const char *name = service_by_port(low, c->key.proto);
    return name ? name : service_by_port(high, c->key.proto);
}

static void write_service(struct record_batch *b, const struct conversation *c)
{
    char text[SERVICE_TEXT_MAX];
    struct buf all = buf_on(text, sizeof text);
    for (unsigned i = 0; i < SERVICES_MAX && c->services[i]; i++) {
        if (i) buf_u8(&all, ',');
        buf_text(&all, c->services[i]);
    }
    if (!all.n) {
        const char *name = conversation_service_by_port(c);
        if (name) buf_text(&all, name);
    }
    if (all.n) batch_text(b, CONVERSATION_SERVICE, buf_bytes(&all));
}

static void write_vlan(struct record_batch *b, uint64_t scope)
{
    uint64_t list[SCOPE_VLANS_MAX];
    size_t n = 0;
    for (int i = SCOPE_VLANS_MAX - 1; i >= 0 && !(scope & SCOPE_MIXED); i--) {
        uint64_t vlan = scope >> (unsigned)i * SCOPE_VLAN_BITS & 0xfff;
        if (vlan) list[n++] = vlan;
    }
    if (n) batch_text(b, CONVERSATION_VLAN, bytes_of(list, n * sizeof list[0]));
}

static void put_listed(struct buf *list, const char *name)
{
    if (list->n) buf_u8(list, ',');
    buf_text(list, name);
}

// "vxlan", or "gre,6in4": the outermost first, and behind them the proxies that its own stream goes
// through. Those that were not kept are dots.
static void write_tunnels(struct record_batch *b, const struct conversation *c)
{
    char text[TUNNELS_TEXT_MAX];
    struct buf all = buf_on(text, sizeof text);
    for (unsigned i = 0; i < c->tunnel_depth && i < PACKET_TUNNELS_MAX; i++)
        put_listed(&all, tunnel_name(c->tunnels[i]));
    if (c->tunnel_depth > PACKET_TUNNELS_MAX) put_listed(&all, "...");
    for (unsigned i = 0; i < c->proxy_depth && i < PROXIES_MAX; i++)
        put_listed(&all, c->proxies[i]);
    if (c->proxy_depth > PROXIES_MAX) put_listed(&all, "...");
    if (all.n) batch_text(b, CONVERSATION_TUNNEL, buf_bytes(&all));
    if (c->parent.time_us || c->parent.hash)
        batch_words(b, CONVERSATION_PARENT_ID, c->parent.time_us, c->parent.hash);
    if (c->carries) batch_word(b, CONVERSATION_CARRIES, 1);
}

static void write_side(struct record_batch *b, const struct conversation_side *s, unsigned is_dst)
{
    batch_word(b, CONVERSATION_SRC_PACKETS + is_dst, s->packets);
    batch_word(b, CONVERSATION_SRC_BYTES + is_dst, s->bytes);
    batch_word(b, CONVERSATION_SRC_PAYLOAD_BYTES + is_dst, s->payload_bytes);
}

static void write_tcp_side(struct record_batch *b, const struct conversation_side *s,
                           unsigned is_dst)
{
    batch_word(b, CONVERSATION_SRC_MISSED_BYTES + is_dst, s->missed_bytes);
    batch_word(b, CONVERSATION_SRC_RETRANSMITS + is_dst, s->retransmits);
}

void conversation_fill(const struct conversation *c, struct row *row)
{
    const struct conversation_key *k = &c->key;
    row_id(row, COMMON_CONVERSATION_ID, conversation_id(c));
    row_address(row, COMMON_SRC_ADDR, c->src_side ? k->b : k->a);
    row_uint(row, COMMON_SRC_PORT, c->src_side ? k->port_b : k->port_a);
    row_address(row, COMMON_DST_ADDR, c->src_side ? k->a : k->b);
    row_uint(row, COMMON_DST_PORT, c->src_side ? k->port_a : k->port_b);
    row_uint(row, COMMON_PROTO, k->proto);
}

void conversation_write(const struct conversation *c, struct record_writer *writer)
{
    struct record_batch *b = writer_begin(writer, &conversation_kind, 256);
    struct record_id id = conversation_id(c);
    batch_words(b, CONVERSATION_ID, id.time_us, id.hash);
    batch_word(b, CONVERSATION_FIRST_SEEN, (uint64_t)c->first_seen);
    batch_word(b, CONVERSATION_LAST_SEEN, (uint64_t)c->last_seen);
    write_tuple(b, CONVERSATION_PROTO, c);
    write_service(b, c);
    for (unsigned dst = 0; dst < 2; dst++) {
        const struct conversation_side *s = &c->side[c->src_side ^ dst];
        write_side(b, s, dst);
        if (s->cut_bytes) batch_word(b, CONVERSATION_SRC_CUT_BYTES + dst, s->cut_bytes);
        if (c->key.proto == 6) write_tcp_side(b, s, dst);
    }
    if (c->ambiguities) batch_word(b, CONVERSATION_AMBIGUITIES, c->ambiguities);
    if (c->rtt) batch_word(b, CONVERSATION_RTT, (uint64_t)c->rtt);
    batch_text(b, CONVERSATION_CONN_STATE, bytes_text(conn_state_of(c)));
    if (c->history_length)
        batch_text(b, CONVERSATION_HISTORY, bytes_of(c->history, c->history_length));
    write_vlan(b, c->key.scope);
    write_tunnels(b, c);
    batch_end(b);
}
