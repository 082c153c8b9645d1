#include "decode/decode_test.h"

#include "decode/layer.h"
#include "decode/shard.h"

static struct trial trial;

static void assert_reason(const struct packet *p, enum decode_reason reason)
{
    assert_string_equal(decode_reason_name(p->reason), decode_reason_name(reason));
}

static void tcp_is_decoded(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ethernet(&f, 0x0800);
    frame_ipv4(&f, 0x0a000002, 0x0a000001, IP_TCP, 25);
    frame_tcp(&f, 1234, 80, TCP_PSH | TCP_ACK, 5);
    frame_fill(&f, 0, 1); // padding
    const struct packet *p = trial_decode_all(&trial, 1, &f);
    assert_reason(p, REASON_OK);
    assert_int_equal(p->class_, PACKET_IP);
    assert_int_equal(p->side, 1);
    assert_true(address_equal(p->key.a, address_v4(0x0a000001)) && p->key.port_a == 80);
    assert_true(address_equal(p->key.b, address_v4(0x0a000002)) && p->key.port_b == 1234);
    assert_int_equal(p->key.proto, IP_TCP);
    assert_int_equal(p->tcp_flags, TCP_PSH | TCP_ACK);
    assert_int_equal(p->tcp_seq, 0x01020304);
    assert_int_equal(p->tcp_ack, 0x05060708);
    assert_int_equal(p->tcp_window, 0x2000);
    assert_int_equal(p->tcp_urgent, 7);
    assert_int_equal(p->network_offset, 14);
    assert_int_equal(p->transport_offset, 34);
    assert_int_equal(p->payload_offset, 54);
    assert_int_equal(p->payload_captured, 5);
    assert_int_equal(p->payload_length, 5);
    assert_int_equal(p->ip_length, 45);
    assert_int_equal(p->ttl, 64);
    assert_true(p->has_transport);
}

static void udp_over_ipv6_is_decoded(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ethernet(&f, 0x86dd);
    frame_ipv6(&f, 1, 2, IP_UDP, 8 + 3);
    frame_udp(&f, 5353, 53, 3);
    const struct packet *p = trial_decode_all(&trial, 1, &f);
    assert_reason(p, REASON_OK);
    assert_int_equal(p->side, 0);
    assert_int_equal(p->key.port_a, 5353);
    assert_int_equal(p->key.a.lo, 1);
    assert_int_equal(p->key.b.hi, UINT64_C(0x20010db800000000));
    assert_int_equal(p->payload_length, 3);
    assert_int_equal(p->payload_offset, 14 + 40 + 8);
}

static void both_directions_have_one_key(void **state)
{
    (void)state;
    struct frame there = {.n = 0}, back = {.n = 0};
    frame_ipv4(&there, 7, 7, IP_UDP, 8), frame_udp(&there, 9, 8, 0);
    frame_ipv4(&back, 7, 7, IP_UDP, 8), frame_udp(&back, 8, 9, 0);
    struct packet a = *trial_decode_all(&trial, 228, &there);
    const struct packet *b = trial_decode_all(&trial, 228, &back);
    assert_memory_equal(&a.key, &b->key, sizeof a.key);
    assert_int_equal(a.hash, b->hash);
    assert_int_equal(a.side, 1);
    assert_int_equal(b->side, 0);
}

static void frame_cut_tcp(struct frame *f)
{
    frame_ethernet(f, 0x8100);
    frame_hex(f, "0064 0800");
    frame_ipv4(f, 1, 2, IP_TCP, 20 + 12 + 10);
    size_t at = f->n;
    frame_tcp(f, 1000, 2000, TCP_SYN, 22);
    f->bytes[at + 12] = 0x80; // 12 bytes of options
}

static void every_cut_is_told(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_cut_tcp(&f);
    for (size_t n = 0; n <= f.n; n++) {
        const struct packet *p = trial_decode(&trial, 1, &f, n, f.n);
        enum decode_reason expected = n < 18 + 20 + 4    ? REASON_CUT_HEADER
                                      : n < 18 + 20 + 20 ? REASON_CUT_TRANSPORT
                                                         : REASON_OK;
        assert_reason(p, expected);
        if (expected == REASON_CUT_HEADER) continue;
        assert_int_equal(p->key.port_a, 1000);
        assert_int_equal(p->has_transport, expected == REASON_OK);
        assert_int_equal(p->payload_length, expected == REASON_OK ? 10 : 0);
        assert_int_equal(p->payload_captured, n > f.n - 10 ? n - (f.n - 10) : 0);
        assert_int_equal(p->tcp_options_length, n >= f.n - 10 ? 12 : 0);
    }
}

// The same frame, but whole as it is: what is missing was never sent.
static void every_short_frame_is_bad(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ethernet(&f, 0x0800);
    for (size_t n = 0; n < 14; n++)
        assert_reason(trial_decode(&trial, 1, &f, n, n), REASON_BAD_LENGTH);
    frame_ipv4(&f, 1, 2, IP_TCP, 3);
    frame_fill(&f, 0, 30);
    assert_reason(trial_decode_all(&trial, 1, &f), REASON_BAD_LENGTH);
    f.bytes[17] = 20 + 19;
    assert_reason(trial_decode_all(&trial, 1, &f), REASON_BAD_TRANSPORT);
}

static void ipv4_lengths_are_checked(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ipv4(&f, 1, 2, IP_UDP, 8 + 4);
    frame_udp(&f, 1, 2, 4);
    f.bytes[3] = 0; // as a network card with TSO shows it
    const struct packet *p = trial_decode_all(&trial, 228, &f);
    assert_reason(p, REASON_OK);
    assert_int_equal(p->ip_length, 32);
    assert_int_equal(p->payload_length, 4);
    f.bytes[3] = 19;
    assert_reason(trial_decode_all(&trial, 228, &f), REASON_BAD_LENGTH);
    f.bytes[3] = 32, f.bytes[0] = 0x44;
    assert_reason(trial_decode_all(&trial, 228, &f), REASON_BAD_LENGTH);
    f.bytes[0] = 0x65;
    assert_reason(trial_decode_all(&trial, 228, &f), REASON_BAD_VERSION);
}

static void udp_length_is_bounded_by_ip(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ipv4(&f, 1, 2, IP_UDP, 8 + 4);
    frame_udp(&f, 1, 2, 4);
    f.bytes[25] = 200;
    assert_int_equal(trial_decode_all(&trial, 228, &f)->payload_length, 4);
    f.bytes[25] = 10;
    assert_int_equal(trial_decode_all(&trial, 228, &f)->payload_length, 2);
    f.bytes[25] = 7;
    assert_reason(trial_decode_all(&trial, 228, &f), REASON_BAD_TRANSPORT);
}

static void fragments_are_held(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ipv4(&f, 1, 2, IP_UDP, 8 + 4);
    frame_udp(&f, 1, 2, 4);
    f.bytes[6] = 0x20; // more fragments
    f.bytes[3] = 20 + 8;
    assert_reason(trial_decode_all(&trial, 228, &f), REASON_FRAGMENT_HELD);
    f.bytes[6] = 0, f.bytes[7] = 5;
    assert_reason(trial_decode_all(&trial, 228, &f), REASON_FRAGMENT_HELD);
    f.bytes[3] = 20 + 12;
    f.bytes[6] = 0x40, f.bytes[7] = 0; // don't fragment
    assert_reason(trial_decode_all(&trial, 228, &f), REASON_OK);
}

static uint64_t scope_of_tags(const char *tags)
{
    struct frame f = {.n = 0};
    frame_hex(&f, "020000000001 020000000002");
    frame_hex(&f, tags);
    frame_be(&f, 0x0800, 2);
    frame_ipv4(&f, 1, 2, IP_UDP, 8);
    frame_udp(&f, 1, 2, 0);
    const struct packet *p = trial_decode_all(&trial, 1, &f);
    assert_reason(p, REASON_OK);
    return p->key.scope;
}

static void vlans_tell_conversations_apart(void **state)
{
    (void)state;
    assert_int_equal(scope_of_tags(""), 0);
    assert_int_equal(scope_of_tags("8100 e000"), 0); // priority tag
    assert_int_equal(scope_of_tags("8100 0064"), 100);
    assert_int_equal(scope_of_tags("88a8 0001 8100 6064"), 1 << 12 | 100);
    assert_int_equal(scope_of_tags("9100 0064 8100 0001"), 100 << 12 | 1);
    uint64_t six = scope_of_tags("8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001");
    assert_true(six & SCOPE_MIXED);
    assert_int_equal(scope_vlan(six), 0);
}

static void layers_are_limited(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_hex(&f, "020000000001 020000000002");
    for (unsigned i = 0; i < 40; i++) frame_hex(&f, "8100 0001");
    assert_reason(trial_decode_all(&trial, 1, &f), REASON_TOO_MANY_LAYERS);
}

static void icmp_type(struct frame *f, bool v6, bool back, uint8_t type, uint8_t code)
{
    if (v6) frame_ipv6(f, back ? 1 : 2, back ? 2 : 1, IP_ICMPV6, 8);
    else frame_ipv4(f, back ? 1 : 2, back ? 2 : 1, IP_ICMP, 8);
    frame_be(f, type, 1), frame_be(f, code, 1);
    frame_fill(f, 0, 6);
}

static void icmp_pairs_meet(void **state)
{
    (void)state;
    static const uint8_t pairs[][3] = {{0, 8, 0},     {0, 13, 14},   {0, 15, 16},   {0, 10, 9},
                                       {0, 17, 18},   {1, 128, 129}, {1, 133, 134}, {1, 135, 136},
                                       {1, 130, 131}, {1, 139, 140}, {1, 144, 145}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct frame there = {.n = 0}, back = {.n = 0};
        bool v6 = pairs[i][0];
        icmp_type(&there, v6, false, pairs[i][1], 0);
        icmp_type(&back, v6, true, pairs[i][2], 0);
        struct packet a = *trial_decode_all(&trial, v6 ? 229 : 228, &there);
        const struct packet *b = trial_decode_all(&trial, v6 ? 229 : 228, &back);
        assert_memory_equal(&a.key, &b->key, sizeof a.key);
        assert_true(a.side == 1 && b->side == 0);
    }
}

static void icmp_errors_are_one_way(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    icmp_type(&f, false, false, 3, 1);
    const struct packet *p = trial_decode_all(&trial, 228, &f);
    assert_int_equal(p->side, 0);
    assert_true(address_equal(p->key.a, address_v4(2)));
    assert_int_equal(p->key.port_a, 3);
    assert_int_equal(p->key.port_b, 1);
}

static void what_is_not_ip_is_counted(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ethernet(&f, 0x0806);
    frame_fill(&f, 0, 46);
    assert_reason(trial_decode_all(&trial, 1, &f), REASON_ARP);
    f.bytes[12] = 0xee;
    assert_reason(trial_decode_all(&trial, 1, &f), REASON_UNKNOWN_ETHERTYPE);
    assert_int_equal(trial_decode_all(&trial, 65000, &f)->class_, PACKET_UNKNOWN_LINK);
}

static void other_protocols_have_conversations(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_ipv4(&f, 1, 2, 89, 30);
    frame_fill(&f, 1, 30);
    const struct packet *p = trial_decode_all(&trial, 228, &f);
    assert_reason(p, REASON_OK);
    assert_int_equal(p->key.proto, 89);
    assert_int_equal(p->key.port_a | p->key.port_b, 0);
    assert_int_equal(p->payload_length, 30);
    assert_false(p->has_transport);
}

static uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

static void mutated_packets_add_up(void **state)
{
    (void)state;
    static const uint16_t links[] = {0,   1,   9,   12,  50,  51,  101, 104,
                                     108, 113, 204, 228, 229, 276, 147};
    uint32_t seed = 12345;
    struct frame whole = {.n = 0};
    frame_cut_tcp(&whole);
    for (unsigned i = 0; i < 60000; i++) {
        struct frame f = whole;
        unsigned link = i % 2 ? 1 : random_next(&seed) % (sizeof links / sizeof links[0]);
        for (unsigned k = random_next(&seed) % 8; k > 0; k--)
            f.bytes[random_next(&seed) % f.n] = (uint8_t)random_next(&seed);
        size_t n = random_next(&seed) % 4 ? f.n : random_next(&seed) % f.n;
        trial_decode(&trial, i % 2 ? 1 : links[link], &f, n, random_next(&seed) % 2 ? n : f.n);
    }
}

static void watermark_is_set(void **state)
{
    (void)state;
    struct trial t = trial_create();
    struct frame f = {.n = 0};
    frame_ethernet(&f, 0x0806);
    t.batch->count = 3;
    for (unsigned i = 0; i < 3; i++)
        t.batch->packets[i] = (struct packet){.data = f.bytes,
                                              .captured = 14,
                                              .length = 14,
                                              .link_type = 1,
                                              .time = i == 1 ? 50 : 100};
    decode_batch(t.decoder, t.batch);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(t.batch->packets[i].watermark, 100);
    trial_destroy(&t);
}

// Jumps, some of them confirmed: the same packets in other batches have the same watermarks.
static void watermark_does_not_depend_on_batches(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    struct trial whole = trial_create(), split = trial_create();
    uint32_t seed = 99;
    for (unsigned i = 0; i < COUNT; i++)
        whole.batch->packets[i].time = (nanos)(random_next(&seed) % 3) * 2 * WATERMARK_JUMP + i;
    whole.batch->count = COUNT;
    decode_batch(whole.decoder, whole.batch);
    for (unsigned i = 0, n = 1; i < COUNT; i += n, n = n % 5 + 1) {
        split.batch->count = i + n < COUNT ? n : COUNT - i;
        memcpy(split.batch->packets, whole.batch->packets + i, n * sizeof *whole.batch->packets);
        decode_batch(split.decoder, split.batch);
        const struct packet *expected = whole.batch->packets + i;
        for (unsigned k = 0; k < split.batch->count; k++)
            assert_int_equal(split.batch->packets[k].watermark, expected[k].watermark);
    }
    trial_destroy(&whole);
    trial_destroy(&split);
}

// Hash and shard are part of the format: these values may never change.
static void shards_are_fixed(void **state)
{
    (void)state;
    struct address low = address_v4(0x0a000001), high = address_v4(0x0a000002);
    struct conversation_key v4 = {low, high, 80, 1234, IP_TCP, 0};
    struct conversation_key v6 = {{1, 2}, {3, 4}, 5, 6, IP_UDP, 7};
    assert_int_equal(conversation_hash(&v4), UINT64_C(0x6587e12524ed8853));
    assert_int_equal(conversation_hash(&v6), UINT64_C(0x9df7eb6ffc80ead5));
    assert_int_equal(conversation_shard(UINT64_C(0x123456789abcdef0)), 0xf0);
}

static void registry_is_whole(void **state)
{
    (void)state;
    assert_true(decode_layer_count() > 5);
    for (unsigned i = 1; i <= decode_layer_count(); i++) assert_non_null(decode_layer_name(i));
    assert_null(decode_layer_name(0));
    assert_null(decode_layer_name(decode_layer_count() + 1));
    for (unsigned r = 0; r < REASON_COUNT; r++) assert_true(*decode_reason_help(r) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_is_decoded),
        cmocka_unit_test(udp_over_ipv6_is_decoded),
        cmocka_unit_test(both_directions_have_one_key),
        cmocka_unit_test(every_cut_is_told),
        cmocka_unit_test(every_short_frame_is_bad),
        cmocka_unit_test(ipv4_lengths_are_checked),
        cmocka_unit_test(udp_length_is_bounded_by_ip),
        cmocka_unit_test(fragments_are_held),
        cmocka_unit_test(vlans_tell_conversations_apart),
        cmocka_unit_test(layers_are_limited),
        cmocka_unit_test(icmp_pairs_meet),
        cmocka_unit_test(icmp_errors_are_one_way),
        cmocka_unit_test(what_is_not_ip_is_counted),
        cmocka_unit_test(other_protocols_have_conversations),
        cmocka_unit_test(mutated_packets_add_up),
        cmocka_unit_test(watermark_is_set),
        cmocka_unit_test(watermark_does_not_depend_on_batches),
        cmocka_unit_test(shards_are_fixed),
        cmocka_unit_test(registry_is_whole),
    };
    trial = trial_create();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    trial_destroy(&trial);
    return failed;
}
