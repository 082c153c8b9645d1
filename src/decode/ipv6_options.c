// IPv6 extension headers of the common form, RFC 8200 sections 4.3, 4.4 and 4.6: hop-by-hop
// options, routing, destination options. Skipped; their number is bounded by the limit of layers.
// Over IPv4 these numbers are protocols like any other.
#include "decode/layer.h"

enum { IP_HOP_BY_HOP = 0, IP_ROUTING = 43, IP_DESTINATION_OPTIONS = 60, OPTIONS_SIZE_MIN = 8 };

static enum layer_result ipv6_options_step(struct walk *w)
{
    if (!w->is_v6) return layer_end_portless(w);
    struct reader r = w->r;
    uint8_t next = read_u8(&r);
    size_t size = ((size_t)read_u8(&r) + 1) * OPTIONS_SIZE_MIN;
    if (r.bad || reader_left(&w->r) < size) return layer_short(w, r.bad ? OPTIONS_SIZE_MIN : size);
    read_bytes(&w->r, size);
    return layer_next_proto(w, next);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_HOP_BY_HOP},
                                        {SPACE_IP, IP_ROUTING},
                                        {SPACE_IP, IP_DESTINATION_OPTIONS},
                                        {SPACE_END, 0}};
const struct layer ipv6_options_layer = {
    .name = "ipv6_options", .keys = keys, .step = ipv6_options_step};
