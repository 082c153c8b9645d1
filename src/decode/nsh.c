// Network service header, RFC 8300 section 2: a path through services. It tells nothing apart.
#include "decode/layer.h"

enum {
    NSH_SIZE_MIN = 8,
    NSH_SIZE = 0x3f, // in words
};

static enum layer_result nsh_step(struct walk *w)
{
    struct reader r = w->r;
    uint16_t base = read_be16(&r);
    read_u8(&r); // type of metadata
    uint8_t next = read_u8(&r);
    size_t size = (size_t)(base & NSH_SIZE) * 4;
    if (r.bad) return layer_short(w, NSH_SIZE_MIN);
    if (base >> 14) return layer_end(w, REASON_BAD_VERSION);
    if (size < NSH_SIZE_MIN) return layer_end(w, REASON_BAD_LENGTH);
    if (reader_left(&w->r) < size) return layer_short(w, size);
    read_bytes(&w->r, size);
    if (next == NEXT_ETHERNET) return layer_next(w, SPACE_LINK, LINK_ETHERNET);
    uint16_t type = next_protocol_ethertype(next);
    if (!type) return layer_end(w, REASON_UNKNOWN_ETHERTYPE);
    return layer_next(w, SPACE_ETHERTYPE, type);
}

static const struct layer_key keys[] = {{SPACE_ETHERTYPE, ETHERTYPE_NSH}, {SPACE_END, 0}};
const struct layer nsh_layer = {.name = "nsh", .keys = keys, .step = nsh_step};
