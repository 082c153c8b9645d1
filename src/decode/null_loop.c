// Loopback: LINKTYPE_NULL (0), an address family in the byte order of whoever captured, and
// LINKTYPE_LOOP (108), the same in network order. Families are small numbers, so the order shows.
// IPv6 has another number on each system.
#include "decode/layer.h"

enum { FAMILY_SIZE = 4, FAMILY_IPV4 = 2 };

static enum layer_result null_loop_step(struct walk *w)
{
    struct reader r = w->r;
    uint32_t family = read_be32(&r);
    if (r.bad) return layer_short(w, FAMILY_SIZE);
    w->r = r;
    if (family > 0xffff) family = __builtin_bswap32(family);
    switch (family) {
    case FAMILY_IPV4:
        return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV4);
    case 10: // Linux
    case 23: // Windows
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // macOS
        return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV6);
    default:
        return layer_end(w, REASON_UNKNOWN_FAMILY);
    }
}

static const struct layer_key keys[] = {{SPACE_LINK, 0}, {SPACE_LINK, 108}, {SPACE_END, 0}};
const struct layer null_loop_layer = {.name = "null_loop", .keys = keys, .step = null_loop_step};
