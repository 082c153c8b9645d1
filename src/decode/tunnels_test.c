#include "base/checksum.h"
#include "decode/decode_test.h"
#include "decode/layer.h"
#include "decode/plausible.h"

static struct trial trial;

static int setup(void **state)
{
    (void)state;
    trial = trial_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trial_destroy(&trial);
    return 0;
}

// ---- what is inside -----------------------------------------------------------------------------

enum inside { IPV4, IPV6, ETHERNET, PPP, WLAN };
enum {
    INSIDE_A = 0x0a000001,
    INSIDE_B = 0x0a000002,
    OUTSIDE_A = 0x33640001,
    OUTSIDE_B = 0x33640002,
    PORT = 1000,
    PAYLOAD = 4,
};

static void put_checksum(struct frame *f, size_t from)
{
    uint16_t sum = (uint16_t)~internet_sum(0, bytes_of(f->bytes + from, 20));
    f->bytes[from + 10] = (uint8_t)(sum >> 8);
    f->bytes[from + 11] = (uint8_t)sum;
}

static void put_inside(struct frame *f, enum inside inside)
{
    if (inside == ETHERNET) frame_ethernet(f, ETHERTYPE_IPV4);
    if (inside == PPP) frame_hex(f, "ff03 0021");
    if (inside == WLAN)
        frame_hex(f, "0802 0000 020000000001 020000000002 020000000003 1000 aaaa03000000 0800");
    size_t from = f->n;
    if (inside == IPV6) {
        frame_ipv6(f, 1, 2, IP_UDP, 8 + PAYLOAD);
    } else {
        frame_ipv4(f, INSIDE_A, INSIDE_B, IP_UDP, 8 + PAYLOAD);
        put_checksum(f, from);
    }
    frame_udp(f, PORT, PORT + 1, PAYLOAD);
}

// ---- tunnels ------------------------------------------------------------------------------------

struct tunnel_case {
    const char *tunnel;
    uint8_t proto;
    uint16_t port; // UDP
    const char *header;
    enum inside inside;
    bool has_scope; // the tunnel names a network
    const char *trailer;
};

// Inside, IPv4 is 32 bytes, IPv6 52, Ethernet 46, PPP 36.
static const struct tunnel_case tunnel_cases[] = {
    {"ipip", IP_IN_IP, 0, "", IPV4, false, ""},
    {"6in4", IP_IPV6, 0, "", IPV6, false, ""},
    {"gre", IP_GRE, 0, "0000 0800", IPV4, false, ""},
    {"gre", IP_GRE, 0, "b000 0800 aaaa0000 00000007 00000001", IPV4, true, ""},
    {"gre", IP_GRE, 0, "0000 6558", ETHERNET, false, ""},
    {"gre", IP_GRE, 0, "4000 0800 00000000 00020004 01020304 00000000", IPV4, false, ""},
    {"gre", IP_GRE, 0, "0000 883e 00000000", IPV4, false, ""},
    {"gre", IP_GRE, 0, "0000 8200", WLAN, false, ""},
    {"pptp", IP_GRE, 0, "3081 880b 0024 0001 00000001 00000002", PPP, false, ""},
    {"erspan", IP_GRE, 0, "0000 88be", ETHERNET, false, ""},
    {"erspan", IP_GRE, 0, "1000 88be 00000001 10010002 00000003", ETHERNET, false, ""},
    {"erspan", IP_GRE, 0, "1000 22eb 00000001 20010002 00000003 00000001 0102030405060708",
     ETHERNET, false, ""},
    {"l2tpv3", IP_L2TP, 0, "00000001", ETHERNET, false, ""},
    {"l2tpv3", IP_L2TP, 0, "00000001 0102030405060708 00000000", ETHERNET, false, ""},
    {"esp", IP_ESP, 0, "00000001 00000001", IPV4, false, "010202 04 0102030405060708090a0b0c"},
    {"esp", IP_ESP, 0, "00000001 00000001", IPV6, false,
     "010202 29 0102030405060708090a0b0c0d0e0f10"},
    {"vxlan", IP_UDP, 4789, "08000000 00002a00", ETHERNET, true, ""},
    {"vxlan", IP_UDP, 8472, "88080001 00002a00", ETHERNET, true, ""},
    {"vxlan-gpe", IP_UDP, 4790, "0c000001 00002a00", IPV4, true, ""},
    {"vxlan-gpe", IP_UDP, 4790, "0c000003 00002a00", ETHERNET, true, ""},
    {"vxlan-gpe", IP_UDP, 4790,
     "0c000004 00002a00 0fc60103 00000001 "
     "00000000000000000000000000000000",
     ETHERNET, true, ""},
    {"geneve", IP_UDP, 6081, "01006558 00002a00 01020304", ETHERNET, true, ""},
    {"geneve", IP_UDP, 6081, "00000800 00002a00", IPV4, true, ""},
    {"gtp", IP_UDP, 2152, "30ff0020 00000001", IPV4, false, ""},
    {"gtp", IP_UDP, 2152, "34ff0028 00000001 00000085 01100900", IPV4, false, ""},
    {"gtp", IP_UDP, 2152, "32ff0038 00000001 00010000", IPV6, false, ""},
    {"l2tp", IP_UDP, 1701, "0002 0001 0002", PPP, false, ""},
    {"l2tp", IP_UDP, 1701, "4a02 0034 0001 0002 00000000 0002 0000", PPP, false, ""},
    {"l2tpv3", IP_UDP, 1701, "0003 0000 00000001", ETHERNET, false, ""},
    {"ayiya", IP_UDP, 5072,
     "42521129 00000000 20010db8000000000000000000000001 "
     "0102030405060708090a0b0c0d0e0f1011121314",
     IPV6, false, ""},
    {"lisp", IP_UDP, 4341, "08000000 00002a00", IPV4, true, ""},
    {"lisp", IP_UDP, 4341, "c0000001 00000001", IPV6, false, ""},
    {"capwap", IP_UDP, 5247, "00100200 00000000", ETHERNET, false, ""},
    {"capwap", IP_UDP, 5247, "00100300 00000000", WLAN, false, ""},
    {"tzsp", IP_UDP, 37008, "01000001 0a01aa 00 01", ETHERNET, false, ""},
    {"tzsp", IP_UDP, 37008, "01000012 01", WLAN, false, ""},
    {"mpls", IP_UDP, 6635, "0001013f", IPV4, false, ""},
    {"gre", IP_UDP, 4754, "20000800 00000007", IPV4, true, ""},
    {"esp", IP_UDP, 4500, "00000001 00000001", IPV4, false, "010202 04 0102030405060708090a0b0c"},
};
enum { TUNNEL_CASES = sizeof tunnel_cases / sizeof tunnel_cases[0] };

static struct frame build(const struct tunnel_case *c)
{
    struct frame inside = {.n = 0}, f = {.n = 0};
    frame_hex(&inside, c->header);
    put_inside(&inside, c->inside);
    // ESP: the padding of two bytes, its length, what is inside.
    frame_hex(&inside, c->trailer);
    size_t udp = c->proto == IP_UDP ? 8 : 0;
    frame_ipv4(&f, OUTSIDE_A, OUTSIDE_B, c->proto, udp + inside.n);
    if (udp) {
        frame_be(&f, 40000, 2), frame_be(&f, c->port, 2);
        frame_be(&f, udp + inside.n, 2), frame_be(&f, 0, 2);
    }
    frame_put(&f, inside.bytes, inside.n);
    return f;
}

struct told {
    unsigned calls, carriers;
    struct packet first;
};

static void tell(void *context, struct packet *p, const struct packet *carriers, unsigned n)
{
    struct told *told = context;
    (void)p;
    told->calls++;
    told->carriers = n;
    told->first = carriers[0];
}

static void each_tunnel_is_peeled(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TUNNEL_CASES; i++) {
        const struct tunnel_case *c = &tunnel_cases[i];
        struct told told = {0};
        trial.decoder->hooks = (struct decode_hooks){&told, tell, NULL};
        struct frame f = build(c);
        const struct packet *p = trial_decode_all(&trial, 228, &f);
        print_message("%u %s\n", i, c->tunnel);
        assert_string_equal(decode_reason_name(p->reason), "ok");
        assert_int_equal(p->key.proto, IP_UDP);
        assert_int_equal(p->key.port_a, PORT);
        assert_int_equal(p->payload_length, PAYLOAD);
        assert_int_equal(p->tunnel_depth, 1);
        assert_string_equal(tunnel_name(p->tunnels[0]), c->tunnel);
        assert_int_equal(p->key.scope != 0, c->has_scope);
        if (c->inside != IPV6) assert_int_equal((uint32_t)p->key.a.lo, INSIDE_A);
        assert_int_equal(told.calls, 1);
        assert_int_equal(told.carriers, 1);
        assert_int_equal(told.first.key.proto, c->proto);
        assert_int_equal((uint32_t)told.first.key.a.lo, OUTSIDE_A);
        assert_int_equal(told.first.ip_length, f.n);
        assert_string_equal(tunnel_name(told.first.carries), c->tunnel);
        trial.decoder->hooks = (struct decode_hooks){0};
    }
}

// Cut by the snap length, and sent that short: never more than what is there is read, and all
// counts hold (trial_decode checks both).
static void cut_anywhere_it_stays_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TUNNEL_CASES; i++) {
        struct frame f = build(&tunnel_cases[i]);
        for (size_t n = 0; n < f.n; n++) {
            const struct packet *p = trial_decode(&trial, 228, &f, n, f.n);
            assert_int_equal(p->class_, n < 20 ? PACKET_UNDECODABLE : p->class_);
            trial_decode(&trial, 228, &f, n, n);
        }
    }
}

// With any one byte of the tunnel's header changed it is another packet, but never a wrong read.
static void any_byte_may_change(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TUNNEL_CASES; i++) {
        struct frame f = build(&tunnel_cases[i]);
        for (size_t at = 0; at < f.n; at++) {
            static const uint8_t changes[] = {0x01, 0x80, 0xff};
            for (unsigned k = 0; k < sizeof changes; k++) {
                f.bytes[at] ^= changes[k];
                trial_decode_all(&trial, 228, &f);
                f.bytes[at] ^= changes[k];
            }
        }
    }
}

// ---- recognition --------------------------------------------------------------------------------

static const struct packet *decode_udp(uint16_t src, uint16_t dst, const char *hex)
{
    static struct frame f, payload;
    f.n = payload.n = 0;
    frame_hex(&payload, hex);
    frame_ipv4(&f, OUTSIDE_A, OUTSIDE_B, IP_UDP, 8 + payload.n);
    frame_be(&f, src, 2), frame_be(&f, dst, 2), frame_be(&f, 8 + payload.n, 2);
    frame_be(&f, 0, 2);
    frame_put(&f, payload.bytes, payload.n);
    return trial_decode_all(&trial, 228, &f);
}

static void a_port_alone_is_no_tunnel(void **state)
{
    (void)state;
    static const uint16_t ports[] = {1701, 2152, 3544, 4341, 4500, 4754, 4789,
                                     4790, 5072, 5247, 6081, 6635, 8472, 37008};
    for (unsigned i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        // A DNS question, and the same from the port.
        static const char dns[] = "1234 0100 0001 0000 0000 0000 07 6578616d706c65 00 0001 0001";
        const struct packet *p = decode_udp(40000, ports[i], dns);
        assert_int_equal(p->reason, REASON_OK);
        assert_int_equal(p->tunnel_depth, 0);
        assert_int_equal(p->payload_length, 25);
        assert_int_equal(decode_udp(ports[i], 53, dns)->tunnel_depth, 0);
        assert_int_equal(decode_udp(40000, ports[i], "")->tunnel_depth, 0);
    }
}

#define TEREDO_HEADER "60000000 0000 3b 40 "
#define TEREDO_ADDRESSES "20010000 41379e76 1cf380f9 2b37be94 20010db8 00000000 00000000 00000001"

static void teredo_is_known_by_content(void **state)
{
    (void)state;
    const struct packet *p = decode_udp(50000, 50001, TEREDO_HEADER TEREDO_ADDRESSES);
    assert_int_equal(p->tunnel_depth, 1);
    assert_string_equal(tunnel_name(p->tunnels[0]), "teredo");
    assert_int_equal(p->key.proto, 59);
    // Origin, and authentication before it.
    p = decode_udp(50000, 3544, "0000 1234 01020304" TEREDO_HEADER TEREDO_ADDRESSES);
    assert_int_equal(p->tunnel_depth, 1);
    p = decode_udp(
        3544, 50000,
        "0001 0000 0102030405060708 00 0000 1234 01020304" TEREDO_HEADER TEREDO_ADDRESSES);
    assert_int_equal(p->tunnel_depth, 1);
    // One byte more than the length says; another prefix on another port, and on the servers'.
    assert_int_equal(decode_udp(50000, 50001, TEREDO_HEADER TEREDO_ADDRESSES "00")->tunnel_depth,
                     0);
#define OTHER "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002"
    assert_int_equal(decode_udp(50000, 50001, TEREDO_HEADER OTHER)->tunnel_depth, 0);
    assert_int_equal(decode_udp(50000, 3544, TEREDO_HEADER OTHER)->tunnel_depth, 1);
}

// Without the P bit the next protocol holds where what it names is certainly there.
static void gpe_may_forget_a_bit(void **state)
{
    (void)state;
#define GPE_IPV4(sum)                                                                              \
    "08000001 00002a00 4500001c 00010000 4011 " sum " c000020a c0000214 3039 0035 0008 0000"
    assert_int_equal(decode_udp(40000, 4790, GPE_IPV4("f6b1"))->key.port_a, 12345);
    assert_int_equal(decode_udp(40000, 4790, GPE_IPV4("f6b0"))->reason, REASON_TUNNEL_NOT_IP);
}

static void teredo_may_have_trailers(void **state)
{
    (void)state;
#define BUBBLE TEREDO_HEADER TEREDO_ADDRESSES
    assert_int_equal(decode_udp(50000, 50001, BUBBLE "0104 01020304 0300 0502 1234")->tunnel_depth,
                     1);
    // One that is cut, one of another type, and one byte behind the last.
    assert_int_equal(decode_udp(50000, 50001, BUBBLE "0104 010203")->tunnel_depth, 0);
    assert_int_equal(decode_udp(50000, 50001, BUBBLE "0600")->tunnel_depth, 0);
    assert_int_equal(decode_udp(50000, 50001, BUBBLE "0300 05")->tunnel_depth, 0);
}

static const char *transition(uint64_t src_hi, uint64_t src_lo)
{
    struct frame f = {.n = 0};
    frame_ipv4(&f, OUTSIDE_A, OUTSIDE_B, IP_IPV6, 40 + 8);
    frame_be(&f, 0x60000000, 4), frame_be(&f, 8, 2), frame_be(&f, IP_UDP, 1), frame_be(&f, 64, 1);
    frame_be(&f, src_hi, 8), frame_be(&f, src_lo, 8);
    frame_be(&f, UINT64_C(0x20010db8ffff0000), 8), frame_be(&f, 9, 8);
    frame_udp(&f, 1, 2, 0);
    const struct packet *p = trial_decode_all(&trial, 228, &f);
    assert_int_equal(p->reason, REASON_OK);
    return tunnel_name(p->tunnels[0]);
}

static void addresses_tell_transitions(void **state)
{
    (void)state;
    assert_string_equal(transition(UINT64_C(0x20010db800000000), 1), "6in4");
    assert_string_equal(transition(UINT64_C(0x2002336400010000), 1), "6to4");
    assert_string_equal(transition(UINT64_C(0xfe80000000000000), UINT64_C(0x00005efe33640001)),
                        "isatap");
    assert_string_equal(transition(UINT64_C(0x20010db833640001), 1), "6rd");
}

// ---- what belongs to whom -----------------------------------------------------------------------

static void what_is_not_ip_belongs_to_the_carrier(void **state)
{
    (void)state;
    struct told told = {0};
    trial.decoder->hooks = (struct decode_hooks){&told, tell, NULL};
    const struct packet *p =
        decode_udp(40000, 4789, "08000000 00002a00 020000000001 020000000002 0806 0001 0800 0604");
    assert_int_equal(p->reason, REASON_TUNNEL_NOT_IP);
    assert_int_equal(p->class_, PACKET_IP);
    assert_int_equal(p->key.proto, IP_UDP);
    assert_int_equal(p->payload_length, 28);
    assert_true(p->has_transport);
    assert_int_equal(p->tunnel_depth, 0);
    p = decode_udp(40000, 4789, "08000000 00002a00 020000000001 020000000002 0800 4500");
    assert_int_equal(p->reason, REASON_TUNNEL_BROKEN);
    assert_int_equal(p->payload_length, 24);
    assert_int_equal(told.calls, 0);
    trial.decoder->hooks = (struct decode_hooks){0};
}

static void carriers_do_not_tell_apart(void **state)
{
    (void)state;
    struct frame f = {.n = 0}, g = {.n = 0};
    frame_hex(&f, "020000000001 020000000002 8100 0064 0800");
    frame_ipv4(&f, OUTSIDE_A, OUTSIDE_B, IP_IN_IP, 32);
    put_inside(&f, IPV4);
    struct packet tunnelled = *trial_decode_all(&trial, 1, &f);
    put_inside(&g, IPV4);
    const struct packet *plain = trial_decode_all(&trial, 228, &g);
    assert_memory_equal(&tunnelled.key, &plain->key, sizeof plain->key);
    assert_int_equal(tunnelled.shard, plain->shard);
}

static void nesting_is_limited(void **state)
{
    (void)state;
    struct told told = {0};
    trial.decoder->hooks = (struct decode_hooks){&told, tell, NULL};
    struct frame f = {.n = 0};
    for (unsigned left = 60; left-- > 0;)
        frame_ipv4(&f, OUTSIDE_A, OUTSIDE_B, IP_IN_IP, left * 20 + 32);
    put_inside(&f, IPV4);
    const struct packet *p = trial_decode_all(&trial, 228, &f);
    assert_int_equal(p->reason, REASON_TUNNEL_BROKEN);
    assert_int_equal(p->key.proto, IP_IN_IP);
    assert_true(told.carriers >= 8 && told.carriers < CARRIERS_MAX);
    trial.decoder->hooks = (struct decode_hooks){0};
}

// ---- layers below IP ----------------------------------------------------------------------------

struct link_case {
    const char *name;
    uint16_t link_type;
    const char *header;
    enum inside inside;
    bool has_scope;
};

static const struct link_case link_cases[] = {
    {"pbb", 1, "020000000001 020000000002 88e7 00000abc", ETHERNET, true},
    {"vn-tag", 1, "020000000001 020000000002 8926 00010002 0800", IPV4, false},
    {"e-tag", 1, "020000000001 020000000002 893f 000000000000 0800", IPV4, false},
    {"nsh", 1, "020000000001 020000000002 894f 0fc20201 000001ff", IPV4, false},
    {"pseudowire", 1, "020000000001 020000000002 8847 0001013f 00000001", ETHERNET, false},
    {"pseudowire", 1, "020000000001 020000000002 8847 0001013f", ETHERNET, false},
    {"wlan", 105, "", WLAN, false},
    {"radiotap", 127, "00000c00 04800000 02001800", WLAN, false},
    {"prism", 119, "44000000 10000000 0000000000000000", WLAN, false},
    {"avs", 163, "80211001 00000010 0000000000000000", WLAN, false},
    {"arcnet", 129, "01020000 d4 00 0001", IPV4, false},
    {"arcnet", 129, "01020000 f0", IPV4, false},
    {"arcnet", 7, "0102 d4 00 0001", IPV4, false},
    {"frame_relay", 107, "1841 03 cc", IPV4, false},
    {"frame_relay", 107, "1841 03 00 80 000000 0800", IPV4, false},
    {"frame_relay", 107, "1841 03 00 80 0080c2 0007", ETHERNET, false},
    {"frame_relay", 107, "1841 0800", IPV4, false},
};

static void layers_below_ip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++) {
        const struct link_case *c = &link_cases[i];
        struct frame f = {.n = 0};
        frame_hex(&f, c->header);
        put_inside(&f, c->inside);
        print_message("%u %s\n", i, c->name);
        const struct packet *p = trial_decode_all(&trial, c->link_type, &f);
        assert_string_equal(decode_reason_name(p->reason), "ok");
        assert_int_equal((uint32_t)p->key.a.lo, INSIDE_A);
        assert_int_equal(p->key.scope != 0, c->has_scope);
        for (size_t n = 0; n < f.n; n++) {
            trial_decode(&trial, c->link_type, &f, n, f.n);
            trial_decode(&trial, c->link_type, &f, n, n);
        }
    }
}

static void what_stations_do_not_show_is_counted(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_inside(&f, WLAN);
    f.bytes[1] |= 0x40;
    assert_int_equal(trial_decode_all(&trial, 105, &f)->reason, REASON_WLAN_PROTECTED);
    f.bytes[0] = 0x80; // a beacon
    assert_int_equal(trial_decode_all(&trial, 105, &f)->reason, REASON_WLAN_CONTROL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tunnel_is_peeled),
        cmocka_unit_test(cut_anywhere_it_stays_counted),
        cmocka_unit_test(any_byte_may_change),
        cmocka_unit_test(a_port_alone_is_no_tunnel),
        cmocka_unit_test(teredo_is_known_by_content),
        cmocka_unit_test(teredo_may_have_trailers),
        cmocka_unit_test(gpe_may_forget_a_bit),
        cmocka_unit_test(addresses_tell_transitions),
        cmocka_unit_test(what_is_not_ip_belongs_to_the_carrier),
        cmocka_unit_test(carriers_do_not_tell_apart),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(layers_below_ip),
        cmocka_unit_test(what_stations_do_not_show_is_counted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
