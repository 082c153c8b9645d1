// ICMP, RFC 792; timestamps, information and masks RFC 950; router discovery RFC 1256.
#include "decode/icmp_ports.h"

static enum layer_result icmp_step(struct walk *w)
{
    return icmp_message(w, IP_ICMP);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_ICMP}, {SPACE_END, 0}};
const struct layer icmp_layer = {.name = "icmp", .keys = keys, .step = icmp_step};
