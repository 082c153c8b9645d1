// Per-packet information: LINKTYPE_PPI (192), as the link-layer header types of tcpdump.org refer
// to it: version, flags, length of all of the header, link type of what follows; little-endian.
#include "decode/layer.h"

enum { PPI_SIZE = 8 };

static enum layer_result ppi_step(struct walk *w)
{
    struct reader r = w->r;
    read_bytes(&r, 2);
    uint16_t length = read_le16(&r);
    uint32_t link = read_le32(&r);
    if (r.bad) return layer_short(w, PPI_SIZE);
    if (length < PPI_SIZE) return layer_end(w, REASON_BAD_LENGTH);
    if (link > UINT16_MAX) return layer_end(w, REASON_UNKNOWN_LINK_TYPE);
    read_bytes(&r, length - PPI_SIZE);
    if (r.bad) return layer_short(w, length);
    w->r = r;
    return layer_next(w, SPACE_LINK, (uint16_t)link);
}

static const struct layer_key keys[] = {{SPACE_LINK, 192}, {SPACE_END, 0}};
const struct layer ppi_layer = {.name = "ppi", .keys = keys, .step = ppi_step};
