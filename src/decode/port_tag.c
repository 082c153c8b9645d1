// Tags between a switch and its port extenders: VN-Tag (Cisco's, 0x8926) and E-Tag (IEEE 802.1BR
// 7.5, 0x893f). Their interfaces have one value for each direction.
#include "decode/layer.h"

enum { VN_TAG = 0x8926, E_TAG = 0x893f, VN_TAG_SIZE = 4, E_TAG_SIZE = 6 };

static enum layer_result port_tag_step(struct walk *w)
{
    size_t size = w->number == VN_TAG ? VN_TAG_SIZE : E_TAG_SIZE;
    struct reader r = w->r;
    read_bytes(&r, size);
    uint16_t type_or_length = read_be16(&r);
    if (r.bad) return layer_short(w, size + 2);
    w->r = r;
    return layer_next_ethertype(w, type_or_length);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, VN_TAG}, {SPACE_ETHERTYPE, E_TAG}, {SPACE_END, 0}};
const struct layer port_tag_layer = {.name = "port_tag", .keys = keys, .step = port_tag_step};
