// IP without a link header: LINKTYPE_RAW (101), and 12 and 14, which some systems wrote for it. The
// version is in the first four bits.
#include "decode/layer.h"

static enum layer_result raw_ip_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t version = read_u8(&r) >> 4;
    if (r.bad) return layer_short(w, 1);
    if (version == 4) return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV4);
    if (version == 6) return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV6);
    return layer_end(w, REASON_BAD_VERSION);
}

static const struct layer_key keys[] = {
    {SPACE_LINK, LINK_RAW}, {SPACE_LINK, 12}, {SPACE_LINK, 14}, {SPACE_END, 0}};
const struct layer raw_ip_layer = {.name = "raw_ip", .keys = keys, .step = raw_ip_step};
