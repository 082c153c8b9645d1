// Frame relay: LINKTYPE_FRELAY (107). An address of 2 to 4 bytes (Q.922 section 3.2; the last has
// the lowest bit set), then a control byte and a protocol identifier (RFC 2427 section 3), or an
// ethertype, as Cisco has it. The circuit has one number for each end.
#include "decode/layer.h"

enum {
    LINK_FRAME_RELAY = 107,
    RELAY_ADDRESS_MAX = 4,
    RELAY_UNNUMBERED = 0x03,
    NLPID_Q933 = 0x08,
    NLPID_SNAP = 0x80,
    NLPID_ISO = 0x81, // and 0x82, 0x83
    NLPID_IPV6 = 0x8e,
    NLPID_IPV4 = 0xcc,
    NLPID_PPP = 0xcf,
};

static enum layer_result relay_snap(struct walk *w)
{
    struct reader r = w->r;
    uint32_t organisation = read_be24(&r);
    uint16_t type = read_be16(&r);
    if (r.bad) return layer_short(w, 5);
    w->r = r;
    if (organisation == 0) return layer_next(w, SPACE_ETHERTYPE, type);
    // RFC 2427 section 4.2: bridged Ethernet, with its check sequence (1) or without (7).
    bool is_bridged = organisation == 0x0080c2 && (type == 1 || type == 7);
    return is_bridged ? layer_next(w, SPACE_LINK, LINK_ETHERNET) : layer_end(w, REASON_LLC);
}

static enum layer_result relay_content(struct walk *w)
{
    struct reader r = w->r;
    uint8_t control = read_u8(&r), identifier = read_u8(&r);
    if (r.bad) return layer_short(w, 2);
    if (control != RELAY_UNNUMBERED) {
        w->r = r;
        return layer_next(w, SPACE_ETHERTYPE, (uint16_t)(control << 8 | identifier));
    }
    if (identifier == 0) identifier = read_u8(&r); // a pad, before what stands on even places
    if (r.bad) return layer_short(w, 3);
    w->r = r;
    switch (identifier) {
    case NLPID_IPV4:
        return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV4);
    case NLPID_IPV6:
        return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV6);
    case NLPID_PPP:
        return layer_next(w, SPACE_LINK, LINK_PPP);
    case NLPID_SNAP:
        return relay_snap(w);
    case NLPID_Q933:
        return layer_end(w, REASON_STATUS);
    default:
        return layer_end(w, identifier >> 2 == NLPID_ISO >> 2 ? REASON_ISO : REASON_UNKNOWN_FAMILY);
    }
}

static enum layer_result frame_relay_step(struct walk *w)
{
    struct reader r = w->r;
    unsigned i = 0;
    while (!(read_u8(&r) & 1) && !r.bad && ++i < RELAY_ADDRESS_MAX) continue;
    if (r.bad) return layer_short(w, 2);
    if (i == 0 || i == RELAY_ADDRESS_MAX) return layer_end(w, REASON_BAD_LENGTH);
    w->r = r;
    return relay_content(w);
}

static const struct layer_key keys[] = {{SPACE_LINK, LINK_FRAME_RELAY}, {SPACE_END, 0}};
const struct layer frame_relay_layer = {
    .name = "frame_relay", .keys = keys, .step = frame_relay_step};
