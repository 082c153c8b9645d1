// L2TPv3 data, RFC 3931 section 4.1: a session identifier, then a cookie of 0, 4 or 8 bytes and a
// sublayer of 0 or 4 as the two ends agreed. So the frame is looked for at each of these places,
// and must be sure. Session 0 is control (section 4.1.1.2).
#include "decode/plausible.h"

enum { L2TP_3_PREFIX_MAX = 12 };

static enum layer_result l2tp_3_step(struct walk *w)
{
    if (w->space == SPACE_IP) walk_portless(w);
    struct reader r = w->r;
    uint32_t session = read_be32(&r);
    if (r.bad || !session) return layer_no_tunnel(w);
    for (unsigned prefix = 0; prefix <= L2TP_3_PREFIX_MAX; prefix += 4, read_be32(&r)) {
        bool is_frame = certain_ethernet(w, r);
        if (!is_frame && !certain_ip(w, r, true)) continue;
        w->r = r;
        if (is_frame) return layer_enter(w, TUNNEL_L2TP_3, SPACE_LINK, LINK_ETHERNET);
        return layer_enter(w, TUNNEL_L2TP_3, SPACE_ETHERTYPE, ip_ethertype(r));
    }
    return layer_no_tunnel(w);
}

static const struct layer_key keys[] = {
    {SPACE_IP, IP_L2TP}, {SPACE_INSIDE, INSIDE_L2TP_3}, {SPACE_END, 0}};
const struct layer l2tp_3_layer = {.name = "l2tp_3", .keys = keys, .step = l2tp_3_step};
