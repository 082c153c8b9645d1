// ARCnet: LINKTYPE_ARCNET_BSD (7) and LINKTYPE_ARCNET_LINUX (129). Packet types by RFC 1201 section
// 2.2, which has a header for fragments of its own (only whole packets are followed), and by RFC
// 1051, which has none.
#include "decode/layer.h"

enum {
    LINK_ARCNET_BSD = 7,
    LINK_ARCNET_LINUX = 129,
    ARCNET_SIZE = 3,       // source, destination, type
    ARCNET_LINUX_SIZE = 5, // an offset before the type
    ARCNET_IP_1051 = 240,
    ARCNET_ARP_1051 = 241,
    ARCNET_IP = 212,
    ARCNET_ARP = 213,
    ARCNET_RARP = 214,
    ARCNET_IPV6 = 196, // RFC 2497 section 4
    ARCNET_SPLIT_SIZE = 3,
};

static enum layer_result arcnet_step(struct walk *w)
{
    size_t size = w->number == LINK_ARCNET_LINUX ? ARCNET_LINUX_SIZE : ARCNET_SIZE;
    struct reader r = w->r;
    read_bytes(&r, size - 1);
    uint8_t type = read_u8(&r);
    if (r.bad) return layer_short(w, size);
    if (type == ARCNET_ARP || type == ARCNET_ARP_1051) return layer_end(w, REASON_ARP);
    if (type == ARCNET_RARP) return layer_end(w, REASON_RARP);
    if (type == ARCNET_IP || type == ARCNET_IPV6) {
        uint8_t split = read_u8(&r);
        read_be16(&r); // sequence number
        if (r.bad) return layer_short(w, size + ARCNET_SPLIT_SIZE);
        if (split) return layer_end(w, REASON_STATUS);
    } else if (type != ARCNET_IP_1051) {
        return layer_end(w, REASON_UNKNOWN_FAMILY);
    }
    w->r = r;
    bool is_v6 = type == ARCNET_IPV6;
    return layer_next(w, SPACE_ETHERTYPE, is_v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
}

static const struct layer_key keys[] = {
    {SPACE_LINK, LINK_ARCNET_BSD}, {SPACE_LINK, LINK_ARCNET_LINUX}, {SPACE_END, 0}};
const struct layer arcnet_layer = {.name = "arcnet", .keys = keys, .step = arcnet_step};
