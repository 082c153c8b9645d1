// IEEE 802.11 data frames, 9.3.2.1: LINKTYPE_IEEE802_11 (105). An LLC header follows, or an
// aggregate (amsdu.c). Encrypted frames, management and control are counted.
#include "decode/layer.h"

enum {
    WLAN_VERSION_TYPE = 0x0f, // of the first byte
    WLAN_DATA = 0x08,         // version 0, type data
    WLAN_NO_DATA = 0x40,
    WLAN_QOS = 0x80,
    WLAN_TO_DS = 0x01, // of the second
    WLAN_FROM_DS = 0x02,
    WLAN_PROTECTED = 0x40,
    WLAN_ORDER = 0x80,
    WLAN_SIZE = 24,
    WLAN_ADDRESS_SIZE = 6,
    WLAN_HT_SIZE = 4,
    WLAN_AGGREGATE = 0x80, // of the quality of service field
    WLAN_FRAGMENT = 0x0f,  // of the sequence field
    LLC_SNAP = 0xaaaa,
};

static bool begins_snap(struct reader r)
{
    return read_be16(&r) == LLC_SNAP && !r.bad;
}

// Some cards pad the header to words, and say so in a header that is gone by now.
static void wlan_skip_padding(struct walk *w)
{
    struct reader r = w->r;
    read_be16(&r);
    if (!begins_snap(w->r) && begins_snap(r)) w->r = r;
}

static enum layer_result wlan_content(struct walk *w, bool is_aggregate)
{
    wlan_skip_padding(w);
    if (is_aggregate) return layer_next(w, SPACE_INSIDE, INSIDE_AMSDU);
    return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_LLC);
}

static enum layer_result wlan_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t type = read_u8(&r), flags = read_u8(&r);
    if (r.bad) return layer_short(w, 2);
    if ((type & WLAN_VERSION_TYPE) != WLAN_DATA || type & WLAN_NO_DATA)
        return layer_end(w, REASON_WLAN_CONTROL);
    read_bytes(&r, WLAN_SIZE - 4);
    uint8_t fragment = read_u8(&r) & WLAN_FRAGMENT;
    read_u8(&r);
    if (flags & WLAN_TO_DS && flags & WLAN_FROM_DS) read_bytes(&r, WLAN_ADDRESS_SIZE);
    uint8_t quality = type & WLAN_QOS ? read_u8(&r) : 0;
    if (type & WLAN_QOS) read_u8(&r);
    if (type & WLAN_QOS && flags & WLAN_ORDER) read_bytes(&r, WLAN_HT_SIZE);
    if (r.bad) return layer_short(w, WLAN_SIZE);
    if (flags & WLAN_PROTECTED) return layer_end(w, REASON_WLAN_PROTECTED);
    if (fragment) return layer_end(w, REASON_WLAN_CONTROL); // its LLC header was in the first
    w->r = r;
    return wlan_content(w, quality & WLAN_AGGREGATE);
}

static const struct layer_key keys[] = {{SPACE_LINK, LINK_WLAN}, {SPACE_END, 0}};
const struct layer wlan_layer = {.name = "wlan", .keys = keys, .step = wlan_step};
