// LLC, IEEE 802.2: service access points and a control field; SNAP (IEEE 802 10.3) behind 0xaa
// names an ethertype.
#include "decode/layer.h"

enum {
    LLC_SIZE = 3,
    SNAP_SIZE = 5,
    SAP_IP = 0x06,
    SAP_STP = 0x42,
    SAP_SNAP = 0xaa,
    SAP_IPX = 0xe0,
    SAP_NETBEUI = 0xf0,
    SAP_ISO = 0xfe,
    SAP_GLOBAL = 0xff, // where Novell's raw 802.3 has IPX's checksum, ffff

    OUI_ETHERNET = 0x000000,
    OUI_BRIDGE_TUNNEL = 0x0000f8, // IEEE 802.1H
    OUI_CISCO = 0x00000c,
    CISCO_PVST = 0x010b,
    CISCO_VLAN_BRIDGE = 0x010c,
};

static enum layer_result snap_step(struct walk *w)
{
    struct reader r = w->r;
    uint32_t organisation = read_be24(&r);
    uint16_t protocol = read_be16(&r);
    if (r.bad) return layer_short(w, SNAP_SIZE);
    w->r = r;
    bool is_ethertype = organisation == OUI_ETHERNET || organisation == OUI_BRIDGE_TUNNEL;
    if (is_ethertype && protocol >= ETHERTYPE_MIN) return layer_next(w, SPACE_ETHERTYPE, protocol);
    if (organisation != OUI_CISCO) return layer_end(w, REASON_LLC);
    bool is_stp = protocol == CISCO_PVST || protocol == CISCO_VLAN_BRIDGE;
    return layer_end(w, is_stp ? REASON_STP : REASON_CDP);
}

static enum layer_result llc_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t destination = read_u8(&r), source = read_u8(&r);
    uint8_t control = read_u8(&r);
    if (r.bad) return layer_short(w, LLC_SIZE);
    bool is_unnumbered = (control & 3) == 3; // the other forms of the control field have two bytes
    if (!is_unnumbered) read_u8(&r);
    w->r = r;
    if (destination == SAP_SNAP && source == SAP_SNAP) return snap_step(w);
    if (destination == SAP_IP) return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV4);
    if (destination == SAP_STP) return layer_end(w, REASON_STP);
    if (destination == SAP_IPX || destination == SAP_GLOBAL) return layer_end(w, REASON_IPX);
    if (destination == SAP_NETBEUI) return layer_end(w, REASON_NETBEUI);
    return layer_end(w, destination == SAP_ISO ? REASON_ISO : REASON_LLC);
}

static const struct layer_key keys[] = {{SPACE_ETHERTYPE, ETHERTYPE_LLC}, {SPACE_END, 0}};
const struct layer llc_layer = {.name = "llc", .keys = keys, .step = llc_step};
