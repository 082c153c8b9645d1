#include "filter/aliases.h"

enum { TCP = 6, UDP = 17, ICMP = 1, ICMPV6 = 58 };

#define FIELD(name, field)                                                                         \
    {                                                                                              \
        name, ALIAS_FIELD, field, NULL, NULL, 0, false, false                                      \
    }
#define OF_KIND(name, kind, field)                                                                 \
    {                                                                                              \
        name, ALIAS_FIELD, field, NULL, kind, 0, false, false                                      \
    }
#define OVER(name, protocol, field)                                                                \
    {                                                                                              \
        name, ALIAS_FIELD, field, NULL, NULL, protocol, false, false                               \
    }
#define EITHER(name, field, other)                                                                 \
    {                                                                                              \
        name, ALIAS_EITHER, field, other, NULL, 0, false, false                                    \
    }
#define EITHER_OVER(name, protocol, field, other)                                                  \
    {                                                                                              \
        name, ALIAS_EITHER, field, other, NULL, protocol, false, false                             \
    }
#define DIRECT(name, field)                                                                        \
    {                                                                                              \
        name, ALIAS_FIELD, field, NULL, NULL, 0, true, false                                       \
    }
#define DIRECT_EITHER(name, field, other)                                                          \
    {                                                                                              \
        name, ALIAS_EITHER, field, other, NULL, 0, true, false                                     \
    }
#define ONLY_DIRECT(name, field, other)                                                            \
    {                                                                                              \
        name, ALIAS_EITHER, field, other, NULL, 0, true, true                                      \
    }
#define SUM(name, field, other)                                                                    \
    {                                                                                              \
        name, ALIAS_SUM, field, other, NULL, 0, false, false                                       \
    }
#define DIFFERENCE(name, field, other)                                                             \
    {                                                                                              \
        name, ALIAS_DIFFERENCE, field, other, NULL, 0, false, false                                \
    }

// Of several rows with one name the first that a kind has the fields for is taken.
const struct alias aliases[] = {
    // computed
    DIFFERENCE("duration", "last_seen", "first_seen"),
    SUM("bytes", "src_bytes", "dst_bytes"),
    SUM("packets", "src_packets", "dst_packets"),
    SUM("payload_bytes", "src_payload_bytes", "dst_payload_bytes"),
    // Wireshark
    FIELD("frame.time", "ts"),
    FIELD("frame.time", "first_seen"),
    FIELD("ip.src", "src_addr"),
    FIELD("ip.dst", "dst_addr"),
    EITHER("ip.addr", "src_addr", "dst_addr"),
    FIELD("ipv6.src", "src_addr"),
    FIELD("ipv6.dst", "dst_addr"),
    EITHER("ipv6.addr", "src_addr", "dst_addr"),
    FIELD("ip.proto", "proto"),
    OVER("tcp.srcport", TCP, "src_port"),
    OVER("tcp.dstport", TCP, "dst_port"),
    EITHER_OVER("tcp.port", TCP, "src_port", "dst_port"),
    OVER("udp.srcport", UDP, "src_port"),
    OVER("udp.dstport", UDP, "dst_port"),
    EITHER_OVER("udp.port", UDP, "src_port", "dst_port"),
    OVER("icmp.type", ICMP, "src_port"),
    OVER("icmp.code", ICMP, "dst_port"),
    OVER("icmpv6.type", ICMPV6, "src_port"),
    OVER("icmpv6.code", ICMPV6, "dst_port"),
    FIELD("vlan.id", "vlan"),
    OF_KIND("http.request.method", "http", "method"),
    OF_KIND("http.request.uri", "http", "uri"),
    OF_KIND("http.request.version", "http", "version"),
    OF_KIND("http.response.code", "http", "status_code"),
    OF_KIND("http.response.phrase", "http", "status_msg"),
    OF_KIND("http.response.version", "http", "response_version"),
    OF_KIND("http.referer", "http", "referrer"),
    OF_KIND("http.content_type", "http", "response_content_type"),
    OF_KIND("http.time", "http", "response_time"),
    OF_KIND("dns.id", "dns", "trans_id"),
    OF_KIND("dns.qry.name", "dns", "query"),
    OF_KIND("dns.qry.type", "dns", "qtype"),
    OF_KIND("dns.qry.class", "dns", "qclass"),
    OF_KIND("dns.flags.rcode", "dns", "rcode"),
    OF_KIND("dns.flags.opcode", "dns", "opcode"),
    OF_KIND("dns.flags.authoritative", "dns", "aa"),
    OF_KIND("dns.flags.truncated", "dns", "tc"),
    OF_KIND("dns.flags.recdesired", "dns", "rd"),
    OF_KIND("dns.flags.recavail", "dns", "ra"),
    OF_KIND("dns.a", "dns", "addresses"),
    OF_KIND("dns.aaaa", "dns", "addresses"),
    OF_KIND("dns.resp.ttl", "dns", "ttls"),
    OF_KIND("dns.time", "dns", "rtt"),
    OF_KIND("tls.handshake.extensions_server_name", "tls", "server_name"),
    OF_KIND("tls.handshake.ciphersuite", "tls", "cipher_num"),
    OF_KIND("tls.handshake.extensions_alpn_str", "tls", "client_alpn"),
    OF_KIND("tls.handshake.ja3", "tls", "ja3"),
    OF_KIND("tls.handshake.ja3s", "tls", "ja3s"),
    OF_KIND("tls.handshake.ja4", "tls", "ja4"),
    // Arkime
    DIRECT_EITHER("ip", "src_addr", "dst_addr"),
    DIRECT_EITHER("port", "src_port", "dst_port"),
    FIELD("port.src", "src_port"),
    FIELD("port.dst", "dst_port"),
    FIELD("ip.protocol", "proto"),
    FIELD("protocols", "service"),
    FIELD("packets.src", "src_packets"),
    FIELD("packets.dst", "dst_packets"),
    FIELD("bytes.src", "src_bytes"),
    FIELD("bytes.dst", "dst_bytes"),
    SUM("databytes", "src_payload_bytes", "dst_payload_bytes"),
    FIELD("databytes.src", "src_payload_bytes"),
    FIELD("databytes.dst", "dst_payload_bytes"),
    FIELD("starttime", "first_seen"),
    FIELD("starttime", "ts"),
    FIELD("stoptime", "last_seen"),
    OF_KIND("host.http", "http", "host"),
    OF_KIND("http.useragent", "http", "user_agent"),
    OF_KIND("http.statuscode", "http", "status_code"),
    OF_KIND("host.dns", "dns", "query"),
    OF_KIND("dns.host", "dns", "query"),
    OF_KIND("ip.dns", "dns", "addresses"),
    OF_KIND("dns.status", "dns", "rcode_name"),
    OF_KIND("dns.query.type", "dns", "qtype_name"),
    OF_KIND("dns.query.class", "dns", "qclass_name"),
    // nfdump, and tcpdump's words that it took over
    DIRECT("proto", "proto"),
    DIRECT("src ip", "src_addr"),
    DIRECT("dst ip", "dst_addr"),
    DIRECT("src host", "src_addr"),
    DIRECT("dst host", "dst_addr"),
    DIRECT("src net", "src_addr"),
    DIRECT("dst net", "dst_addr"),
    DIRECT("src port", "src_port"),
    DIRECT("dst port", "dst_port"),
    DIRECT("src packets", "src_packets"),
    DIRECT("dst packets", "dst_packets"),
    DIRECT("src bytes", "src_bytes"),
    DIRECT("dst bytes", "dst_bytes"),
    ONLY_DIRECT("host", "src_addr", "dst_addr"),
    ONLY_DIRECT("net", "src_addr", "dst_addr"),
};
const unsigned alias_count = sizeof aliases / sizeof aliases[0];

// The IANA's list of protocol numbers, as far as anybody types them.
static const struct {
    const char *name;
    uint8_t number;
} protocols[] = {
    {"icmp", ICMP}, {"igmp", 2},        {"ipip", 4},       {"ipencap", 4},
    {"tcp", TCP},   {"egp", 8},         {"udp", UDP},      {"dccp", 33},
    {"ipv6", 41},   {"rsvp", 46},       {"gre", 47},       {"esp", 50},
    {"ah", 51},     {"icmpv6", ICMPV6}, {"icmp6", ICMPV6}, {"ipv6-icmp", ICMPV6},
    {"eigrp", 88},  {"ospf", 89},       {"pim", 103},      {"vrrp", 112},
    {"l2tp", 115},  {"sctp", 132},      {"udplite", 136},
};
enum { PROTOCOL_COUNT = sizeof protocols / sizeof protocols[0] };

const char *alias_of_two_words(bytes first, bytes second)
{
    for (unsigned i = 0; i < alias_count; i++) {
        bytes name = bytes_text(aliases[i].name);
        size_t space = bytes_find(name, ' ');
        if (space == name.n) continue;
        if (bytes_equal(bytes_first(name, space), first) &&
            bytes_equal(bytes_after(name, space + 1), second))
            return aliases[i].name;
    }
    return NULL;
}

bool alias_is_direct(bytes name)
{
    for (unsigned i = 0; i < alias_count; i++)
        if (aliases[i].direct && bytes_equal(bytes_text(aliases[i].name), name)) return true;
    return false;
}

const char *protocol_name(uint8_t number)
{
    for (unsigned i = 0; i < PROTOCOL_COUNT; i++)
        if (protocols[i].number == number) return protocols[i].name;
    return NULL;
}

bool protocol_named(bytes name, uint8_t *number)
{
    for (unsigned i = 0; i < PROTOCOL_COUNT; i++) {
        if (!bytes_equal_nocase(name, bytes_text(protocols[i].name))) continue;
        *number = protocols[i].number;
        return true;
    }
    return false;
}
