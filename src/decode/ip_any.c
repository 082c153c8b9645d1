// Every IP protocol that has no layer of its own: a conversation of its addresses, ports 0, all
// that follows is payload.
#include "decode/layer.h"

static enum layer_result ip_any_step(struct walk *w)
{
    return layer_end_portless(w);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_ANY}, {SPACE_END, 0}};
const struct layer ip_any_layer = {.name = "ip_any", .keys = keys, .step = ip_any_step};
