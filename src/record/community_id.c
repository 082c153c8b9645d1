#include "record/community_id.h"

#include <assert.h>

#include "base/buf.h"
#include "base/hash.h"

enum { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_ICMPV6 = 58, IP_SCTP = 132 };

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
    for (; b.n; b = bytes_after(b, 3)) {
        uint32_t v = (uint32_t)b.p[0] << 16;
        if (b.n > 1) v |= (uint32_t)b.p[1] << 8;
        if (b.n > 2) v |= b.p[2];
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = b.n > 1 ? digits[v >> 6 & 63] : '=';
        *out++ = b.n > 2 ? digits[v & 63] : '=';
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

// RFC 792, 950, 1256; RFC 4443, 4861, 2710, 4620, 6275.
static const uint8_t icmp_pairs[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
static const uint8_t icmpv6_pairs[][2] = {{128, 129}, {133, 134}, {135, 136},
                                          {130, 131}, {139, 140}, {144, 145}};

bool icmp_counterpart(uint32_t proto, uint8_t type, uint8_t *other)
{
    bool v6 = proto == IP_ICMPV6;
    const uint8_t(*pairs)[2] = v6 ? icmpv6_pairs : icmp_pairs;
    size_t count = v6 ? sizeof icmpv6_pairs / 2 : sizeof icmp_pairs / 2;
    for (size_t i = 0; i < count; i++) {
        if (type != pairs[i][0] && type != pairs[i][1]) continue;
        *other = type == pairs[i][0] ? pairs[i][1] : pairs[i][0];
        return true;
    }
    return false;
}

static bool is_one_way(const struct community_tuple *t)
{
    uint8_t other;
    if (t->proto != IP_ICMP && t->proto != IP_ICMPV6) return false;
    return !icmp_counterpart(t->proto, (uint8_t)t->src_port, &other) || other != t->dst_port;
}

void community_id_of_tuple(const struct community_tuple *t, char out[COMMUNITY_ID_SIZE])
{
    struct conversation_key key = {t->src, t->dst, t->src_port, t->dst_port, t->proto, 0};
    int order = address_compare(t->src, t->dst);
    bool lower_first = order < 0 || (order == 0 && t->src_port <= t->dst_port);
    if (!lower_first && !is_one_way(t))
        key = (struct conversation_key){t->dst, t->src, t->dst_port, t->src_port, t->proto, 0};
    community_id_of(&key, 0, out);
}

bool community_id_fields(const struct record_kind *kind, unsigned fields[COMMUNITY_FIELDS])
{
    static const char *const names[COMMUNITY_FIELDS] = {"src_addr", "src_port", "dst_addr",
                                                        "dst_port", "proto"};
    for (unsigned i = 0; i < COMMUNITY_FIELDS; i++) {
        int field = kind_field(kind, bytes_text(names[i]));
        if (field < 0) return false;
        fields[i] = (unsigned)field;
    }
    return true;
}
