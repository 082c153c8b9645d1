// GENEVE, RFC 8926 section 3.4. Options are skipped. The network identifier tells networks apart.
#include "decode/plausible.h"

enum { GENEVE_PORT = 6081, GENEVE_OPTIONS = 0x3f, GENEVE_RESERVED = 0x3f };

static enum layer_result geneve_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t version_options = read_u8(&r), flags = read_u8(&r);
    uint16_t type = read_be16(&r);
    uint32_t network = read_be24(&r);
    uint8_t reserved = read_u8(&r);
    read_bytes(&r, (size_t)(version_options & GENEVE_OPTIONS) * 4);
    bool is_plausible = !r.bad && !(version_options >> 6) && !(flags & GENEVE_RESERVED) &&
                        !reserved && type >= ETHERTYPE_MIN;
    if (!is_plausible) return layer_no_tunnel(w);
    bool is_frame = type == ETHERTYPE_BRIDGED;
    if (is_frame && !plausible_ethernet(w, r)) return layer_no_tunnel(w);
    w->r = r;
    return layer_enter_network(w, TUNNEL_GENEVE, network, is_frame ? SPACE_LINK : SPACE_ETHERTYPE,
                               is_frame ? LINK_ETHERNET : type);
}

static const struct layer_key keys[] = {{SPACE_UDP, GENEVE_PORT}, {SPACE_END, 0}};
const struct layer geneve_layer = {.name = "geneve", .keys = keys, .step = geneve_step};
