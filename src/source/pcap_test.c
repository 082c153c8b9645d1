#include "source/capture_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"

enum { SECOND = 1700000000, PACKETS = 12 };

static struct readout readout;

static bytes built(const struct build *b)
{
    return bytes_of(b->p, b->n);
}

// Packets of growing size; packet i holds bytes of value i + 1.
static void put_packets(struct build *b, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pcap_put_packet(b, SECOND + i, i, 20 + i, 30 + i, (uint8_t)(i + 1));
    }
}

static void expect_packets(unsigned count, nanos fraction_unit)
{
    assert_int_equal(readout.count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct seen *p = &readout.packets[i];
        assert_int_equal(p->time, (SECOND + i) * NANOS_PER_SECOND + i * fraction_unit);
        assert_int_equal(p->captured, 20 + i);
        assert_int_equal(p->length, 30 + i);
        assert_int_equal(p->ordinal, i);
        assert_int_equal(p->fill, i + 1);
        assert_false(p->damaged);
    }
}

static void reads_both_orders_and_resolutions(void **state)
{
    (void)state;
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d};
    for (unsigned variant = 0; variant < 4; variant++) {
        struct build *b = build_create(variant & 1);
        pcap_put_header(b, magics[variant / 2], 1);
        put_packets(b, PACKETS);
        read_memory(&readout, built(b), NULL);
        expect_packets(PACKETS, variant / 2 ? 1 : NANOS_PER_MICRO);
        assert_false(readout.info.truncated);
        assert_int_equal(readout.info.packets, PACKETS);
        assert_int_equal(readout.info.damaged_bytes, 0);
        assert_int_equal(readout.info.first_seen, SECOND * NANOS_PER_SECOND);
        assert_string_equal(readout.info.link_types, "EN10MB");
        assert_string_equal(readout.info.format, "pcap");
        memory_free(b);
    }
}

// Records with longer headers, whether the magic number tells or not.
static void reads_modified_variants(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic;
        unsigned extra;
    } variants[] = {{0xa1b2cd34, 8}, {0xa1b2cd34, 12}, {0xa1b2c3d4, 8}, {0xa1b2c3d4, 4}};
    for (unsigned v = 0; v < 4; v++) {
        struct build *b = build_create(v & 1);
        pcap_put_header(b, variants[v].magic, 1);
        for (unsigned i = 0; i < PACKETS; i++) {
            pcap_put_packet(b, SECOND + i, i, 20 + i, 30 + i, 0);
            b->n -= 20 + i;
            put_fill(b, 0x7f, variants[v].extra);
            put_fill(b, (uint8_t)(i + 1), 20 + i);
        }
        read_memory(&readout, built(b), NULL);
        expect_packets(PACKETS, NANOS_PER_MICRO);
        memory_free(b);
    }
}

static void reads_old_version_with_swapped_lengths(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    b->p[6] = 2; // version 2.2
    put_u32(b, SECOND);
    put_u32(b, 5);
    put_u32(b, 100);
    put_u32(b, 8);
    put_fill(b, 9, 8);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, 1);
    assert_int_equal(readout.packets[0].captured, 8);
    assert_int_equal(readout.packets[0].length, 100);
    memory_free(b);
}

static void gives_all_packets_before_a_cut(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    size_t ends[PACKETS + 1] = {b->n};
    for (unsigned i = 0; i < PACKETS; i++) {
        pcap_put_packet(b, SECOND + i, i, 20 + i, 30 + i, (uint8_t)(i + 1));
        ends[i + 1] = b->n;
    }
    unsigned whole = 0;
    for (size_t n = 4; n <= b->n; n++) {
        while (whole < PACKETS && ends[whole + 1] <= n) whole++;
        read_memory(&readout, bytes_of(b->p, n), NULL);
        assert_true(readout.opened);
        expect_packets(n < ends[0] ? 0 : whole, NANOS_PER_MICRO);
        bool on_boundary = n == ends[whole];
        assert_int_equal(readout.info.truncated, !on_boundary);
        assert_int_equal(readout.remark[0] != 0, !on_boundary);
        assert_int_equal(readout.info.damaged_bytes, 0);
        assert_int_equal(readout.info.cut_bytes, n < ends[0] ? n : n - ends[whole]);
    }
    memory_free(b);
}

// Random bytes between two packets: everything else is read, and they are counted.
static void goes_on_behind_damage(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (unsigned size = 1; size < 5000; size = size * 3 + 1) {
        struct build *b = build_create(size & 1);
        pcap_put_header(b, 0xa1b2c3d4, 1);
        put_packets(b, PACKETS / 2);
        for (unsigned i = 0; i < size; i++) {
            random = random * 1664525 + 1013904223;
            put_u8(b, (uint8_t)(random >> 24 | 0x80));
        }
        for (unsigned i = PACKETS / 2; i < PACKETS; i++) {
            pcap_put_packet(b, SECOND + i, i, 20 + i, 30 + i, (uint8_t)(i + 1));
        }
        read_memory(&readout, built(b), NULL);
        expect_packets(PACKETS, NANOS_PER_MICRO);
        assert_int_equal(readout.info.damaged_bytes, size);
        assert_false(readout.info.truncated);
        assert_true(readout.remark[0] != 0);
        memory_free(b);
    }
}

// A hole of zeros is damage, not thousands of empty packets.
static void skips_zeros(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    put_packets(b, 4);
    put_fill(b, 0, 1000001);
    for (unsigned i = 4; i < PACKETS; i++) {
        pcap_put_packet(b, SECOND + i, i, 20 + i, 30 + i, (uint8_t)(i + 1));
    }
    read_memory(&readout, built(b), NULL);
    expect_packets(PACKETS, NANOS_PER_MICRO);
    assert_int_equal(readout.info.damaged_bytes, 1000001);
    memory_free(b);
}

// Unusual headers that make sense in their place are packets.
static void believes_odd_packets(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    pcap_put_packet(b, SECOND, 0, 20, 20, 1);
    pcap_put_packet(b, SECOND + 86400 * 400, 0, 20, 20, 2); // more than a year later
    pcap_put_packet(b, SECOND, 2000000, 20, 20, 3);         // two seconds in the fraction
    pcap_put_packet(b, SECOND, 0, 20, 10, 4);               // more than there was
    pcap_put_packet(b, SECOND, 0, 0, 0, 0);                 // empty
    pcap_put_packet(b, 0, 0, 20, 20, 5);                    // no clock
    pcap_put_packet(b, SECOND, 0, 20, 20, 6);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, 7);
    assert_int_equal(readout.packets[3].length, 10);
    assert_int_equal(readout.packets[6].fill, 6);
    assert_int_equal(readout.info.damaged_bytes, 0);
    assert_int_equal(readout.info.packets_backwards, 3);
    memory_free(b);
}

// Records at all places relative to the ends of blocks, and records longer than a block.
static void reads_long_records(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    uint32_t sizes[PACKETS];
    for (unsigned i = 0; i < PACKETS; i++) {
        sizes[i] = i % 3 == 2 ? 262144 : 65536 + 7 * i;
        pcap_put_packet(b, SECOND, i, sizes[i], sizes[i], (uint8_t)(i + 1));
    }
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, PACKETS);
    for (unsigned i = 0; i < PACKETS; i++) {
        assert_int_equal(readout.packets[i].captured, sizes[i]);
        assert_int_equal(readout.packets[i].fill, i + 1);
        assert_false(readout.packets[i].damaged);
    }
    memory_free(b);
}

static void reads_snoop(void **state)
{
    (void)state;
    struct build *b = build_create(true);
    for (const char *c = "snoop"; *c; c++) put_u8(b, (uint8_t)*c);
    put_fill(b, 0, 3);
    put_u32(b, 2);
    put_u32(b, 4);
    for (unsigned i = 0; i < PACKETS; i++) {
        uint32_t padding = (4 - (20 + i) % 4) % 4;
        put_u32(b, 30 + i);
        put_u32(b, 20 + i);
        put_u32(b, 24 + 20 + i + padding);
        put_u32(b, 3);
        put_u32(b, SECOND + i);
        put_u32(b, i);
        put_fill(b, (uint8_t)(i + 1), 20 + i);
        put_fill(b, 0, padding);
        if (i == 5) put_fill(b, 0xff, 77);
    }
    read_memory(&readout, built(b), NULL);
    expect_packets(PACKETS, NANOS_PER_MICRO);
    assert_int_equal(readout.info.damaged_bytes, 77);
    assert_int_equal(readout.info.interface_drops, 3);
    assert_string_equal(readout.info.format, "snoop");
    memory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_orders_and_resolutions),
        cmocka_unit_test(reads_modified_variants),
        cmocka_unit_test(reads_old_version_with_swapped_lengths),
        cmocka_unit_test(gives_all_packets_before_a_cut),
        cmocka_unit_test(goes_on_behind_damage),
        cmocka_unit_test(skips_zeros),
        cmocka_unit_test(believes_odd_packets),
        cmocka_unit_test(reads_long_records),
        cmocka_unit_test(reads_snoop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
