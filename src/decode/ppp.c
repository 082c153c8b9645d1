// PPP, RFC 1661 section 2, with or without the address and control bytes of RFC 1662 section 3.1.
// LINKTYPE_PPP (9), PPP_HDLC (50), and with a byte of direction in front PPP_PPPD (166) and
// PPP_WITH_DIR (204).
#include "decode/layer.h"

enum {
    LINK_PPP_HDLC = 50,
    LINK_PPP_PPPD = 166,
    LINK_PPP_WITH_DIRECTION = 204,
    HDLC_ALL_STATIONS = 0xff, // no PPP protocol begins with this, or with the next two
    CISCO_UNICAST = 0x0f,
    CISCO_MULTICAST = 0x8f,
    PPP_CONTROL_MIN = 0x8000, // network and link control protocols
};

// RFC 1661 section 6.5: a compressed protocol field is one byte, which is odd; the first of two is
// even.
static uint16_t ppp_protocol(struct reader *r)
{
    uint8_t first = read_u8(r);
    return first & 1 ? first : (uint16_t)(first << 8 | read_u8(r));
}

static enum layer_result ppp_step(struct walk *w)
{
    struct reader r = w->r;
    if (w->number == LINK_PPP_PPPD || w->number == LINK_PPP_WITH_DIRECTION) read_u8(&r);
    struct reader after_address = r;
    uint8_t address = read_u8(&after_address);
    read_u8(&after_address); // control
    bool is_cisco = address == CISCO_UNICAST || address == CISCO_MULTICAST;
    if (is_cisco) {
        w->r = r;
        return layer_next(w, SPACE_LINK, LINK_CISCO_HDLC);
    }
    if (address == HDLC_ALL_STATIONS) r = after_address;
    uint16_t protocol = ppp_protocol(&r);
    if (r.bad) return layer_short(w, reader_left(&w->r) + 1);
    w->r = r;
    if (protocol >= PPP_CONTROL_MIN) return layer_end(w, REASON_PPP_CONTROL);
    return layer_next(w, SPACE_PPP, protocol);
}

static const struct layer_key keys[] = {
    {SPACE_LINK, LINK_PPP},
    {SPACE_LINK, LINK_PPP_HDLC},
    {SPACE_LINK, LINK_PPP_PPPD},
    {SPACE_LINK, LINK_PPP_WITH_DIRECTION},
    {SPACE_END, 0},
};
const struct layer ppp_layer = {.name = "ppp", .keys = keys, .step = ppp_step};
