// Linux cooked captures: LINKTYPE_LINUX_SLL (113) and LINKTYPE_LINUX_SLL2 (276), as the link-layer
// header types of tcpdump.org describe them. The protocol field is an ethertype, or 4 for an LLC
// header.
#include "decode/layer.h"

enum { LINK_COOKED = 113, LINK_COOKED_2 = 276, COOKED_SIZE = 16, COOKED_2_SIZE = 20 };

static enum layer_result cooked_step(struct walk *w)
{
    bool is_first = w->number == LINK_COOKED;
    struct reader r = w->r;
    if (is_first) read_bytes(&r, COOKED_SIZE - 2);
    uint16_t protocol = read_be16(&r);
    if (!is_first) read_bytes(&r, COOKED_2_SIZE - 2);
    if (r.bad) return layer_short(w, is_first ? COOKED_SIZE : COOKED_2_SIZE);
    w->r = r;
    return layer_next(w, SPACE_ETHERTYPE, protocol);
}

static const struct layer_key keys[] = {
    {SPACE_LINK, LINK_COOKED}, {SPACE_LINK, LINK_COOKED_2}, {SPACE_END, 0}};
const struct layer linux_cooked_layer = {.name = "linux_cooked", .keys = keys, .step = cooked_step};
