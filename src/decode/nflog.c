// Linux netfilter logs: LINKTYPE_NFLOG (239), as the link-layer header types of tcpdump.org
// describe it: address family, version, resource; then attributes, of which one is the IP packet.
// Lengths and types are in the byte order of whoever captured. Types are small, so the order shows.
#include "decode/layer.h"

enum { NFLOG_SIZE = 4, ATTRIBUTE_SIZE = 4, ATTRIBUTE_PAYLOAD = 9, ATTRIBUTES_MAX = 64 };

struct attribute {
    uint16_t length, type; // the length with this header, without padding
};

static bool attribute_read(struct reader *r, struct attribute *a)
{
    a->length = read_be16(r);
    a->type = read_be16(r);
    if (a->type <= 0xff) return !r->bad;
    a->length = __builtin_bswap16(a->length);
    a->type = __builtin_bswap16(a->type);
    return !r->bad;
}

static enum layer_result nflog_step(struct walk *w)
{
    read_bytes(&w->r, NFLOG_SIZE);
    for (unsigned i = 0; i < ATTRIBUTES_MAX; i++) {
        struct reader r = w->r;
        struct attribute a;
        if (!attribute_read(&r, &a)) return layer_short(w, ATTRIBUTE_SIZE);
        if (a.length < ATTRIBUTE_SIZE) return layer_end(w, REASON_BAD_LENGTH);
        if (a.type == ATTRIBUTE_PAYLOAD) {
            w->r = r;
            walk_narrow(w, a.length - ATTRIBUTE_SIZE);
            return layer_next(w, SPACE_LINK, LINK_RAW);
        }
        size_t padded = (a.length + 3u) & ~3u;
        read_bytes(&r, padded - ATTRIBUTE_SIZE);
        if (r.bad) return layer_short(w, padded);
        w->r = r;
    }
    return layer_end(w, REASON_TOO_MANY_LAYERS);
}

static const struct layer_key keys[] = {{SPACE_LINK, 239}, {SPACE_END, 0}};
const struct layer nflog_layer = {.name = "nflog", .keys = keys, .step = nflog_step};
