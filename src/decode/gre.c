// GRE, RFC 2784 section 2 and RFC 2890 section 2 (key, sequence number), with the source routes of
// RFC 1701; version 1, which PPTP carries PPP in (RFC 2637 section 4.1); in UDP, RFC 8086
// section 3. The key names a network in both directions; PPTP's call identifier has one for each
// direction.
#include "decode/plausible.h"

enum {
    GRE_UDP_PORT = 4754,
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGMENT = 0x0080, // version 1
    GRE_RESERVED = 0x07f8,       // version 0
    GRE_VERSION = 0x0007,
    GRE_ROUTES_MAX = 16,

    GRE_PPP = 0x880b,
    GRE_ERSPAN = 0x88be,
    GRE_ERSPAN_3 = 0x22eb,
    GRE_WCCP = 0x883e,
    GRE_ARUBA_MIN = 0x8200, // frames of wireless stations, one number a queue
    GRE_ARUBA_MAX = 0x82ff,
};

static void gre_skip_routes(struct reader *r)
{
    for (unsigned i = 0; i < GRE_ROUTES_MAX; i++) {
        read_bytes(r, 3); // address family, offset
        uint8_t length = read_u8(r);
        if (r->bad || !length) return;
        read_bytes(r, length);
    }
    r->bad = true;
}

static enum layer_result gre_pptp(struct walk *w, struct reader r, uint16_t flags)
{
    uint16_t length = read_be16(&r);
    read_be16(&r); // call
    if (flags & GRE_SEQUENCE) read_be32(&r);
    if (flags & GRE_ACKNOWLEDGMENT) read_be32(&r);
    if (r.bad || !(flags & GRE_SEQUENCE) || !length) return layer_no_tunnel(w); // acknowledges only
    if (length > sent_from(w, &r)) return layer_end(w, REASON_TUNNEL_BROKEN);
    w->r = r;
    walk_narrow(w, length);
    return layer_enter(w, TUNNEL_PPTP, SPACE_LINK, LINK_PPP);
}

// A redirect header of 4 bytes stands before the datagram since version 2; no datagram begins so.
static enum layer_result gre_wccp(struct walk *w)
{
    if (!plausible_ipv4(w, w->r, false)) read_be32(&w->r);
    return layer_enter(w, TUNNEL_GRE, SPACE_ETHERTYPE, ETHERTYPE_IPV4);
}

static enum layer_result gre_content(struct walk *w, uint16_t type, bool has_sequence)
{
    if (type == GRE_ERSPAN_3) return layer_enter(w, TUNNEL_ERSPAN, SPACE_ETHERTYPE, type);
    // Type I has neither a sequence number nor a header.
    if (type == GRE_ERSPAN && has_sequence)
        return layer_enter(w, TUNNEL_ERSPAN, SPACE_ETHERTYPE, type);
    if (type == GRE_ERSPAN) return layer_enter(w, TUNNEL_ERSPAN, SPACE_LINK, LINK_ETHERNET);
    if (type == ETHERTYPE_BRIDGED) return layer_enter(w, TUNNEL_GRE, SPACE_LINK, LINK_ETHERNET);
    if (type == GRE_PPP) return layer_enter(w, TUNNEL_GRE, SPACE_LINK, LINK_PPP);
    if (type == GRE_WCCP) return gre_wccp(w);
    if (type >= GRE_ARUBA_MIN && type <= GRE_ARUBA_MAX)
        return layer_enter(w, TUNNEL_GRE, SPACE_LINK, LINK_WLAN);
    return layer_enter(w, TUNNEL_GRE, SPACE_ETHERTYPE, type);
}

static enum layer_result gre_plain(struct walk *w, struct reader r, uint16_t flags, uint16_t type)
{
    if (flags & (GRE_CHECKSUM | GRE_ROUTING)) read_be32(&r);
    uint32_t key = flags & GRE_KEY ? read_be32(&r) : 0;
    if (flags & GRE_SEQUENCE) read_be32(&r);
    if (flags & GRE_ROUTING) gre_skip_routes(&r);
    if (r.bad) return layer_end(w, REASON_TUNNEL_BROKEN);
    w->r = r;
    enum layer_result result = gre_content(w, type, flags & GRE_SEQUENCE);
    if (flags & GRE_KEY && result == LAYER_NEXT) w->scope = scope_mix(0, key);
    return result;
}

// On a port of its own nothing but this tells it from another payload.
static bool gre_is_plausible(uint16_t flags, uint16_t type)
{
    if (flags & (GRE_RESERVED | GRE_VERSION | GRE_ROUTING)) return false;
    return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6 || type == ETHERTYPE_BRIDGED ||
           type == ETHERTYPE_MPLS || type == GRE_ERSPAN;
}

static enum layer_result gre_step(struct walk *w)
{
    struct reader r = w->r;
    uint16_t flags = read_be16(&r), type = read_be16(&r);
    if (w->space == SPACE_UDP) {
        if (r.bad || !gre_is_plausible(flags, type)) return layer_no_tunnel(w);
        return gre_plain(w, r, flags, type);
    }
    walk_portless(w);
    if (r.bad) return layer_end(w, REASON_TUNNEL_BROKEN);
    unsigned version = flags & GRE_VERSION;
    if (version == 1 && type == GRE_PPP) return gre_pptp(w, r, flags);
    return version ? layer_end(w, REASON_TUNNEL_BROKEN) : gre_plain(w, r, flags, type);
}

static const struct layer_key keys[] = {
    {SPACE_IP, IP_GRE}, {SPACE_UDP, GRE_UDP_PORT}, {SPACE_END, 0}};
const struct layer gre_layer = {.name = "gre", .keys = keys, .step = gre_step};
