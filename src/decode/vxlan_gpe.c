// VXLAN-GPE, draft-ietf-nvo3-vxlan-gpe section 3: VXLAN that says what follows.
#include "decode/plausible.h"

enum {
    GPE_PORT = 4790,
    GPE_HAS_NETWORK = 0x08,
    GPE_HAS_PROTOCOL = 0x04,
    GPE_FLAGS = 0x0f, // with the bits for broadcast and operations
};

static enum layer_result vxlan_gpe_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t flags = read_u8(&r);
    uint16_t reserved = read_be16(&r);
    uint8_t protocol = read_u8(&r);
    uint32_t network = read_be24(&r);
    uint8_t reserved_too = read_u8(&r);
    bool is_plausible =
        !r.bad && flags & GPE_HAS_NETWORK && !(flags & ~GPE_FLAGS) && !reserved && !reserved_too;
    if (!is_plausible) return layer_no_tunnel(w);
    // Without the bit it is VXLAN, unless what is named in spite of that is certainly there.
    bool is_ip = protocol == NEXT_IPV4 || protocol == NEXT_IPV6;
    bool is_named = flags & GPE_HAS_PROTOCOL || (is_ip && certain_ip(w, r, true));
    if (!is_named) protocol = NEXT_ETHERNET;
    is_ip = is_ip && is_named;
    if (is_ip && !plausible_ip(w, r, false)) return layer_no_tunnel(w);
    uint16_t type = next_protocol_ethertype(protocol);
    if (!type && protocol != NEXT_ETHERNET) return layer_no_tunnel(w);
    w->r = r;
    if (!type) return layer_enter_network(w, TUNNEL_VXLAN_GPE, network, SPACE_LINK, LINK_ETHERNET);
    return layer_enter_network(w, TUNNEL_VXLAN_GPE, network, SPACE_ETHERTYPE, type);
}

static const struct layer_key keys[] = {{SPACE_UDP, GPE_PORT}, {SPACE_END, 0}};
const struct layer vxlan_gpe_layer = {.name = "vxlan_gpe", .keys = keys, .step = vxlan_gpe_step};
