// TZSP (TaZmen sniffer protocol): mirrored frames in UDP, behind tagged fields.
#include "decode/plausible.h"

enum {
    TZSP_PORT = 37008,
    TZSP_VERSION = 1,
    TZSP_TYPE_MAX = 1, // received, or to be sent
    TZSP_TAG_PAD = 0,
    TZSP_TAG_END = 1,
    TZSP_TAGS_MAX = 32,
    TZSP_ETHERNET = 1,
    TZSP_WLAN = 18,
    TZSP_PRISM = 119,
    TZSP_WLAN_AVS = 127,
};

static void tzsp_skip_tags(struct reader *r)
{
    for (unsigned i = 0; i < TZSP_TAGS_MAX && !r->bad; i++) {
        uint8_t tag = read_u8(r);
        if (tag == TZSP_TAG_END) return;
        if (tag != TZSP_TAG_PAD) read_bytes(r, read_u8(r));
    }
    r->bad = true;
}

static uint16_t tzsp_link(uint16_t protocol)
{
    switch (protocol) {
    case TZSP_ETHERNET:
        return LINK_ETHERNET;
    case TZSP_WLAN:
        return LINK_WLAN;
    case TZSP_PRISM:
        return LINK_PRISM;
    case TZSP_WLAN_AVS:
        return LINK_WLAN_AVS;
    default:
        return 0;
    }
}

static enum layer_result tzsp_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t version = read_u8(&r), type = read_u8(&r);
    uint16_t link = tzsp_link(read_be16(&r));
    if (r.bad || version != TZSP_VERSION || type > TZSP_TYPE_MAX || !link)
        return layer_no_tunnel(w);
    tzsp_skip_tags(&r);
    if (r.bad || (link == LINK_ETHERNET && !plausible_ethernet(w, r))) return layer_no_tunnel(w);
    w->r = r;
    return layer_enter(w, TUNNEL_TZSP, SPACE_LINK, link);
}

static const struct layer_key keys[] = {{SPACE_UDP, TZSP_PORT}, {SPACE_END, 0}};
const struct layer tzsp_layer = {.name = "tzsp", .keys = keys, .step = tzsp_step};
