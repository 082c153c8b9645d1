// L2TP, RFC 2661 section 3.1, and version 3 over UDP, RFC 3931 section 4.1.2. Tunnel and session
// identifiers have one value for each direction. Control messages are payload of the UDP
// conversation.
#include "decode/plausible.h"

enum {
    L2TP_PORT = 1701,
    L2TP_CONTROL = 0x8000,
    L2TP_LENGTH = 0x4000,
    L2TP_SEQUENCE = 0x0800,
    L2TP_OFFSET = 0x0200,
    L2TP_RESERVED = 0x34f0,
    L2TP_VERSION = 0x000f,
};

static enum layer_result l2tp_2(struct walk *w, struct reader r, uint16_t flags)
{
    uint64_t sent = sent_from(w, &r) + 2;
    uint16_t length = flags & L2TP_LENGTH ? read_be16(&r) : 0;
    read_be32(&r); // tunnel, session
    if (flags & L2TP_SEQUENCE) read_be32(&r);
    if (flags & L2TP_OFFSET) read_bytes(&r, read_be16(&r));
    if (r.bad || length > sent || flags & L2TP_RESERVED || !plausible_ppp(r))
        return layer_no_tunnel(w);
    w->r = r;
    return layer_enter(w, TUNNEL_L2TP, SPACE_LINK, LINK_PPP);
}

static enum layer_result l2tp_step(struct walk *w)
{
    struct reader r = w->r;
    uint16_t flags = read_be16(&r);
    if (r.bad || flags & L2TP_CONTROL) return layer_no_tunnel(w);
    if ((flags & L2TP_VERSION) == 2) return l2tp_2(w, r, flags);
    if (flags != 3 || read_be16(&r) || r.bad) return layer_no_tunnel(w);
    w->r = r;
    return layer_next(w, SPACE_INSIDE, INSIDE_L2TP_3);
}

static const struct layer_key keys[] = {{SPACE_UDP, L2TP_PORT}, {SPACE_END, 0}};
const struct layer l2tp_layer = {.name = "l2tp", .keys = keys, .step = l2tp_step};
