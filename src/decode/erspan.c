// ERSPAN types II and III, mirrored frames in GRE (draft-foschiano-erspan-03 section 4). Sessions
// and the VLAN that is told beside the frame are not part of a conversation's key: the same
// conversation may be mirrored by many.
#include "decode/layer.h"

enum {
    ERSPAN_2 = 0x88be,
    ERSPAN_3 = 0x22eb,
    ERSPAN_2_SIZE = 8,
    ERSPAN_3_SIZE = 12,
    ERSPAN_3_MORE = 1, // the O bit
    ERSPAN_3_MORE_SIZE = 8,
};

static enum layer_result erspan_step(struct walk *w)
{
    bool is_third = w->number == ERSPAN_3;
    size_t size = is_third ? ERSPAN_3_SIZE : ERSPAN_2_SIZE;
    struct reader r = w->r;
    uint8_t version = read_u8(&r) >> 4;
    read_bytes(&r, size - 2);
    uint8_t last = read_u8(&r);
    if (is_third && last & ERSPAN_3_MORE) read_bytes(&r, ERSPAN_3_MORE_SIZE);
    if (r.bad) return layer_short(w, size);
    if (version != (is_third ? 2 : 1)) return layer_end(w, REASON_BAD_VERSION);
    w->r = r;
    return layer_next(w, SPACE_LINK, LINK_ETHERNET);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, ERSPAN_2}, {SPACE_ETHERTYPE, ERSPAN_3}, {SPACE_END, 0}};
const struct layer erspan_layer = {.name = "erspan", .keys = keys, .step = erspan_step};
