// From a message to frames, byte by byte: TCP (RFC 9293), UDP (RFC 768), IPv4 (RFC 791), IPv6 (RFC
// 8200), their fragments, tunnels around them, and Ethernet.
#include "scene.h"

#include "base/buf.h"

enum {
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_GRE = 47,
    PROTO_IPV4 = 4,
    PROTO_IPV6 = 41,
    PROTO_FRAGMENT = 44,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_MPLS = 0x8847,
    PORT_VXLAN = 4789,
    PORT_GENEVE = 6081,
    AROUND_MAX = 128, // bytes that one layer puts around another
    PIECES_MAX = 40,
    PIECES_OUTSIDE_MAX = 4,
    UNIT = 8, // in which fragments are measured
};

static void put_be(struct buf *b, uint64_t v, unsigned n)
{
    while (n--) buf_u8(b, (uint8_t)(v >> 8 * n));
}

static struct buf buf_for(struct scene *s, size_t n)
{
    return buf_on(arena_take(s->arena, n), n);
}

// ---- checksums (RFC 1071) -----------------------------------------------------------------------

static uint32_t sum_of(uint32_t sum, bytes b)
{
    for (size_t i = 0; i < b.n; i++) sum += i % 2 ? b.p[i] : (uint32_t)b.p[i] << 8;
    return sum;
}

static uint16_t sum_end(uint32_t sum)
{
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static bytes address_bytes(const struct endpoint *e)
{
    return bytes_of(e->address, e->is_v6 ? 16 : 4);
}

static void sum_transport(const struct datagram *d, uint8_t *content, uint32_t at)
{
    uint32_t n = (uint32_t)d->content.n, sum = d->proto + (n & 0xffff) + (n >> 16);
    sum = sum_of(sum, address_bytes(&d->ends[0]));
    sum = sum_of(sum, address_bytes(&d->ends[1]));
    uint16_t check = sum_end(sum_of(sum, d->content));
    content[at] = (uint8_t)(check >> 8);
    content[at + 1] = (uint8_t)check;
}

// ---- transport ----------------------------------------------------------------------------------

static void tcp_put(struct buf *b, const struct message *m, uint32_t stamp)
{
    const struct talk *t = m->talk;
    uint32_t seq = t->isn[m->side] + (m->flags & SYN ? 0 : 1) + (uint32_t)m->at;
    uint32_t ack = m->flags & ACK ? t->isn[m->side ^ 1] + 1 + (uint32_t)m->ack_at : 0;
    put_be(b, t->ends[m->side].port, 2);
    put_be(b, t->ends[m->side ^ 1].port, 2);
    put_be(b, seq, 4);
    put_be(b, ack, 4);
    put_be(b, t->has_options ? 0x80 : 0x50, 1);
    put_be(b, m->flags, 1);
    put_be(b, m->window, 2);
    put_be(b, 0, 4); // checksum, urgent
    if (!t->has_options) return;
    put_be(b, 0x0101080a, 4); // RFC 7323 section 3.2
    put_be(b, stamp, 4);
    put_be(b, m->flags & ACK ? stamp : 0, 4);
}

static void udp_put(struct buf *b, uint16_t from, uint16_t to, size_t payload)
{
    put_be(b, from, 2);
    put_be(b, to, 2);
    put_be(b, payload + 8, 2);
    put_be(b, 0, 2);
}

static struct datagram *datagram_of_message(struct scene *s, struct message *m)
{
    struct datagram *d = arena_take(s->arena, sizeof *d);
    const struct talk *t = m->talk;
    struct buf b = buf_for(s, AROUND_MAX + m->payload.n);
    if (t->is_tcp) tcp_put(&b, m, s->identification);
    else udp_put(&b, t->ends[m->side].port, t->ends[m->side ^ 1].port, m->payload.n);
    d->header = (uint8_t)b.n;
    buf_put(&b, m->payload);
    d->message = m;
    d->side = m->side;
    d->ends[0] = t->ends[m->side];
    d->ends[1] = t->ends[m->side ^ 1];
    d->proto = t->is_tcp ? PROTO_TCP : PROTO_UDP;
    d->identification = ++s->identification;
    d->content = buf_bytes(&b);
    sum_transport(d, b.p, t->is_tcp ? 16 : 6);
    return d;
}

// ---- IP -----------------------------------------------------------------------------------------

uint32_t piece_ip_length(const struct piece *p)
{
    uint32_t header = p->of->ends[0].is_v6 ? p->whole ? 40 : 48 : 20;
    return header + (uint32_t)p->data.n;
}

static void ipv4_put(struct buf *b, const struct piece *p)
{
    const struct datagram *d = p->of;
    size_t from = b->n;
    put_be(b, 0x4500, 2);
    put_be(b, 20 + p->data.n, 2);
    put_be(b, d->identification, 2);
    put_be(b, (p->more ? 0x2000 : 0) | p->offset / UNIT, 2);
    put_be(b, 64, 1);
    put_be(b, d->proto, 1);
    put_be(b, 0, 2);
    buf_put(b, address_bytes(&d->ends[0]));
    buf_put(b, address_bytes(&d->ends[1]));
    uint16_t check = sum_end(sum_of(0, bytes_of((uint8_t *)b->p + from, 20)));
    b->p[from + 10] = (uint8_t)(check >> 8);
    b->p[from + 11] = (uint8_t)check;
    buf_put(b, p->data);
}

static void ipv6_put(struct buf *b, const struct piece *p)
{
    const struct datagram *d = p->of;
    put_be(b, 0x60000000, 4);
    put_be(b, p->data.n + (p->whole ? 0 : 8), 2);
    put_be(b, p->whole ? d->proto : PROTO_FRAGMENT, 1);
    put_be(b, 64, 1);
    buf_put(b, address_bytes(&d->ends[0]));
    buf_put(b, address_bytes(&d->ends[1]));
    if (!p->whole) {
        put_be(b, d->proto, 1);
        put_be(b, 0, 1);
        put_be(b, p->offset | p->more, 2);
        put_be(b, d->identification, 4);
    }
    buf_put(b, p->data);
}

static void ip_put(struct buf *b, const struct piece *p)
{
    if (p->of->ends[0].is_v6) ipv6_put(b, p);
    else ipv4_put(b, p);
}

static uint16_t piece_type(const struct piece *p)
{
    return p->of->ends[0].is_v6 ? TYPE_IPV6 : TYPE_IPV4;
}

// ---- pieces -------------------------------------------------------------------------------------

static struct piece *piece_add(struct scene *s, struct list *to, struct datagram *d, uint32_t from,
                               uint32_t end)
{
    struct piece *p = arena_take(s->arena, sizeof *p);
    uint32_t n = (uint32_t)d->content.n;
    *p = (struct piece){.of = d,
                        .offset = from,
                        .data = bytes_first(bytes_after(d->content, from), end - from),
                        .whole = !from && end == n,
                        .more = end < n};
    list_add(s->arena, to, p);
    return p;
}

// Pieces over others: the same bytes again, or others.
static void pieces_overlap(struct scene *s, struct list *to, struct datagram *d)
{
    uint32_t n = (uint32_t)d->content.n, units = (n + UNIT - 1) / UNIT;
    uint32_t times = dice_between(&s->dice, 1, 3);
    for (uint32_t i = 0; i < times; i++) {
        uint32_t from = dice_below(&s->dice, units);
        uint32_t end = from + 1 + dice_below(&s->dice, units - from);
        from *= UNIT, end *= UNIT;
        if (end > n) end = n;
        if (!from && end == n) continue;
        struct piece *p = piece_add(s, to, d, from, end);
        // The headers stay as they are: what they say decides what the packet is.
        uint32_t spared = from < d->header ? d->header - from : 0;
        if (d->message && s->tastes.fragment_differ && s->snap == UINT32_MAX)
            p->data = scene_altered(s, p->data, spared);
    }
}

static void pieces_shuffle(struct scene *s, struct list *l)
{
    for (uint32_t i = 0; i + 1 < l->count; i++)
        list_move(l, i, i + dice_below(&s->dice, l->count - i));
}

static void pieces_cut(struct scene *s, struct list *to, struct datagram *d, uint32_t pieces_max)
{
    uint32_t n = (uint32_t)d->content.n, least = n / pieces_max / UNIT + 1;
    uint32_t units = least + dice_below(&s->dice, n / UNIT / 2 + 1);
    struct list pieces = {0};
    for (uint32_t at = 0; at < n; at += units * UNIT) {
        bool is_lost = dice_percent(&s->dice, 2);
        uint32_t end = at + units * UNIT < n ? at + units * UNIT : n;
        if (!is_lost) piece_add(s, &pieces, d, at, end);
    }
    if (dice_percent(&s->dice, 30)) pieces_overlap(s, &pieces, d);
    if (dice_percent(&s->dice, 50)) pieces_shuffle(s, &pieces);
    for (uint32_t i = 0; i < pieces.count; i++) list_add(s->arena, to, pieces.items[i]);
}

static void pieces_of(struct scene *s, struct list *to, struct datagram *d, bool may_cut)
{
    uint32_t n = (uint32_t)d->content.n, share = d->carrier ? 10 : 30;
    bool cut = may_cut && s->tastes.fragment && n > UNIT && dice_percent(&s->dice, share);
    if (!cut) piece_add(s, to, d, 0, n);
    else pieces_cut(s, to, d, d->carrier ? PIECES_OUTSIDE_MAX : PIECES_MAX);
}

// ---- tunnels ------------------------------------------------------------------------------------

static void ethernet_put(struct buf *b, unsigned side)
{
    put_be(b, 0x020000000000 | side, 6);
    put_be(b, 0x020000000000 | !side, 6);
}

static void tunnel_put(struct buf *b, const struct carrier *c, unsigned side, const struct piece *p)
{
    uint32_t inside = piece_ip_length(p);
    if (c->form == FORM_GRE || c->form == FORM_GRE_KEY) {
        put_be(b, c->form == FORM_GRE_KEY ? 0x2000 : 0, 2);
        put_be(b, piece_type(p), 2);
        if (c->form == FORM_GRE_KEY) put_be(b, c->network, 4);
    } else if (c->form == FORM_VXLAN) {
        udp_put(b, c->ends[side].port, PORT_VXLAN, inside + 22);
        put_be(b, 0x08000000, 4);
        put_be(b, c->network, 3);
        put_be(b, 0, 1);
        ethernet_put(b, side);
        put_be(b, piece_type(p), 2);
    } else if (c->form == FORM_GENEVE) {
        udp_put(b, c->ends[side].port, PORT_GENEVE, inside + 8);
        put_be(b, 0, 2);
        put_be(b, piece_type(p), 2);
        put_be(b, c->network, 3);
        put_be(b, 0, 1);
    }
    ip_put(b, p);
}

static uint8_t tunnel_proto(const struct carrier *c, const struct piece *p)
{
    if (c->form == FORM_IP) return p->of->ends[0].is_v6 ? PROTO_IPV6 : PROTO_IPV4;
    return c->form == FORM_GRE || c->form == FORM_GRE_KEY ? PROTO_GRE : PROTO_UDP;
}

static struct datagram *datagram_around(struct scene *s, const struct carrier *c,
                                        const struct piece *p)
{
    struct datagram *d = arena_take(s->arena, sizeof *d);
    unsigned side = p->of->side;
    struct buf b = buf_for(s, AROUND_MAX + p->data.n);
    tunnel_put(&b, c, side, p);
    d->carrier = c;
    d->inner = p;
    d->side = (uint8_t)side;
    d->ends[0] = c->ends[side];
    d->ends[1] = c->ends[side ^ 1];
    d->proto = tunnel_proto(c, p);
    d->identification = ++s->identification;
    d->content = buf_bytes(&b);
    if (d->proto == PROTO_UDP) sum_transport(d, b.p, 6);
    return d;
}

// ---- frames -------------------------------------------------------------------------------------

static void frame_add(struct scene *s, struct talk *t, const struct piece *p)
{
    struct frame *f = arena_take(s->arena, sizeof *f);
    const struct way *way = t->way;
    struct buf b = buf_for(s, AROUND_MAX + p->data.n);
    ethernet_put(&b, p->of->side);
    for (uint32_t i = 0; i < way->vlan_count; i++) {
        put_be(&b, TYPE_VLAN, 2);
        put_be(&b, way->vlans[i], 2);
    }
    put_be(&b, way->has_labels ? TYPE_MPLS : piece_type(p), 2);
    // The label of one direction, at the bottom of the stack.
    if (way->has_labels) put_be(&b, (uint64_t)(1000 + p->of->side) << 12 | 0x140, 4);
    ip_put(&b, p);
    f->piece = p;
    f->wire = buf_bytes(&b);
    list_add(s->arena, &t->frames, f);
}

void wire_message(struct scene *s, struct message *m)
{
    struct talk *t = m->talk;
    bool may_cut = !m->pinned;
    struct list pieces = {0};
    pieces_of(s, &pieces, datagram_of_message(s, m), may_cut);
    for (uint32_t level = 0; level < t->way->depth; level++) {
        struct list outside = {0};
        for (uint32_t i = 0; i < pieces.count; i++)
            pieces_of(s, &outside, datagram_around(s, t->way->carriers[level], pieces.items[i]),
                      may_cut);
        pieces = outside;
    }
    for (uint32_t i = 0; i < pieces.count; i++) frame_add(s, t, pieces.items[i]);
}
