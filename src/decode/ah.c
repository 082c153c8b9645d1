// IP authentication header, RFC 4302 section 2: what it protects follows in the clear.
#include "decode/layer.h"

enum { IP_AH = 51, AH_SIZE_MIN = 12 };

static enum layer_result ah_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t next = read_u8(&r);
    size_t size = ((size_t)read_u8(&r) + 2) * 4; // section 2.2: in words, less two
    if (r.bad) return layer_short(w, AH_SIZE_MIN);
    if (size < AH_SIZE_MIN) return layer_end(w, REASON_BAD_LENGTH);
    if (reader_left(&w->r) < size) return layer_short(w, size);
    read_bytes(&w->r, size);
    return layer_next_proto(w, next);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_AH}, {SPACE_END, 0}};
const struct layer ah_layer = {.name = "ah", .keys = keys, .step = ah_step};
