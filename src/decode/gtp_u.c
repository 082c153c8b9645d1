// GTP-U version 1, 3GPP TS 29.281 section 5: user data of mobile networks. Tunnel endpoint
// identifiers have one value for each direction and tell nothing apart. Signalling (echo, end
// marker) is payload of the UDP conversation, and so is what carries no IP.
#include "decode/plausible.h"

enum {
    GTP_PORT = 2152,
    GTP_VERSION_1 = 0x30, // with the protocol type bit
    GTP_VERSION_MASK = 0xf8,
    GTP_OPTIONAL = 0x07, // extension header, sequence number, N-PDU number: any brings all
    GTP_EXTENSION = 0x04,
    GTP_DATA = 255,
    GTP_EXTENSIONS_MAX = 16,
};

// Section 5.2.1: a length in words, which counts itself and the type of the next at the end.
static void gtp_skip_extensions(struct reader *r, uint8_t next)
{
    for (unsigned i = 0; next && i < GTP_EXTENSIONS_MAX; i++) {
        size_t size = (size_t)read_u8(r) * 4;
        if (size < 4) r->bad = true;
        if (r->bad) return;
        read_bytes(r, size - 2);
        next = read_u8(r);
    }
    if (next) r->bad = true;
}

static enum layer_result gtp_u_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t flags = read_u8(&r), type = read_u8(&r);
    uint16_t length = read_be16(&r);
    read_be32(&r); // tunnel endpoint identifier
    if (r.bad || (flags & GTP_VERSION_MASK) != GTP_VERSION_1 || type != GTP_DATA ||
        length > sent_from(w, &r))
        return layer_no_tunnel(w);
    if (flags & GTP_OPTIONAL) {
        read_bytes(&r, 3); // sequence number, N-PDU number
        uint8_t next = read_u8(&r);
        if (flags & GTP_EXTENSION) gtp_skip_extensions(&r, next);
    }
    if (r.bad || !plausible_ip(w, r, false)) return layer_no_tunnel(w);
    w->r = r;
    return layer_enter(w, TUNNEL_GTP, SPACE_ETHERTYPE, ip_ethertype(r));
}

static const struct layer_key keys[] = {{SPACE_UDP, GTP_PORT}, {SPACE_END, 0}};
const struct layer gtp_u_layer = {.name = "gtp_u", .keys = keys, .step = gtp_u_step};
