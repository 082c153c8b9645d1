// IGMP, RFC 3376 section 4: a conversation without ports.
#include "decode/layer.h"

static enum layer_result igmp_step(struct walk *w)
{
    return layer_end_portless(w);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_IGMP}, {SPACE_END, 0}};
const struct layer igmp_layer = {.name = "igmp", .keys = keys, .step = igmp_step};
