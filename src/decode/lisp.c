// LISP data, RFC 9300 section 5.3. The instance tells networks apart (section 4.1).
#include "decode/plausible.h"

enum { LISP_PORT = 4341, LISP_HAS_INSTANCE = 0x08, LISP_RESERVED = 0x04 };

static enum layer_result lisp_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t flags = read_u8(&r);
    read_be24(&r); // nonce or map versions
    uint32_t instance = read_be24(&r);
    read_u8(&r); // locator status
    if (r.bad || flags & LISP_RESERVED || !plausible_ip(w, r, false)) return layer_no_tunnel(w);
    w->r = r;
    uint16_t type = ip_ethertype(r);
    if (flags & LISP_HAS_INSTANCE)
        return layer_enter_network(w, TUNNEL_LISP, instance, SPACE_ETHERTYPE, type);
    return layer_enter(w, TUNNEL_LISP, SPACE_ETHERTYPE, type);
}

static const struct layer_key keys[] = {{SPACE_UDP, LISP_PORT}, {SPACE_END, 0}};
const struct layer lisp_layer = {.name = "lisp", .keys = keys, .step = lisp_step};
