// ARP, RFC 826, and reverse ARP, RFC 903: counted.
#include "decode/layer.h"

enum { ETHERTYPE_RARP = 0x8035 };

static enum layer_result arp_step(struct walk *w)
{
    return layer_end(w, w->number == ETHERTYPE_RARP ? REASON_RARP : REASON_ARP);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, 0x0806}, {SPACE_ETHERTYPE, ETHERTYPE_RARP}, {SPACE_END, 0}};
const struct layer arp_layer = {.name = "arp", .keys = keys, .step = arp_step};
