// VLAN tags, IEEE 802.1Q 9.6: 0x8100, the service tag 0x88a8 of 802.1ad, and 0x9100 and 0x9200 used
// before it.
#include "decode/layer.h"

enum { VLAN_SIZE = 4 };

static enum layer_result vlan_step(struct walk *w)
{
    struct reader r = w->r;
    uint16_t control = read_be16(&r), type_or_length = read_be16(&r);
    if (r.bad) return layer_short(w, VLAN_SIZE);
    w->r = r;
    w->scope = scope_add_vlan(w->scope, control);
    return layer_next_ethertype(w, type_or_length);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, 0x8100},
    {SPACE_ETHERTYPE, 0x88a8},
    {SPACE_ETHERTYPE, 0x9100},
    {SPACE_ETHERTYPE, 0x9200},
    {SPACE_END, 0},
};
const struct layer vlan_layer = {.name = "vlan", .keys = keys, .step = vlan_step};
