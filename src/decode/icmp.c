// ICMP, RFC 792; timestamps, information and masks RFC 950; router discovery RFC 1256.
#include "decode/icmp_ports.h"

static enum layer_result icmp_step(struct walk *w)
{
    static const struct icmp_pair pairs[] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
    return icmp_message(w, pairs, sizeof pairs / sizeof pairs[0]);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_ICMP}, {SPACE_END, 0}};
const struct layer icmp_layer = {.name = "icmp", .keys = keys, .step = icmp_step};
