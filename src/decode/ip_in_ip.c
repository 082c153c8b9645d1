// IP in IP, RFC 2003 section 3; over IPv6, RFC 2473 section 3.
#include "decode/layer.h"

static enum layer_result ip_in_ip_step(struct walk *w)
{
    walk_portless(w);
    return layer_enter(w, TUNNEL_IP_IN_IP, SPACE_ETHERTYPE, ETHERTYPE_IPV4);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_IN_IP}, {SPACE_END, 0}};
const struct layer ip_in_ip_layer = {.name = "ip_in_ip", .keys = keys, .step = ip_in_ip_step};
