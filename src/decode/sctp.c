// SCTP, RFC 9260 section 3.1: the common header. Its chunks are the payload; has_transport stays
// false, as it speaks of TCP and UDP.
#include "decode/layer.h"

enum { SCTP_SIZE = 12 };

static enum layer_result sctp_step(struct walk *w)
{
    struct reader r = w->r;
    uint16_t src_port = read_be16(&r), dst_port = read_be16(&r);
    if (r.bad) return layer_short(w, 4);
    walk_conversation(w, src_port, dst_port, false);
    read_bytes(&r, SCTP_SIZE - 4);
    if (r.bad) return layer_short_transport(w, SCTP_SIZE);
    w->r = r;
    walk_payload(w);
    return layer_end(w, REASON_OK);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_SCTP}, {SPACE_END, 0}};
const struct layer sctp_layer = {.name = "sctp", .keys = keys, .step = sctp_step};
