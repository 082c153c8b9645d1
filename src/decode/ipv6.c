// IPv6, RFC 8200 section 3. Extension headers are layers of their own (ipv6_options.c,
// ipv6_fragment.c, ah.c).
#include "decode/layer.h"

enum { IPV6_SIZE = 40, IPV6_NO_NEXT = 59 };

// A payload length of 0 with something following is a jumbogram (RFC 2675) or what a network card
// cut up later: then it is what the frame holds.
static uint64_t ipv6_length(const struct walk *w, uint16_t payload_length, uint8_t next)
{
    bool rest = payload_length == 0 && next != IPV6_NO_NEXT && walk_sent_left(w) > IPV6_SIZE;
    return rest ? walk_sent_left(w) : (uint64_t)IPV6_SIZE + payload_length;
}

static enum layer_result ipv6_step(struct walk *w)
{
    struct reader h = w->r;
    h = read_sub(&h, IPV6_SIZE);
    if (h.bad) return layer_short(w, IPV6_SIZE);
    uint32_t first = read_be32(&h);
    uint16_t payload_length = read_be16(&h);
    uint8_t next = read_u8(&h), hop_limit = read_u8(&h);
    if (first >> 28 != 6) return layer_end(w, REASON_BAD_VERSION);
    w->src.hi = read_be64(&h), w->src.lo = read_be64(&h);
    w->dst.hi = read_be64(&h), w->dst.lo = read_be64(&h);

    uint64_t length = ipv6_length(w, payload_length, next);
    struct packet *p = w->packet;
    p->network_offset = (uint16_t)walk_offset(w);
    p->ip_length = (uint32_t)length;
    p->tos = (uint8_t)(first >> 20);
    p->ttl = hop_limit;
    w->is_v6 = true;
    walk_narrow(w, length);
    read_bytes(&w->r, IPV6_SIZE);
    return layer_next_proto(w, next);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, ETHERTYPE_IPV6}, {SPACE_PPP, 0x0057}, {SPACE_LINK, 229}, {SPACE_END, 0}};
const struct layer ipv6_layer = {.name = "ipv6", .keys = keys, .step = ipv6_step};
