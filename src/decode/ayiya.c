// AYIYA, draft-massar-v6ops-ayiya-02 section 3: IP in UDP with an identity and a signature.
#include "decode/plausible.h"

enum { AYIYA_PORT = 5072, AYIYA_FORWARD = 1, AYIYA_IDENTITY_BITS_MAX = 6 };

static enum layer_result ayiya_step(struct walk *w)
{
    struct reader r = w->r;
    uint8_t identity = read_u8(&r), signature = read_u8(&r);
    uint8_t operation = read_u8(&r) & 15, next = read_u8(&r);
    read_be32(&r); // time
    unsigned identity_bits = identity >> 4;
    if (identity_bits > AYIYA_IDENTITY_BITS_MAX) return layer_no_tunnel(w);
    read_bytes(&r, (size_t)1 << identity_bits);
    read_bytes(&r, (size_t)(signature >> 4) * 4);
    uint16_t type = next == IP_IPV6 ? ETHERTYPE_IPV6 : next == IP_IN_IP ? ETHERTYPE_IPV4 : 0;
    bool is_plausible = !r.bad && operation == AYIYA_FORWARD && type && ip_ethertype(r) == type &&
                        plausible_ip(w, r, true);
    if (!is_plausible) return layer_no_tunnel(w);
    w->r = r;
    return layer_enter(w, TUNNEL_AYIYA, SPACE_ETHERTYPE, type);
}

static const struct layer_key keys[] = {{SPACE_UDP, AYIYA_PORT}, {SPACE_END, 0}};
const struct layer ayiya_layer = {.name = "ayiya", .keys = keys, .step = ayiya_step};
