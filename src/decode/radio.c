// What a receiver says of an IEEE 802.11 frame, before the frame: radiotap (LINKTYPE 127,
// radiotap.org), Prism (119) and AVS (163) headers. Only their lengths are read.
#include "decode/layer.h"

enum { RADIO_SIZE_MIN = 8, RADIO_SIZE_MAX = 4096, AVS_VERSION = 0x80211 };

static uint32_t radio_size(struct reader *r, uint16_t link_type)
{
    if (link_type == LINK_RADIOTAP) {
        read_be16(r); // version, pad
        uint32_t size = read_le16(r);
        read_be32(r);
        return size;
    }
    // A Prism header may be an AVS header; its own numbers are in the byte order of the receiver.
    bool is_avs = read_be32(r) >> 12 == AVS_VERSION;
    uint32_t size = read_be32(r);
    return is_avs || size <= RADIO_SIZE_MAX ? size : __builtin_bswap32(size);
}

static enum layer_result radio_step(struct walk *w)
{
    struct reader r = w->r;
    uint32_t size = radio_size(&r, w->number);
    if (r.bad) return layer_short(w, RADIO_SIZE_MIN);
    if (size < RADIO_SIZE_MIN || size > RADIO_SIZE_MAX) return layer_end(w, REASON_BAD_LENGTH);
    if (reader_left(&w->r) < size) return layer_short(w, size);
    read_bytes(&w->r, size);
    return layer_next(w, SPACE_LINK, LINK_WLAN);
}

static const struct layer_key keys[] = {{SPACE_LINK, LINK_RADIOTAP},
                                        {SPACE_LINK, LINK_PRISM},
                                        {SPACE_LINK, LINK_WLAN_AVS},
                                        {SPACE_END, 0}};
const struct layer radio_layer = {.name = "radio", .keys = keys, .step = radio_step};
