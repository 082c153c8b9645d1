#include "decode/community_id.h"

#include <assert.h>

#include "base/buf.h"
#include "base/hash.h"
#include "decode/layer.h"

static void put_be(struct buf *b, uint64_t v, unsigned n)
{
    while (n-- > 0) buf_u8(b, (uint8_t)(v >> 8 * n));
}

static void put_address(struct buf *b, struct address a, bool is_v4)
{
    if (is_v4) {
        put_be(b, a.lo, 4);
        return;
    }
    put_be(b, a.hi, 8);
    put_be(b, a.lo, 8);
}

static bool has_ports(uint32_t proto)
{
    return proto == IP_TCP || proto == IP_UDP || proto == IP_SCTP || proto == IP_ICMP ||
           proto == IP_ICMPV6;
}

// RFC 4648 section 4.
static void base64_format(char *out, bytes b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct reader r = reader_of(b);
    while (reader_left(&r)) {
        size_t n = reader_left(&r) < 3 ? reader_left(&r) : 3;
        uint32_t v = (uint32_t)read_u8(&r) << 16;
        if (n > 1) v |= (uint32_t)read_u8(&r) << 8;
        if (n > 2) v |= read_u8(&r);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = n > 1 ? digits[v >> 6 & 63] : '=';
        *out++ = n > 2 ? digits[v & 63] : '=';
    }
    *out = 0;
}

void community_id_of(const struct conversation_key *key, uint16_t seed, char out[COMMUNITY_ID_SIZE])
{
    uint8_t image[2 + 16 + 16 + 2 + 4], digest[SHA1_SIZE];
    struct buf b = buf_on(image, sizeof image);
    bool is_v4 = address_is_v4(key->a) && address_is_v4(key->b);
    put_be(&b, seed, 2);
    put_address(&b, key->a, is_v4);
    put_address(&b, key->b, is_v4);
    put_be(&b, key->proto, 1);
    put_be(&b, 0, 1);
    if (has_ports(key->proto)) {
        put_be(&b, key->port_a, 2);
        put_be(&b, key->port_b, 2);
    }
    assert(!b.full);
    struct sha1 h;
    sha1_init(&h);
    sha1_add(&h, buf_bytes(&b));
    sha1_end(&h, digest);
    memcpy(out, "1:", 2);
    base64_format(out + 2, bytes_of(digest, sizeof digest));
}
