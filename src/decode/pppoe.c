// PPPoE session stage, RFC 2516 sections 4 and 6; LINKTYPE_PPP_ETHER (51) begins with the same
// header. The session identifier is not part of a conversation's key. Discovery is counted
// (counted.c).
#include "decode/layer.h"

enum { PPPOE_SIZE = 6, PPPOE_VERSION_TYPE = 0x11, PPPOE_SESSION_DATA = 0 };

static enum layer_result pppoe_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t version_type = read_u8(&r), code = read_u8(&r);
    read_bytes(&r, 2); // session
    uint16_t length = read_be16(&r);
    if (r.bad) return layer_short(w, PPPOE_SIZE);
    bool is_data = version_type == PPPOE_VERSION_TYPE && code == PPPOE_SESSION_DATA;
    if (!is_data) return layer_end(w, REASON_BAD_PPPOE);
    w->r = r;
    if (length > walk_sent_left(w)) return layer_end(w, REASON_BAD_LENGTH);
    walk_narrow(w, length);
    return layer_next(w, SPACE_LINK, LINK_PPP);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, 0x8864}, {SPACE_LINK, 51}, {SPACE_END, 0}};
const struct layer pppoe_layer = {.name = "pppoe", .keys = keys, .step = pppoe_step};
