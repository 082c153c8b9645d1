// MPLS, RFC 3032 section 2.1. Labels are one-way and do not tell conversations apart. What lies
// below the stack has no type field: 4 and 6 in the first four bits are taken for IP, as RFC 4928
// section 3 asks of pseudowires to avoid.
#include "decode/layer.h"

enum { MPLS_ENTRY_SIZE = 4, MPLS_LABELS_MAX = 16, MPLS_BOTTOM = 0x100 };

static enum layer_result mpls_content(struct walk *w)
{
    struct reader r = w->r;
    uint8_t version = read_u8(&r) >> 4;
    if (r.bad) return layer_short(w, 1);
    if (version == 4) return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV4);
    if (version == 6) return layer_next(w, SPACE_ETHERTYPE, ETHERTYPE_IPV6);
    return layer_end(w, REASON_PSEUDOWIRE);
}

static enum layer_result mpls_step(struct walk *w)
{
    for (unsigned i = 0; i < MPLS_LABELS_MAX; i++) {
        struct reader r = w->r;
        uint32_t entry = read_be32(&r);
        if (r.bad) return layer_short(w, MPLS_ENTRY_SIZE);
        w->r = r;
        if (entry & MPLS_BOTTOM) return mpls_content(w);
    }
    return layer_end(w, REASON_TOO_MANY_LAYERS);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, 0x8847},
    {SPACE_ETHERTYPE, 0x8848},
    {SPACE_PPP, 0x0281},
    {SPACE_PPP, 0x0283},
    {SPACE_END, 0},
};
const struct layer mpls_layer = {.name = "mpls", .keys = keys, .step = mpls_step};
