// Each link and network layer with a packet built byte by byte: decoded whole, and cut at every
// byte.
#include "decode/decode_test.h"

#include "decode/layer.h"

static struct trial trial;

// `prefix` in front of an IPv4 datagram with UDP from 1000 to 2000.
static void frame_around_udp(struct frame *f, const char *prefix)
{
    frame_hex(f, prefix);
    frame_ipv4(f, 1, 2, IP_UDP, 8 + 4);
    frame_udp(f, 1000, 2000, 4);
}

static void expect_udp(uint16_t link, const struct frame *f, size_t network)
{
    const struct packet *p = trial_decode_all(&trial, link, f);
    assert_string_equal(decode_reason_name(p->reason), "ok");
    assert_int_equal(p->key.port_a, 1000);
    assert_int_equal(p->key.port_b, 2000);
    assert_int_equal(p->payload_length, 4);
    assert_int_equal(p->network_offset, network);
    // Cut anywhere before the ports it can't be told; behind them the conversation is known.
    size_t ports_end = p->transport_offset + 4u;
    for (size_t n = 0; n < f->n; n++) {
        p = trial_decode(&trial, link, f, n, f->n);
        assert_int_equal(p->class_, n < ports_end ? PACKET_UNDECODABLE : PACKET_IP);
        if (n < ports_end) assert_string_equal(decode_reason_name(p->reason), "cut_header");
    }
}

static void expect_udp_behind(uint16_t link, const char *prefix)
{
    struct frame f = {.n = 0};
    frame_hex(&f, prefix);
    size_t network = f.n;
    f.n = 0;
    frame_around_udp(&f, prefix);
    expect_udp(link, &f, network);
}

static void expect_reason(uint16_t link, const char *hex, const char *reason)
{
    struct frame f = {.n = 0};
    frame_hex(&f, hex);
    frame_fill(&f, 0, 40);
    assert_string_equal(decode_reason_name(trial_decode_all(&trial, link, &f)->reason), reason);
}

static void expect_reason_of(uint16_t link, const struct frame *f, const char *reason)
{
    assert_string_equal(decode_reason_name(trial_decode_all(&trial, link, f)->reason), reason);
}

#define MACS "020000000001 020000000002 "

static void links_lead_to_ip(void **state)
{
    (void)state;
    expect_udp_behind(1, MACS "0800");
    expect_udp_behind(1, MACS "8100 0005 0800");
    expect_udp_behind(1, MACS "0028 aaaa03 000000 0800");
    expect_udp_behind(1, MACS "8100 0005 0028 aaaa03 0000f8 0800");
    expect_udp_behind(1, MACS "0023 060603");
    expect_udp_behind(12, "");
    expect_udp_behind(14, "");
    expect_udp_behind(101, "");
    expect_udp_behind(228, "");
    expect_udp_behind(0, "02000000");
    expect_udp_behind(0, "00000002");
    expect_udp_behind(108, "00000002");
    expect_udp_behind(113, "0000 0001 0006 0200000000010000 0800");
    expect_udp_behind(276, "0800 0000 00000002 0001 00 06 0200000000010000");
    expect_udp_behind(104, "0f00 0800");
}

// Both wrap a packet of another kind: an IPv4 datagram of 32 bytes.
static void wrappers_lead_to_what_they_wrap(void **state)
{
    (void)state;
    expect_udp_behind(239, "0200 002a 0800 0100 00000300 0500 0a00 00000000 2400 0900");
    expect_udp_behind(239, "0200 002a 0008 0001 00000300 0024 0009");
    expect_udp_behind(192, "0000 0800 65000000");
    expect_udp_behind(192, "0000 0c00 01000000 01020304 " MACS "0800");
}

static void wrappers_contradict_themselves(void **state)
{
    (void)state;
    expect_reason(239, "0200 002a 0300 0100", "bad_length");
    expect_reason(239, "0200 002a 0500 0900 10", "bad_version");
    expect_reason(192, "0000 0700 01000000", "bad_length");
    expect_reason(192, "0000 0800 00000100", "unknown_link_type");
    expect_reason(192, "0000 0800 e7030000", "unknown_link_type");
}

static void ppp_leads_to_ip(void **state)
{
    (void)state;
    expect_udp_behind(9, "0021");
    expect_udp_behind(9, "21");
    expect_udp_behind(9, "ff03 0021");
    expect_udp_behind(50, "ff03 0021");
    expect_udp_behind(9, "0f00 0800");
    expect_udp_behind(50, "0f00 0800");
    expect_udp_behind(204, "01 8f00 0800");
    expect_udp_behind(204, "01 ff03 0021");
    expect_udp_behind(166, "00 ff03 0021");
    expect_udp_behind(51, "1100 0001 0022 0021");
    expect_udp_behind(1, MACS "8864 1100 0001 0022 0021");
    expect_udp_behind(9, "0281 00010140");
}

static void ppp_and_pppoe_contradict_themselves(void **state)
{
    (void)state;
    expect_reason(9, "ff03 c021 0101", "ppp_control");
    expect_reason(9, "ff03 8021 0101", "ppp_control");
    expect_reason(9, "ff03 002d 0101", "unknown_ppp");
    expect_reason(1, MACS "8863 1109 0000 0004", "pppoe_discovery");
    expect_reason(1, MACS "8864 2100 0001 0022 0021", "bad_pppoe");
    expect_reason(1, MACS "8864 11a7 0001 0022 0021", "bad_pppoe");
    expect_reason(1, MACS "8864 1100 0001 0200 0021", "bad_length");
    expect_reason(104, "8f00 8035", "keepalive");
    expect_reason(104, "8f00 2000", "cdp");
}

static void mpls_guesses_ip(void **state)
{
    (void)state;
    expect_udp_behind(1, MACS "8847 00010140");
    expect_udp_behind(1, MACS "8848 00010040 00020040 00000140");
    expect_reason(1, MACS "8847 00010140 00000000", "pseudowire");
    struct frame f = {.n = 0};
    frame_hex(&f, MACS "8847");
    for (unsigned i = 0; i < 17; i++) frame_hex(&f, "00010040");
    expect_reason_of(1, &f, "too_many_layers");
}

static void what_is_not_ip_has_a_name(void **state)
{
    (void)state;
    expect_reason(1, MACS "0806 0001", "arp");
    expect_reason(1, MACS "8035 0001", "rarp");
    expect_reason(1, MACS "88cc 0001", "lldp");
    expect_reason(1, MACS "888e 0001", "eapol");
    expect_reason(1, MACS "8809 0001", "slow");
    expect_reason(1, MACS "8100 0001 88cc 0001", "lldp");
    expect_reason(1, MACS "0026 424203 0000", "stp");
    expect_reason(1, MACS "0026 aaaa03 00000c 010b", "stp");
    expect_reason(1, MACS "0026 aaaa03 00000c 2000", "cdp");
    expect_reason(1, MACS "0026 aaaa03 0080c2 0007", "llc");
    expect_reason(1, MACS "0026 e0e003", "ipx");
    expect_reason(1, MACS "0026 ffff 0022", "ipx");
    expect_reason(1, MACS "0026 f0f003", "netbeui");
    expect_reason(1, MACS "0026 fefe03 83", "iso");
    expect_reason(1, MACS "0026 040403", "llc");
    expect_reason(1, MACS "ffff 0000", "unknown_ethertype");
    expect_reason(1, MACS "0001 00", "bad_length"); // an LLC header has three bytes
    expect_reason(0, "07000000", "unknown_family");
    expect_reason(101, "50", "bad_version");
    expect_reason(147, "00", "unknown_link_type");
    expect_reason(113, "0000 0001 0006 0200000000010000 000c", "unknown_ethertype");
    expect_reason(1, MACS "88e5 0000", "macsec");
}

static void ipv6_frame(struct frame *f, uint8_t next, const char *extensions, size_t payload)
{
    struct frame x = {.n = 0};
    frame_hex(&x, extensions);
    frame_ipv6(f, 1, 2, next, x.n + 8 + payload);
    frame_hex(f, extensions);
    frame_udp(f, 1000, 2000, payload);
}

static void ipv6_families_and_null(void **state)
{
    (void)state;
    static const char *const families[] = {"0a000000", "17000000", "18000000", "1c000000",
                                           "1e000000"};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        struct frame f = {.n = 0};
        frame_hex(&f, families[i]);
        ipv6_frame(&f, IP_UDP, "", 4);
        expect_udp(0, &f, 4);
    }
}

static void ipv6_extensions_are_skipped(void **state)
{
    (void)state;
    static const struct {
        uint8_t next;
        const char *extensions;
    } rows[] = {
        {IP_UDP, ""},
        {0, "1100050200000100"},
        {43, "1100000000000000"},
        {60, "1101010c0000000000000000 00000000"},
        {44, "1100000000000001"}, // RFC 6946
        {51, "1104 0000 00000001 00000001 000000000000000000000000"},
        {0, "2b00050200000100 3c00000000000000 1100010400000000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f = {.n = 0};
        ipv6_frame(&f, rows[i].next, rows[i].extensions, 4);
        expect_udp(229, &f, 0);
    }
}

static void ipv6_extensions_are_limited(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ipv6(&f, 1, 2, 60, 8 * 40 + 8);
    for (unsigned i = 0; i < 40; i++) frame_hex(&f, "3c00010400000000");
    frame_fill(&f, 0, 8);
    expect_reason_of(229, &f, "too_many_layers");
}

static void ipv6_fragments_are_held(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    ipv6_frame(&f, 44, "1100 0001 00000001", 4);
    f.bytes[5] = 8 + 8; // of the twelve bytes, as more are to come
    expect_reason_of(229, &f, "fragment_held");
    f.bytes[42] = 0x05, f.bytes[43] = 0xa8;
    expect_reason_of(229, &f, "fragment_held");
}

static void ipv6_lengths(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    ipv6_frame(&f, IP_UDP, "", 4);
    f.bytes[5] = 0; // a jumbogram, or what a network card cut up later
    const struct packet *p = trial_decode_all(&trial, 229, &f);
    assert_int_equal(p->payload_length, 4);
    assert_int_equal(p->ip_length, 52);
    f.bytes[5] = 3;
    expect_reason_of(229, &f, "bad_length");
    f.bytes[0] = 0x40;
    expect_reason_of(229, &f, "bad_version");
    f.n = 0;
    frame_ipv6(&f, 1, 2, 59, 0);
    frame_fill(&f, 0, 6);
    p = trial_decode_all(&trial, 229, &f);
    assert_int_equal(p->key.proto, 59);
    assert_int_equal(p->payload_length, 0);
}

static void extensions_over_ipv4_are_protocols(void **state)
{
    (void)state;
    static const uint8_t protos[] = {0, 43, 44, 60};
    for (size_t i = 0; i < sizeof protos; i++) {
        struct frame f = {.n = 0};
        frame_ipv4(&f, 1, 2, protos[i], 12);
        frame_fill(&f, 0x11, 12);
        const struct packet *p = trial_decode_all(&trial, 228, &f);
        assert_int_equal(p->key.proto, protos[i]);
        assert_int_equal(p->payload_length, 12);
        assert_false(p->is_fragment);
    }
}

static void sctp_and_igmp(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ipv4(&f, 1, 2, IP_SCTP, 16);
    frame_hex(&f, "0007 0009 00000001 00000000 01000004");
    const struct packet *p = trial_decode_all(&trial, 228, &f);
    assert_int_equal(p->key.port_a, 7);
    assert_int_equal(p->key.port_b, 9);
    assert_int_equal(p->payload_length, 4);
    assert_int_equal(trial_decode(&trial, 228, &f, 24, f.n)->reason, REASON_CUT_TRANSPORT);
    f.n = 0;
    frame_ipv4(&f, 1, 2, IP_IGMP, 8);
    frame_hex(&f, "16000000 e0000001");
    p = trial_decode_all(&trial, 228, &f);
    assert_int_equal(p->key.proto, IP_IGMP);
    assert_int_equal(p->key.port_a, 0);
}

static void ah_with_an_impossible_length(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ipv4(&f, 1, 2, 51, 24);
    frame_hex(&f, "1100 0000 00000001 00000001");
    frame_fill(&f, 0, 12);
    expect_reason_of(228, &f, "bad_length");
}

static void padding_is_not_payload(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_around_udp(&f, MACS "0800");
    frame_fill(&f, 0, 100);
    const struct packet *p = trial_decode_all(&trial, 1, &f);
    assert_int_equal(p->payload_length, 4);
    assert_int_equal(p->payload_captured, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_lead_to_ip),
        cmocka_unit_test(wrappers_lead_to_what_they_wrap),
        cmocka_unit_test(wrappers_contradict_themselves),
        cmocka_unit_test(ppp_leads_to_ip),
        cmocka_unit_test(ppp_and_pppoe_contradict_themselves),
        cmocka_unit_test(mpls_guesses_ip),
        cmocka_unit_test(what_is_not_ip_has_a_name),
        cmocka_unit_test(ipv6_families_and_null),
        cmocka_unit_test(ipv6_extensions_are_skipped),
        cmocka_unit_test(ipv6_extensions_are_limited),
        cmocka_unit_test(ipv6_fragments_are_held),
        cmocka_unit_test(ipv6_lengths),
        cmocka_unit_test(extensions_over_ipv4_are_protocols),
        cmocka_unit_test(sctp_and_igmp),
        cmocka_unit_test(ah_with_an_impossible_length),
        cmocka_unit_test(padding_is_not_payload),
    };
    trial = trial_create();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    trial_destroy(&trial);
    return failed;
}
