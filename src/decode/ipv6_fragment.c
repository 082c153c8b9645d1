// IPv6 fragment header, RFC 8200 section 4.5. One that holds the whole datagram (RFC 6946) is no
// fragment. Of the headers before it only the first is part of the joined datagram.
#include "decode/fragments.h"
#include "decode/layer.h"

enum {
    IP_FRAGMENT = 44,
    IPV6_HEADER_SIZE = 40,
    FRAGMENT_SIZE = 8,
    FRAGMENT_OFFSET = 0xfff8,
    FRAGMENT_MORE = 1
};

static enum layer_result ipv6_fragment_step(struct walk *w)
{
    if (!w->is_v6) return layer_end_portless(w);
    struct reader r = w->r;
    uint8_t next = read_u8(&r);
    read_u8(&r);
    uint16_t offset_more = read_be16(&r);
    uint32_t identification = read_be32(&r);
    if (r.bad) return layer_short(w, FRAGMENT_SIZE);
    w->r = r;
    if (layer_next_proto(w, next) == LAYER_END) return LAYER_END;
    if (!(offset_more & (FRAGMENT_OFFSET | FRAGMENT_MORE))) return LAYER_NEXT;
    bytes frame = bytes_of(w->packet->data, w->packet->captured);
    struct fragment f = {
        .identification = identification,
        .offset = offset_more & FRAGMENT_OFFSET,
        .more = offset_more & FRAGMENT_MORE,
        .proto = next,
        .header = bytes_first(bytes_after(frame, w->packet->network_offset), IPV6_HEADER_SIZE)};
    return walk_fragment(w, &f);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_FRAGMENT}, {SPACE_END, 0}};
const struct layer ipv6_fragment_layer = {
    .name = "ipv6_fragment", .keys = keys, .step = ipv6_fragment_step};
