// VXLAN, RFC 7348 section 5, on its port and on that which was used before; with group policy
// (draft-smith-vxlan-group-policy section 2.1). The network identifier tells networks apart.
#include "decode/plausible.h"

enum {
    VXLAN_PORT = 4789,
    VXLAN_PORT_BEFORE = 8472,
    VXLAN_HAS_NETWORK = 0x08,
    VXLAN_HAS_GROUP = 0x80,
    VXLAN_GROUP_FLAGS = 0x48, // do not learn, policy applied
};

static enum layer_result vxlan_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t flags = read_u8(&r), group_flags = read_u8(&r);
    uint16_t group = read_be16(&r);
    uint32_t network = read_be24(&r);
    uint8_t reserved = read_u8(&r);
    bool has_group = flags == (VXLAN_HAS_NETWORK | VXLAN_HAS_GROUP);
    if (has_group) {
        group = 0;
        group_flags &= (uint8_t)~VXLAN_GROUP_FLAGS;
    }
    bool is_plausible = !r.bad && (flags == VXLAN_HAS_NETWORK || has_group) && !reserved &&
                        !group_flags && !group && plausible_ethernet(w, r);
    if (!is_plausible) return layer_no_tunnel(w);
    w->r = r;
    return layer_enter_network(w, TUNNEL_VXLAN, network, SPACE_LINK, LINK_ETHERNET);
}

static const struct layer_key keys[] = {
    {SPACE_UDP, VXLAN_PORT}, {SPACE_UDP, VXLAN_PORT_BEFORE}, {SPACE_END, 0}};
const struct layer vxlan_layer = {.name = "vxlan", .keys = keys, .step = vxlan_step};
