// CAPWAP data, RFC 5415 section 4.3: frames of wireless stations, as IEEE 802.3 or 802.11. What is
// encrypted (section 4.2) or a fragment of CAPWAP's own stays payload of the UDP conversation.
#include "decode/plausible.h"

enum {
    CAPWAP_PORT = 5247,
    CAPWAP_NATIVE = 0x000100, // of the 24 bits behind the preamble: the T bit
    CAPWAP_FRAGMENT = 0x000080,
    CAPWAP_KEEPALIVE = 0x000008,
    CAPWAP_RESERVED = 0x000007,
    CAPWAP_SIZE_MIN = 8,
    CAPWAP_BINDING_WLAN = 1,
};

static bool plausible_wlan(struct reader r)
{
    uint8_t control = read_u8(&r);
    return !r.bad && (control & 0x0f) == 0x08; // version 0, data
}

static enum layer_result capwap_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t preamble = read_u8(&r);
    uint32_t bits = read_be24(&r);
    size_t size = (size_t)(bits >> 19) * 4;
    if (r.bad || preamble || size < CAPWAP_SIZE_MIN) return layer_no_tunnel(w);
    read_bytes(&r, size - 4);
    if (r.bad || bits & (CAPWAP_FRAGMENT | CAPWAP_KEEPALIVE | CAPWAP_RESERVED))
        return layer_no_tunnel(w);
    bool is_wlan = bits & CAPWAP_NATIVE && (bits >> 9 & 0x1f) == CAPWAP_BINDING_WLAN;
    bool is_plausible = is_wlan ? plausible_wlan(r) : certain_ethernet(w, r);
    if (!is_plausible) return layer_no_tunnel(w);
    w->r = r;
    return layer_enter(w, TUNNEL_CAPWAP, SPACE_LINK, is_wlan ? LINK_WLAN : LINK_ETHERNET);
}

static const struct layer_key keys[] = {{SPACE_UDP, CAPWAP_PORT}, {SPACE_END, 0}};
const struct layer capwap_layer = {.name = "capwap", .keys = keys, .step = capwap_step};
