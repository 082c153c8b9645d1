// IPv4, RFC 791 section 3.1.
#include "decode/fragments.h"
#include "decode/layer.h"

enum { IPV4_SIZE_MIN = 20, IPV4_MORE_FRAGMENTS = 0x2000, IPV4_FRAGMENT_OFFSET = 0x1fff };

// The datagram begins at walk.r; its length field is 0 where the network card cut up what was
// captured whole (TSO): then it is what the frame holds.
static uint64_t ipv4_length(const struct walk *w, uint16_t total_length)
{
    return total_length ? total_length : walk_sent_left(w);
}

static void ipv4_fields(struct walk *w, uint8_t tos, uint8_t ttl, uint64_t length)
{
    struct packet *p = w->packet;
    p->network_offset = (uint16_t)walk_offset(w);
    p->ip_length = (uint32_t)length;
    p->tos = tos;
    p->ttl = ttl;
    w->is_v6 = false;
}

static enum layer_result ipv4_step(struct walk *w)
{
    struct reader h = w->r;
    h = read_sub(&h, IPV4_SIZE_MIN);
    if (h.bad) return layer_short(w, IPV4_SIZE_MIN);
    uint8_t version_size = read_u8(&h), tos = read_u8(&h);
    uint16_t total_length = read_be16(&h);
    uint16_t identification = read_be16(&h), fragment = read_be16(&h);
    uint8_t ttl = read_u8(&h), proto = read_u8(&h);
    read_bytes(&h, 2); // checksum
    w->src = address_v4(read_be32(&h));
    w->dst = address_v4(read_be32(&h));

    size_t size = (size_t)(version_size & 15) * 4;
    uint64_t length = ipv4_length(w, total_length);
    if (version_size >> 4 != 4) return layer_end(w, REASON_BAD_VERSION);
    if (size < IPV4_SIZE_MIN || length < size) return layer_end(w, REASON_BAD_LENGTH);
    if (reader_left(&w->r) < size) return layer_short(w, size);
    ipv4_fields(w, tos, ttl, length);
    walk_narrow(w, length);
    bytes header = read_bytes(&w->r, size);
    if (layer_next_proto(w, proto) == LAYER_END) return LAYER_END;
    if (!(fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET))) return LAYER_NEXT;
    struct fragment f = {.identification = identification,
                         .offset = (fragment & IPV4_FRAGMENT_OFFSET) * 8u,
                         .more = fragment & IPV4_MORE_FRAGMENTS,
                         .proto = proto,
                         .header = header};
    return walk_fragment(w, &f);
}

static const struct layer_key keys[] = {
    {SPACE_ETHERTYPE, ETHERTYPE_IPV4}, {SPACE_PPP, 0x0021}, {SPACE_LINK, 228}, {SPACE_END, 0}};
const struct layer ipv4_layer = {.name = "ipv4", .keys = keys, .step = ipv4_step};
