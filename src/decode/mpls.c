// MPLS, RFC 3032 section 2.1. Labels are one-way and do not tell conversations apart. What lies
// below the stack has no type field: 4 and 6 in the first four bits are taken for IP, as RFC 4928
// section 3 asks of pseudowires to avoid. In UDP, RFC 7510 section 3.
#include "decode/plausible.h"

enum { MPLS_UDP_PORT = 6635, MPLS_ENTRY_SIZE = 4, MPLS_LABELS_MAX = 16, MPLS_BOTTOM = 0x100 };

static enum layer_result mpls_content(struct walk *w, struct reader r)
{
    bool is_tunnel = w->space == SPACE_UDP;
    uint16_t type = ip_ethertype(r);
    if (is_tunnel && !plausible_ip(w, r, false) && !certain_ethernet(w, r))
        return layer_no_tunnel(w);
    w->r = r;
    enum layer_space space = type ? SPACE_ETHERTYPE : SPACE_INSIDE;
    uint16_t number = type ? type : INSIDE_PSEUDOWIRE;
    if (is_tunnel) return layer_enter(w, TUNNEL_MPLS_UDP, space, number);
    return reader_left(&r) ? layer_next(w, space, number) : layer_short(w, 1);
}

static enum layer_result mpls_step(struct walk *w)
{
    struct reader r = w->r;
    for (unsigned i = 0; i < MPLS_LABELS_MAX; i++) {
        uint32_t entry = read_be32(&r);
        if (r.bad) break;
        if (entry & MPLS_BOTTOM) return mpls_content(w, r);
    }
    if (w->space == SPACE_UDP) return layer_no_tunnel(w);
    if (!r.bad) return layer_end(w, REASON_TOO_MANY_LAYERS);
    return layer_short(w, reader_left(&w->r) + MPLS_ENTRY_SIZE);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, 0x8847}, {SPACE_ETHERTYPE, 0x8848},  {SPACE_PPP, 0x0281},
    {SPACE_PPP, 0x0283},       {SPACE_UDP, MPLS_UDP_PORT}, {SPACE_END, 0},
};
const struct layer mpls_layer = {.name = "mpls", .keys = keys, .step = mpls_step};
