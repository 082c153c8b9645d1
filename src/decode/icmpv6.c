// ICMPv6, RFC 4443; neighbour discovery RFC 4861, multicast listeners RFC 2710, node information
// RFC 4620, home agents RFC 6275.
#include "decode/icmp_ports.h"

static enum layer_result icmpv6_step(struct walk *w)
{
    return icmp_message(w, IP_ICMPV6);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_ICMPV6}, {SPACE_END, 0}};
const struct layer icmpv6_layer = {.name = "icmpv6", .keys = keys, .step = icmpv6_step};
