// UDP, RFC 768. A length of 0 is that of a jumbogram (RFC 2675 section 4) or of what a network card
// cut up later: the IP header's length decides then, and also where the field claims more than it.
#include "decode/layer.h"

enum { UDP_SIZE = 8 };

static enum layer_result udp_step(struct walk *w)
{
    struct reader r = w->r;
    uint16_t src_port = read_be16(&r), dst_port = read_be16(&r);
    if (r.bad) return layer_short(w, 4);
    walk_conversation(w, src_port, dst_port, false);

    uint16_t length = read_be16(&r);
    read_bytes(&r, 2); // checksum
    if (r.bad) return layer_short_transport(w, UDP_SIZE);
    if (length && length < UDP_SIZE) return layer_end(w, REASON_BAD_TRANSPORT);
    if (length && length < walk_sent_left(w)) walk_narrow(w, length);
    read_bytes(&w->r, UDP_SIZE);
    w->packet->has_transport = true;
    walk_payload(w);
    return layer_end(w, REASON_OK);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_UDP}, {SPACE_END, 0}};
const struct layer udp_layer = {.name = "udp", .keys = keys, .step = udp_step};
