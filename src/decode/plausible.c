#include "decode/plausible.h"

#include "base/checksum.h"

enum { IPV4_SIZE_MIN = 20, IPV6_SIZE = 40, ETHERNET_ADDRESSES_SIZE = 12, LLC_SIZE = 3 };
enum { ETHERTYPE_ARP = 0x0806 };

bool plausible_ipv4(const struct walk *w, struct reader r, bool exact)
{
    uint64_t sent = sent_from(w, &r);
    struct reader h = r;
    uint8_t version_size = read_u8(&h);
    read_u8(&h); // type of service
    uint16_t length = read_be16(&h);
    size_t size = (size_t)(version_size & 15) * 4;
    read_bytes(&r, size);
    if (r.bad || version_size >> 4 != 4 || size < IPV4_SIZE_MIN || length < size) return false;
    return exact ? length == sent : length <= sent;
}

bool plausible_ipv6(const struct walk *w, struct reader r, bool exact)
{
    uint64_t sent = sent_from(w, &r);
    struct reader h = read_sub(&r, IPV6_SIZE);
    uint32_t first = read_be32(&h);
    uint64_t length = (uint64_t)read_be16(&h) + IPV6_SIZE;
    if (h.bad || first >> 28 != 6) return false;
    return exact ? length == sent : length <= sent;
}

bool plausible_ip(const struct walk *w, struct reader r, bool exact)
{
    uint16_t type = ip_ethertype(r);
    if (type == ETHERTYPE_IPV4) return plausible_ipv4(w, r, exact);
    return type == ETHERTYPE_IPV6 && plausible_ipv6(w, r, exact);
}

bool certain_ip(const struct walk *w, struct reader r, bool exact)
{
    if (!plausible_ip(w, r, exact)) return false;
    struct reader h = r;
    uint8_t version_size = read_u8(&h);
    if (version_size >> 4 == 6) return true;
    return internet_sum(0, read_bytes(&r, (size_t)(version_size & 15) * 4)) == 0xffff;
}

static uint16_t ethernet_type(struct reader *r)
{
    read_bytes(r, ETHERNET_ADDRESSES_SIZE);
    return read_be16(r);
}

bool plausible_ethernet(const struct walk *w, struct reader r)
{
    uint16_t type = ethernet_type(&r);
    bool is_length = type >= LLC_SIZE && type <= sent_from(w, &r);
    return !r.bad && (type >= ETHERTYPE_MIN || is_length);
}

bool certain_ethernet(const struct walk *w, struct reader r)
{
    for (unsigned tags = 0; tags < SCOPE_VLANS_MAX; tags++) {
        uint16_t type = tags ? read_be16(&r) : ethernet_type(&r);
        if (r.bad) return false;
        if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6)
            return ip_ethertype(r) == type && certain_ip(w, r, false);
        if (type == ETHERTYPE_ARP) return read_be32(&r) == 0x00010800; // Ethernet and IPv4
        if (type != 0x8100 && type != 0x88a8) return false;
        read_be16(&r); // tag
    }
    return false;
}

bool plausible_ppp(struct reader r)
{
    uint16_t first = read_be16(&r);
    if (first == 0xff03) first = read_be16(&r);
    if (r.bad) return false;
    // RFC 1661 section 2: the first of two bytes is even, the last odd.
    bool is_compressed = first >> 8 & 1;
    return is_compressed ? first >> 8 == 0x21 || first >> 8 == 0x57 : (first & 0x0101) == 0x0001;
}
