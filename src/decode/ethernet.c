// Ethernet, IEEE 802.3 3.1.1: two addresses, then an ethertype, or a length and an LLC header.
#include "decode/layer.h"

enum { ETHERNET_SIZE = 14, ETHERNET_ADDRESSES_SIZE = 12 };

static enum layer_result ethernet_step(struct walk *w)
{
    struct reader r = w->r;
    read_bytes(&r, ETHERNET_ADDRESSES_SIZE);
    uint16_t type_or_length = read_be16(&r);
    if (r.bad) return layer_short(w, ETHERNET_SIZE);
    w->r = r;
    return layer_next_ethertype(w, type_or_length);
}

static const struct layer_key keys[] = {{SPACE_LINK, 1}, {SPACE_END, 0}};
const struct layer ethernet_layer = {.name = "ethernet", .keys = keys, .step = ethernet_step};
