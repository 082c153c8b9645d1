// Teredo, RFC 4380 section 5.1.1: IPv6 in UDP, of which only servers have a port, so it is known by
// what it is: the optional authentication and origin indications, then an IPv6 datagram that is
// exactly as long as what is left but for trailers (RFC 6081 section 4). On other ports than the
// servers' it must moreover be from or to an address of 2001::/32, or a router solicitation or
// advertisement between link-local addresses (section 5.2.1).
#include "decode/plausible.h"

enum {
    TEREDO_PORT = 3544,
    TEREDO_ORIGIN = 0,
    TEREDO_AUTHENTICATION = 1,
    TEREDO_ORIGIN_SIZE = 6,
    TEREDO_NONCE_SIZE = 9, // with the confirmation byte
    TEREDO_PREFIX = 0x20010000,
    LINK_LOCAL = 0xfe80,
    TEREDO_TRAILER_LAST = 5, // random port
    IPV6_SIZE = 40,
};

static void skip_indications(struct reader *r)
{
    struct reader at = *r;
    if (read_be16(&at) == TEREDO_AUTHENTICATION) {
        size_t identifier = read_u8(&at), value = read_u8(&at);
        read_bytes(&at, identifier + value + TEREDO_NONCE_SIZE);
        *r = at;
    }
    at = *r;
    if (read_be16(&at) == TEREDO_ORIGIN) {
        read_bytes(&at, TEREDO_ORIGIN_SIZE);
        *r = at;
    }
}

// Behind the IPv6 datagram stands nothing but trailers of types that there are.
static bool ends_in_trailers(const struct walk *w, struct reader r)
{
    read_bytes(&r, 4);
    size_t length = read_be16(&r);
    read_bytes(&r, IPV6_SIZE - 6 + length);
    while (reader_left(&r) && !r.bad) {
        uint8_t type = read_u8(&r);
        read_bytes(&r, read_u8(&r));
        if (!type || type > TEREDO_TRAILER_LAST) return false;
    }
    return !r.bad && sent_from(w, &r) == 0;
}

static bool is_teredo(struct reader r)
{
    read_bytes(&r, 6);
    uint8_t next = read_u8(&r);
    read_u8(&r); // hop limit
    uint64_t src = read_be64(&r);
    read_be64(&r);
    uint64_t dst = read_be64(&r);
    read_be64(&r);
    if (r.bad) return false;
    if (src >> 32 == TEREDO_PREFIX || dst >> 32 == TEREDO_PREFIX) return true;
    uint8_t type = read_u8(&r);
    bool is_router = next == IP_ICMPV6 && !r.bad && (type == 133 || type == 134);
    return is_router && src >> 48 == LINK_LOCAL;
}

static enum layer_result teredo_step(struct walk *w)
{
    struct reader r = w->r;
    skip_indications(&r);
    bool is_whole =
        plausible_ipv6(w, r, true) || (plausible_ipv6(w, r, false) && ends_in_trailers(w, r));
    if (r.bad || !is_whole) return layer_no_tunnel(w);
    if (w->number != TEREDO_PORT && !is_teredo(r)) return layer_no_tunnel(w);
    w->r = r;
    return layer_enter(w, TUNNEL_TEREDO, SPACE_ETHERTYPE, ETHERTYPE_IPV6);
}

static const struct layer_key keys[] = {
    {SPACE_UDP, UDP_ANY}, {SPACE_UDP, TEREDO_PORT}, {SPACE_END, 0}};
const struct layer teredo_layer = {.name = "teredo", .keys = keys, .step = teredo_step};
