// Cisco HDLC, LINKTYPE_C_HDLC (104): address, control, an ethertype. 0x8035 is its own keep-alive
// here, as tcpdump.org's description and RFC 1547 section 4.3.1 have it, and 0x2000 Cisco's
// discovery.
#include "decode/layer.h"

enum { HDLC_SIZE = 4, HDLC_KEEPALIVE = 0x8035, HDLC_DISCOVERY = 0x2000 };

static enum layer_result cisco_hdlc_step(struct walk *w)
{
    struct reader r = w->r;
    read_bytes(&r, 2);
    uint16_t protocol = read_be16(&r);
    if (r.bad) return layer_short(w, HDLC_SIZE);
    w->r = r;
    if (protocol == HDLC_KEEPALIVE) return layer_end(w, REASON_KEEPALIVE);
    if (protocol == HDLC_DISCOVERY) return layer_end(w, REASON_CDP);
    return layer_next(w, SPACE_ETHERTYPE, protocol);
}

static const struct layer_key keys[] = {{SPACE_LINK, LINK_CISCO_HDLC}, {SPACE_END, 0}};
const struct layer cisco_hdlc_layer = {.name = "cisco_hdlc", .keys = keys, .step = cisco_hdlc_step};
