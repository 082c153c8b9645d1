// ICMPv6, RFC 4443; neighbour discovery RFC 4861, multicast listeners RFC 2710, node information
// RFC 4620, home agents RFC 6275.
#include "decode/icmp_ports.h"

static enum layer_result icmpv6_step(struct walk *w)
{
    static const struct icmp_pair pairs[] = {{128, 129}, {133, 134}, {135, 136},
                                             {130, 131}, {139, 140}, {144, 145}};
    return icmp_message(w, pairs, sizeof pairs / sizeof pairs[0]);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_ICMPV6}, {SPACE_END, 0}};
const struct layer icmpv6_layer = {.name = "icmpv6", .keys = keys, .step = icmpv6_step};
