// What lies below an MPLS stack and is not IP: an Ethernet pseudowire (RFC 4448 section 4.2), with
// a control word or without, or an associated channel (RFC 5586 section 2). Nothing but the content
// tells, so without a control word the frame must be sure (RFC 4928).
#include "decode/plausible.h"

enum { CHANNEL = 1 };

static enum layer_result pseudowire_step(struct walk *w)
{
    struct reader r = w->r;
    uint32_t control = read_be32(&r);
    if (r.bad) return layer_short(w, 4);
    if (control >> 28 == CHANNEL) return layer_end(w, REASON_CHANNEL_CONTROL);
    bool has_control = control >> 28 == 0 && plausible_ethernet(w, r) && !certain_ethernet(w, w->r);
    if (!has_control && !certain_ethernet(w, w->r)) return layer_end(w, REASON_PSEUDOWIRE);
    if (has_control) w->r = r;
    return layer_enter(w, TUNNEL_PSEUDOWIRE, SPACE_LINK, LINK_ETHERNET);
}

static const struct layer_key keys[] = {{SPACE_INSIDE, INSIDE_PSEUDOWIRE}, {SPACE_END, 0}};
const struct layer pseudowire_layer = {.name = "pseudowire", .keys = keys, .step = pseudowire_step};
