// Messages as exporters send them: NetFlow 5 and 9 (RFC 3954), IPFIX (RFC 7011), sFlow 5, and lines
// of JSON.
#include "exported.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    TEMPLATE = 256,
    TEMPLATE_EVERY = 100, // messages
    SAMPLING_RATE = 1024,
    SAMPLED_HEADER = 128,
    ETHERNET_HEADER = 14,
    IPV4_HEADER = 20,
    IPV4_PROTOCOL = 0x0800,
    TCP = 6
};

static void put_8(struct buf *b, uint32_t v)
{
    buf_u8(b, (uint8_t)v);
}

static void put_16(struct buf *b, uint32_t v)
{
    uint16_t big = htons((uint16_t)v);
    buf_put(b, bytes_of(&big, sizeof big));
}

static void put_32(struct buf *b, uint64_t v)
{
    uint32_t big = htonl((uint32_t)v);
    buf_put(b, bytes_of(&big, sizeof big));
}

static void put_64(struct buf *b, uint64_t v)
{
    put_32(b, v >> 32);
    put_32(b, v);
}

static void put_16_at(struct buf *b, size_t at, uint32_t v)
{
    b->p[at] = (uint8_t)(v >> 8);
    b->p[at + 1] = (uint8_t)v;
}

static uint32_t uptime(const struct exported_message *m, int64_t ms)
{
    return (uint32_t)(ms - m->up_ms);
}

// ---- NetFlow 5 ----------------------------------------------------------------------------------

static void put_netflow5(struct buf *b, const struct exported_message *m)
{
    put_16(b, 5);
    put_16(b, m->flow_count);
    put_32(b, uptime(m, m->ms));
    put_32(b, (uint64_t)m->ms / 1000);
    put_32(b, (uint64_t)m->ms % 1000 * 1000000);
    put_32(b, m->told);
    put_8(b, 0);
    put_8(b, m->domain);
    put_16(b, 0); // sampling: not told
    for (uint32_t i = 0; i < m->flow_count; i++) {
        const struct exported_flow *f = &m->flows[i];
        put_32(b, f->src);
        put_32(b, f->dst);
        put_32(b, 0); // next hop
        put_16(b, f->input);
        put_16(b, f->output);
        put_32(b, f->packets);
        put_32(b, f->bytes);
        put_32(b, uptime(m, f->first_ms));
        put_32(b, uptime(m, f->last_ms));
        put_16(b, f->src_port);
        put_16(b, f->dst_port);
        put_8(b, 0);
        put_8(b, f->tcp_flags);
        put_8(b, f->proto);
        put_8(b, f->tos);
        put_16(b, f->src_as);
        put_16(b, f->dst_as);
        put_32(b, 0); // masks, padding
    }
}

// ---- with templates -----------------------------------------------------------------------------

// Element and length in both; they differ in how times are told.
static const struct {
    uint16_t netflow9, netflow9_size, ipfix, ipfix_size;
} elements[] = {
    {8, 4, 8, 4},   {12, 4, 12, 4}, {7, 2, 7, 2},    {11, 2, 11, 2},
    {4, 1, 4, 1},   {6, 1, 6, 1},   {5, 1, 5, 1},    {61, 1, 61, 1},
    {2, 4, 2, 4},   {1, 4, 1, 4},   {22, 4, 152, 8}, {21, 4, 153, 8},
    {10, 4, 10, 4}, {14, 4, 14, 4}, {16, 4, 16, 4},  {17, 4, 17, 4},
};
enum { ELEMENTS = sizeof elements / sizeof *elements };

static bool has_template(const struct exported_message *m)
{
    return m->messages % TEMPLATE_EVERY == 0;
}

static void put_template(struct buf *b, bool is_ipfix)
{
    put_16(b, is_ipfix ? 2 : 0);
    put_16(b, 8 + 4 * ELEMENTS);
    put_16(b, TEMPLATE);
    put_16(b, ELEMENTS);
    for (size_t i = 0; i < ELEMENTS; i++) {
        put_16(b, is_ipfix ? elements[i].ipfix : elements[i].netflow9);
        put_16(b, is_ipfix ? elements[i].ipfix_size : elements[i].netflow9_size);
    }
}

static void put_record(struct buf *b, const struct exported_message *m, bool is_ipfix,
                       const struct exported_flow *f)
{
    put_32(b, f->src);
    put_32(b, f->dst);
    put_16(b, f->src_port);
    put_16(b, f->dst_port);
    put_8(b, f->proto);
    put_8(b, f->tcp_flags);
    put_8(b, f->tos);
    put_8(b, 0); // direction: in
    put_32(b, f->packets);
    put_32(b, f->bytes);
    if (is_ipfix) {
        put_64(b, (uint64_t)f->first_ms);
        put_64(b, (uint64_t)f->last_ms);
    } else {
        put_32(b, uptime(m, f->first_ms));
        put_32(b, uptime(m, f->last_ms));
    }
    put_32(b, f->input);
    put_32(b, f->output);
    put_32(b, f->src_as);
    put_32(b, f->dst_as);
}

static void put_records(struct buf *b, const struct exported_message *m, bool is_ipfix)
{
    size_t set = b->n;
    put_16(b, TEMPLATE);
    put_16(b, 0);
    for (uint32_t i = 0; i < m->flow_count; i++) put_record(b, m, is_ipfix, &m->flows[i]);
    while ((b->n - set) % 4) put_8(b, 0);
    put_16_at(b, set + 2, (uint32_t)(b->n - set));
}

static void put_netflow9(struct buf *b, const struct exported_message *m)
{
    put_16(b, 9);
    put_16(b, m->flow_count + has_template(m));
    put_32(b, uptime(m, m->ms));
    put_32(b, (uint64_t)m->ms / 1000);
    put_32(b, m->messages);
    put_32(b, m->domain);
    if (has_template(m)) put_template(b, false);
    put_records(b, m, false);
}

static void put_ipfix(struct buf *b, const struct exported_message *m)
{
    size_t at = b->n;
    put_16(b, 10);
    put_16(b, 0);
    put_32(b, (uint64_t)m->ms / 1000);
    put_32(b, m->told);
    put_32(b, m->domain);
    if (has_template(m)) put_template(b, true);
    put_records(b, m, true);
    put_16_at(b, at + 2, (uint32_t)(b->n - at));
}

// ---- sFlow --------------------------------------------------------------------------------------

static void put_ipv4(struct buf *b, const struct exported_flow *f, uint32_t length)
{
    size_t at = b->n;
    put_8(b, 0x45);
    put_8(b, f->tos);
    put_16(b, length);
    put_32(b, 0x4000); // not to be fragmented
    put_8(b, 63);
    put_8(b, f->proto);
    put_16(b, 0);
    put_32(b, f->src);
    put_32(b, f->dst);
    uint32_t sum = 0;
    for (size_t i = at; i < at + IPV4_HEADER; i += 2) sum += (uint32_t)b->p[i] << 8 | b->p[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put_16_at(b, at + 10, ~(sum + (sum >> 16)));
}

// A network has as many interfaces as the lower half of an address tells apart.
static void put_mac(struct buf *b, uint32_t address)
{
    put_32(b, UINT32_C(0x02000000) | (address & UINT16_MAX));
    put_16(b, 1);
}

// The first bytes of a frame of `length` bytes.
static void put_frame(struct buf *b, const struct exported_flow *f, uint32_t length)
{
    size_t at = b->n;
    put_mac(b, f->dst);
    put_mac(b, f->src);
    put_16(b, IPV4_PROTOCOL);
    put_ipv4(b, f, length - ETHERNET_HEADER);
    put_16(b, f->src_port);
    put_16(b, f->dst_port);
    if (f->proto == TCP) {
        put_64(b, 1); // numbers
        put_8(b, 0x50);
        put_8(b, f->tcp_flags);
        put_16(b, 0xffff);
        put_32(b, 0);
    } else {
        put_16(b, length - ETHERNET_HEADER - IPV4_HEADER);
        put_16(b, 0);
    }
    while (b->n - at < SAMPLED_HEADER) put_8(b, '.');
}

static void put_sample(struct buf *b, const struct exported_flow *f, uint64_t number)
{
    uint32_t length = ETHERNET_HEADER + f->bytes / f->packets;
    if (length < SAMPLED_HEADER) length = SAMPLED_HEADER;
    put_32(b, 1); // a flow sample
    put_32(b, 32 + 24 + SAMPLED_HEADER);
    put_32(b, number + 1);
    put_32(b, f->input);
    put_32(b, SAMPLING_RATE);
    put_32(b, (number + 1) * SAMPLING_RATE);
    put_32(b, 0); // drops
    put_32(b, f->input);
    put_32(b, f->output);
    put_32(b, 1);
    put_32(b, 1); // the packet itself
    put_32(b, 16 + SAMPLED_HEADER);
    put_32(b, 1); // Ethernet
    put_32(b, length + 4);
    put_32(b, 4); // the checksum, which is not there
    put_32(b, SAMPLED_HEADER);
    put_frame(b, f, length);
}

static void put_sflow(struct buf *b, const struct exported_message *m)
{
    put_32(b, 5);
    put_32(b, 1); // an IPv4 address
    put_32(b, UINT32_C(127) << 24 | m->domain);
    put_32(b, 0);
    put_32(b, m->messages);
    put_32(b, uptime(m, m->ms));
    put_32(b, m->flow_count);
    for (uint32_t i = 0; i < m->flow_count; i++) put_sample(b, &m->flows[i], m->told + i);
}

// ---- JSON ---------------------------------------------------------------------------------------

static void put_time(struct buf *b, const char *name, int64_t ms)
{
    char text[96];
    time_t seconds = (time_t)(ms / 1000);
    struct tm t;
    gmtime_r(&seconds, &t);
    snprintf(text, sizeof text, "\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03d+00\",", name,
             t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
             (int)(ms % 1000));
    buf_text(b, text);
}

static void put_address(struct buf *b, const char *name, uint32_t a)
{
    char text[64];
    snprintf(text, sizeof text, "\"%s\":\"%u.%u.%u.%u\",", name, a >> 24, a >> 16 & 255,
             a >> 8 & 255, a & 255);
    buf_text(b, text);
}

static void put_line(struct buf *b, const struct exported_flow *f)
{
    static const char letters[] = "UAPRSF";
    char flags[sizeof letters] = "......", text[256];
    for (unsigned i = 0; i < sizeof letters - 1; i++)
        if (f->tcp_flags >> (5 - i) & 1) flags[i] = letters[i];
    int64_t duration = f->last_ms - f->first_ms;
    buf_text(b, "{");
    put_time(b, "date_first_seen", f->first_ms);
    put_time(b, "date_last_seen", f->last_ms);
    snprintf(text, sizeof text, "\"duration\":%" PRId64 ".%03d,", duration / 1000,
             (int)(duration % 1000));
    buf_text(b, text);
    put_address(b, "src_ip_addr", f->src);
    put_address(b, "dst_ip_addr", f->dst);
    snprintf(text, sizeof text,
             "\"src_port\":%u,\"dst_port\":%u,\"protocol\":\"%s\",\"flags\":\"%s\",\"tos\":%u,"
             "\"packets\":%" PRIu32 ",\"bytes\":%" PRIu32 "}\n",
             f->src_port, f->dst_port, f->proto == TCP ? "TCP" : "UDP", flags, f->tos, f->packets,
             f->bytes);
    buf_text(b, text);
}

static void put_json(struct buf *b, const struct exported_message *m)
{
    for (uint32_t i = 0; i < m->flow_count; i++) put_line(b, &m->flows[i]);
}

// ---- by name ------------------------------------------------------------------------------------

// As many flows as fit into a datagram of an Ethernet.
static const struct exported_form forms[] = {
    {"netflow5", 30, 2055, put_netflow5},
    {"netflow9", 28, 2055, put_netflow9},
    {"ipfix", 24, 4739, put_ipfix},
    {"sflow", 7, 6343, put_sflow},
    {"json", 4, 0, put_json},
};

const struct exported_form *exported_form(const char *name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, name) == 0) return &forms[i];
    return NULL;
}
