// Provider backbone bridges, IEEE 802.1Q 9.7 (802.1ah): a service tag, then the customer's frame.
// The service identifier names the customer's network, the backbone's VLAN does not.
#include "decode/layer.h"

enum { PBB_SIZE = 4 };

static enum layer_result pbb_step(struct walk *w)
{
    struct reader r = w->r;
    read_u8(&r); // priority and flags
    uint32_t service = read_be24(&r);
    if (r.bad) return layer_short(w, PBB_SIZE);
    w->r = r;
    return layer_enter_network(w, TUNNEL_PBB, service, SPACE_LINK, LINK_ETHERNET);
}

static const struct layer_key keys[] = {{SPACE_ETHERTYPE, 0x88e7}, {SPACE_END, 0}};
const struct layer pbb_layer = {.name = "pbb", .keys = keys, .step = pbb_step};
