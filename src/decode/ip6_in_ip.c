// IPv6 in IPv4, RFC 4213 section 3; over IPv6, RFC 2473. What of the addresses inside is made from
// those outside tells the kind of transition: 6to4 (RFC 3056 section 2), ISATAP (RFC 5214 section
// 6.1), 6rd with a prefix of 32 bits (RFC 5969 section 4).
#include "decode/layer.h"

enum { IPV6_ADDRESSES = 8, PREFIX_6TO4 = 0x2002 };

static bool is_isatap(struct address a)
{
    uint32_t interface = (uint32_t)(a.lo >> 32);
    return interface == 0x00005efe || interface == 0x02005efe;
}

static bool is_6rd(struct address inside, struct address outside)
{
    return address_is_v4(outside) && (uint32_t)inside.hi == (uint32_t)outside.lo;
}

static enum tunnel tunnel_by_addresses(const struct walk *w)
{
    if (!address_is_v4(w->src)) return TUNNEL_6IN6;
    struct reader r = w->r;
    read_bytes(&r, IPV6_ADDRESSES);
    struct address src, dst;
    src.hi = read_be64(&r), src.lo = read_be64(&r);
    dst.hi = read_be64(&r), dst.lo = read_be64(&r);
    if (r.bad) return TUNNEL_6IN4;
    if (src.hi >> 48 == PREFIX_6TO4 || dst.hi >> 48 == PREFIX_6TO4) return TUNNEL_6TO4;
    if (is_isatap(src) || is_isatap(dst)) return TUNNEL_ISATAP;
    return is_6rd(src, w->src) || is_6rd(dst, w->dst) ? TUNNEL_6RD : TUNNEL_6IN4;
}

static enum layer_result ip6_in_ip_step(struct walk *w)
{
    walk_portless(w);
    return layer_enter(w, tunnel_by_addresses(w), SPACE_ETHERTYPE, ETHERTYPE_IPV6);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_IPV6}, {SPACE_END, 0}};
const struct layer ip6_in_ip_layer = {.name = "ip6_in_ip", .keys = keys, .step = ip6_in_ip_step};
