// ESP, RFC 4303 section 2, on its protocol number and in UDP (RFC 3948 section 2.1). Nothing in a
// packet says whether it is encrypted (RFC 5879 section 1), so it is taken for NULL encryption (RFC
// 2410) only where what is inside proves it: for one of the usual lengths of the integrity check
// the trailer's padding is 1, 2, 3, ..., and the datagram in it has the right length and checksum.
// The rest stays payload. Transport mode is no tunnel: the conversation is that of the two hosts.
#include "base/checksum.h"
#include "decode/plausible.h"

enum {
    ESP_UDP_PORT = 4500,
    ESP_SIZE = 8, // security parameters index, sequence number
    ESP_TRAILER_SIZE = 2,
    UDP_LENGTH_AT = 4,
    UDP_CHECKSUM_AT = 6,
    UDP_SIZE = 8,
    TCP_SIZE_MIN = 20,
};

// The sum of RFC 9293 section 3.1 and RFC 8200 section 8.1 over what stands before the segment.
static uint64_t pseudo_sum(const struct walk *w, uint8_t proto, size_t length)
{
    uint64_t words[] = {w->src.hi, w->src.lo, w->dst.hi, w->dst.lo}, sum = proto + length;
    for (unsigned i = 0; i < 4; i++) {
        // What marks an address as IPv4 is not part of it.
        uint64_t v = !w->is_v6 && i % 2 ? (uint32_t)words[i] : words[i];
        for (unsigned shift = 0; shift < 64; shift += 16) sum += v >> shift & 0xffff;
    }
    return sum;
}

static bool is_udp(const struct walk *w, bytes b)
{
    struct reader r = reader_of(b), c = r;
    read_bytes(&r, UDP_LENGTH_AT);
    read_bytes(&c, UDP_CHECKSUM_AT);
    uint16_t length = read_be16(&r), checksum = read_be16(&c);
    if (c.bad || length != b.n || length < UDP_SIZE || !checksum) return false;
    return internet_sum(pseudo_sum(w, IP_UDP, b.n), b) == 0xffff;
}

static bool is_content(struct walk *w, uint8_t next, bytes b)
{
    struct walk inside = *w;
    inside.r = reader_of(b);
    inside.sent_end = walk_offset(&inside) + b.n;
    switch (next) {
    case IP_IN_IP:
        return ip_ethertype(inside.r) == ETHERTYPE_IPV4 && certain_ip(&inside, inside.r, true);
    case IP_IPV6:
        return plausible_ipv6(&inside, inside.r, true);
    case IP_UDP:
        return is_udp(w, b);
    case IP_TCP:
        return b.n >= TCP_SIZE_MIN && internet_sum(pseudo_sum(w, IP_TCP, b.n), b) == 0xffff;
    case IP_ICMP:
        return b.n >= ESP_SIZE && internet_sum(0, b) == 0xffff;
    case IP_ICMPV6:
        return b.n >= ESP_SIZE && internet_sum(pseudo_sum(w, IP_ICMPV6, b.n), b) == 0xffff;
    default:
        return false;
    }
}

// Reads the trailer before `check` bytes of integrity check; true when all of it fits.
static bool esp_try(struct walk *w, bytes all, size_t check, bytes *content, uint8_t *next)
{
    if (all.n < check + ESP_TRAILER_SIZE) return false;
    struct reader r = reader_of(bytes_after(all, all.n - check - ESP_TRAILER_SIZE));
    size_t padding = read_u8(&r);
    *next = read_u8(&r);
    size_t rest = all.n - check - ESP_TRAILER_SIZE;
    if (padding > rest) return false;
    *content = bytes_first(all, rest - padding);
    r = reader_of(bytes_first(bytes_after(all, rest - padding), padding));
    for (size_t i = 1; i <= padding; i++)
        if (read_u8(&r) != i) return false;
    return is_content(w, *next, *content);
}

static enum layer_result esp_step(struct walk *w)
{
    static const uint8_t checks[] = {12, 16, 24, 32}; // RFC 2403, 2404, 4868
    if (w->space == SPACE_IP) walk_portless(w);
    struct reader r = w->r;
    uint32_t index = read_be32(&r);
    read_be32(&r); // sequence number
    if (r.bad || !index || sent_from(w, &r) != reader_left(&r)) return layer_no_tunnel(w);
    bytes content;
    uint8_t next;
    for (size_t i = 0; i < sizeof checks; i++) {
        if (!esp_try(w, reader_rest(&r), checks[i], &content, &next)) continue;
        w->r = reader_of(content);
        w->sent_end = walk_offset(w) + content.n;
        if (next == IP_IN_IP || next == IP_IPV6)
            return layer_enter(w, TUNNEL_ESP, SPACE_ETHERTYPE,
                               next == IP_IN_IP ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
        if (w->space == SPACE_IP) return layer_next_proto(w, next);
        break;
    }
    return layer_no_tunnel(w);
}

static const struct layer_key keys[] = {
    {SPACE_IP, IP_ESP}, {SPACE_UDP, ESP_UDP_PORT}, {SPACE_END, 0}};
const struct layer esp_layer = {.name = "esp", .keys = keys, .step = esp_step};
