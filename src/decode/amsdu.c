// The frames of an IEEE 802.11 aggregate (A-MSDU), 9.3.2.2: addresses and length before each, and
// filled up to four bytes behind each but the last. The first is followed here, those behind it
// are packets of their own.
#include "decode/layer.h"

enum { AMSDU_ADDRESSES_SIZE = 12, AMSDU_HEADER_SIZE = AMSDU_ADDRESSES_SIZE + 2, AMSDU_UNIT = 4 };

static enum layer_result amsdu_step(struct walk *w)
{
    struct reader r = w->r;
    read_bytes(&r, AMSDU_ADDRESSES_SIZE);
    uint16_t length = read_be16(&r);
    if (r.bad) return layer_short(w, AMSDU_HEADER_SIZE);
    uint64_t left = walk_sent_left(w);
    size_t padded = (AMSDU_HEADER_SIZE + length + AMSDU_UNIT - 1) / AMSDU_UNIT * AMSDU_UNIT;
    struct reader rest = w->r;
    read_bytes(&rest, padded);
    if (reader_left(&rest) >= AMSDU_HEADER_SIZE && !rest.bad)
        walk_branch(w, rest, left - padded, SPACE_INSIDE, INSIDE_AMSDU);
    w->r = r;
    if (length < walk_sent_left(w)) walk_narrow(w, length);
    return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_LLC);
}

static const struct layer_key keys[] = {{SPACE_INSIDE, INSIDE_AMSDU}, {SPACE_END, 0}};
const struct layer amsdu_layer = {.name = "amsdu", .keys = keys, .step = amsdu_step};
