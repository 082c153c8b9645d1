// UDP, RFC 768. A length of 0 is that of a jumbogram (RFC 2675 section 4) or of what a network card
// cut up later: the IP header's length decides then, and also where the field claims more than it.
//
// A datagram from or to a port of a tunnel is shown to that tunnel's layer, any other one to the
// layers for all ports, if it may be theirs. They end the packet here if it is not.
#include "decode/layer.h"

enum { UDP_SIZE = 8 };

// What the layer of all ports looks for (teredo.c) begins with an IPv6 header, or with one of two
// indicators, 0 and 1.
static bool udp_may_be_any(const struct walk *w)
{
    struct reader r = w->r;
    uint16_t first = read_be16(&r);
    return !r.bad && (first >> 12 == 6 || first <= 1);
}

// A base band frame (gse.c) of a generic stream, whose packets have no length of their own, or the
// first byte of a mode adaptation header.
static bool udp_may_be_base_band(const struct walk *w)
{
    struct reader r = w->r;
    uint16_t kind = read_be16(&r), packet_length = read_be16(&r);
    return !r.bad && ((kind >> 14 == 1 && !packet_length) || kind >> 8 == 0xb8);
}

static enum layer_result udp_end(struct walk *w, uint16_t src_port, uint16_t dst_port)
{
    const uint8_t *layer_of = w->decoder->layer_of[SPACE_UDP];
    if (src_port && dst_port) {
        if (layer_of[dst_port]) return layer_next(w, SPACE_UDP, dst_port);
        if (layer_of[src_port]) return layer_next(w, SPACE_UDP, src_port);
    }
    if (udp_may_be_base_band(w)) return layer_next(w, SPACE_INSIDE, INSIDE_BASE_BAND);
    if (udp_may_be_any(w)) return layer_next(w, SPACE_UDP, UDP_ANY);
    return layer_end(w, REASON_OK);
}

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
    return udp_end(w, src_port, dst_port);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_UDP}, {SPACE_END, 0}};
const struct layer udp_layer = {.name = "udp", .keys = keys, .step = udp_step};
