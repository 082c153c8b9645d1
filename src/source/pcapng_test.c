#include "source/capture_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"

static struct readout readout;

static const nanos start = INT64_C(1700000000) * INT64_C(1000000000);

static bytes built(const struct build *b)
{
    return bytes_of(b->p, b->n);
}

static void put_simple(struct build *b, uint32_t length, uint8_t fill)
{
    size_t place = block_begin(b, 3);
    put_u32(b, length);
    put_fill(b, fill, length);
    block_end(b, place);
}

static void put_old(struct build *b, uint16_t interface, uint16_t drops, uint64_t ticks,
                    uint32_t length, uint8_t fill)
{
    size_t place = block_begin(b, 2);
    put_u16(b, interface);
    put_u16(b, drops);
    put_u32(b, (uint32_t)(ticks >> 32));
    put_u32(b, (uint32_t)ticks);
    put_u32(b, length);
    put_u32(b, length);
    put_fill(b, fill, length);
    block_end(b, place);
}

// Two interfaces with different link types and resolutions, in both byte orders.
static void reads_interfaces(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct build *b = build_create(big);
        section_put(b, NULL);
        interface_put(b, 1, -1);
        interface_put(b, 113, 9);
        interface_put(b, 101, 0x80 | 10);
        enhanced_put(b, 0, (uint64_t)start / 1000 + 1, 21, 60, 1);
        enhanced_put(b, 1, (uint64_t)start + 2000, 22, 60, 2);
        enhanced_put(b, 2, (uint64_t)(start / NANOS_PER_SECOND) << 10 | 512, 23, 60, 3);
        read_memory(&readout, built(b), NULL);
        assert_int_equal(readout.count, 3);
        static const nanos after[] = {1000, 2000, NANOS_PER_SECOND / 2};
        static const uint16_t link_types[] = {1, 113, 101};
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(readout.packets[i].time, start + after[i]);
            assert_int_equal(readout.packets[i].captured, 21 + i);
            assert_int_equal(readout.packets[i].interface, i);
            assert_int_equal(readout.packets[i].link_type, link_types[i]);
            assert_int_equal(readout.packets[i].fill, i + 1);
            assert_false(readout.packets[i].damaged);
        }
        assert_string_equal(readout.info.link_types, "EN10MB,LINUX_SLL,RAW");
        assert_int_equal(readout.info.interface_count, 3);
        memory_free(b);
    }
}

static void reads_time_offsets(void **state)
{
    (void)state;
    struct build *b = build_create(true);
    section_put(b, NULL);
    size_t place = block_begin(b, 1);
    put_u16(b, 1);
    put_u16(b, 0);
    put_u32(b, 0);
    static const uint8_t offset[8] = {0, 0, 0, 0, 0x65, 0x53, 0xf1, 0x00}; // 1700000000 s
    option_put(b, 14, offset, sizeof offset);
    block_end(b, place);
    enhanced_put(b, 0, 7, 20, 20, 1);
    enhanced_put(b, 0, UINT64_MAX, 20, 20, 2); // further away than a time can be
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, 2);
    assert_int_equal(readout.packets[0].time, start + 7000);
    assert_int_equal(readout.packets[1].time, INT64_MAX - 1);
    memory_free(b);
}

// Packets without a time get that of the packet before; old blocks tell drops.
static void reads_simple_and_old_blocks(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, -1);
    put_simple(b, 33, 1);
    put_old(b, 0, 4, (uint64_t)start / 1000, 34, 2);
    put_simple(b, 35, 3);
    put_old(b, 0, 0xffff, (uint64_t)start / 1000 + 1, 36, 4);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, 4);
    static const nanos times[] = {0, 0, 0, 1000};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(readout.packets[i].time, i == 0 ? 0 : start + times[i]);
        assert_int_equal(readout.packets[i].captured, 33 + i);
        assert_int_equal(readout.packets[i].fill, i + 1);
        assert_false(readout.packets[i].damaged);
    }
    assert_int_equal(readout.info.interface_drops, 4);
    assert_int_equal(readout.info.first_seen, start);
    memory_free(b);
}

// Interface numbers go on through sections; byte order may change.
static void reads_sections(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, "first");
    interface_put(b, 1, -1);
    enhanced_put(b, 0, (uint64_t)start / 1000, 20, 20, 1);
    b->big = true;
    section_put(b, "second");
    interface_put(b, 101, 9);
    enhanced_put(b, 0, (uint64_t)start, 20, 20, 2);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, 2);
    assert_int_equal(readout.packets[1].interface, 1);
    assert_int_equal(readout.packets[1].link_type, 101);
    assert_int_equal(readout.packets[1].time, start);
    assert_string_equal(readout.comments, "first\nsecond");
    memory_free(b);
}

static void put_statistics(struct build *b, uint32_t interface, uint8_t drops)
{
    uint8_t value[8] = {0};
    value[b->big ? 7 : 0] = drops;
    size_t place = block_begin(b, 5);
    put_u32(b, interface);
    put_u64(b, 0);
    option_put(b, 5, value, 8);
    option_put(b, 7, value, 8);
    option_put(b, 0, NULL, 0);
    block_end(b, place);
}

// Statistics are running totals: the last one of each interface counts. Names and custom blocks are
// passed over.
static void reads_other_blocks(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, -1);
    interface_put(b, 1, -1);
    put_statistics(b, 0, 3);
    put_statistics(b, 0, 5);
    put_statistics(b, 1, 1);
    size_t place = block_begin(b, 10);
    put_u32(b, 0x544c534b);
    put_u32(b, 5);
    put_fill(b, 'k', 5);
    block_end(b, place);
    place = block_begin(b, 4);
    put_fill(b, 0, 8);
    block_end(b, place);
    place = block_begin(b, 0x12345678);
    put_fill(b, 1, 100);
    block_end(b, place);
    place = block_begin(b, 6);
    put_fill(b, 0, 12);
    put_u64(b, 0);
    option_put(b, 1, "a packet's\xff", 11);
    option_put(b, 0, NULL, 0);
    block_end(b, place);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, 1);
    assert_int_equal(readout.info.interface_drops, 12);
    assert_int_equal(readout.secrets, 1);
    assert_string_equal(readout.comments, "a packet's\\xff");
    assert_int_equal(readout.info.damaged_bytes, 0);
    memory_free(b);
}

static void gives_all_packets_before_a_cut(void **state)
{
    (void)state;
    enum { PACKETS = 6 };
    struct build *b = build_create(false);
    section_put(b, "text");
    size_t section_end = b->n;
    interface_put(b, 1, 9);
    size_t ends[PACKETS + 1] = {b->n};
    for (unsigned i = 0; i < PACKETS; i++) {
        enhanced_put(b, 0, (uint64_t)start + i, 20 + i, 30, (uint8_t)(i + 1));
        ends[i + 1] = b->n;
    }
    unsigned whole = 0;
    for (size_t n = 8; n <= b->n; n++) {
        while (whole < PACKETS && ends[whole + 1] <= n) whole++;
        read_memory(&readout, bytes_of(b->p, n), NULL);
        assert_true(readout.opened);
        assert_int_equal(readout.count, n < ends[0] ? 0 : whole);
        bool on_boundary = n == ends[whole] || n == section_end;
        assert_int_equal(readout.info.truncated, !on_boundary);
        assert_int_equal(readout.info.damaged_bytes, 0);
    }
    memory_free(b);
}

static void goes_on_behind_damage(void **state)
{
    (void)state;
    for (unsigned size = 1; size < 200000; size = size * 5 + 3) {
        struct build *b = build_create(size & 1);
        section_put(b, NULL);
        interface_put(b, 1, 9);
        for (unsigned i = 0; i < 5; i++) enhanced_put(b, 0, (uint64_t)start + i, 40, 40, 1);
        for (unsigned i = 0; i < size; i++) put_u8(b, (uint8_t)(i * 7 + i / 256));
        size_t place = b->n;
        for (unsigned i = 5; i < 9; i++) enhanced_put(b, 0, (uint64_t)start + i, 40, 40, 1);
        b->p[place + 72 + 4] ^= 0x40; // the second behind it has a wrong length
        read_memory(&readout, built(b), NULL);
        assert_int_equal(readout.count, 8);
        assert_int_equal(readout.packets[7].time, start + 8);
        assert_int_equal(readout.packets[7].ordinal, 7);
        assert_int_equal(readout.info.damaged_bytes, size + 72);
        memory_free(b);
    }
}

// Whichever bit of a packet block is wrong, no other packet is lost.
static void loses_one_packet_to_a_flipped_bit(void **state)
{
    (void)state;
    enum { PACKETS = 8 };
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, 9);
    size_t first = b->n;
    for (unsigned i = 0; i < PACKETS; i++) {
        enhanced_put(b, 0, (uint64_t)start + i, 40, 40, (uint8_t)(i + 1));
    }
    for (size_t bit = first * 8; bit < b->n * 8; bit++) {
        b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        read_memory(&readout, built(b), NULL);
        b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        unsigned intact = 0;
        for (unsigned k = 0; k < readout.count; k++) {
            const struct seen *p = &readout.packets[k];
            intact += !p->damaged && p->captured == 40;
        }
        assert_true(intact >= PACKETS - 1);
    }
    memory_free(b);
}

// A block that contradicts itself is damage; the blocks behind it are in place.
static void skips_broken_blocks(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, 9);
    size_t place = b->n;
    enhanced_put(b, 1, (uint64_t)start, 40, 40, 1); // an interface that is not there
    size_t size = b->n - place;
    enhanced_put(b, 0, (uint64_t)start, 40, 40, 2);
    b->p[b->n - size + 20] = 60; // longer than its block
    enhanced_put(b, 0, (uint64_t)start + 9, 40, 40, 3);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.count, 1);
    assert_int_equal(readout.packets[0].fill, 3);
    assert_int_equal(readout.info.damaged_bytes, 2 * size);
    memory_free(b);
}

static void put_span(struct build *b, uint64_t from, uint64_t to, uint64_t drops,
                     const char *comment)
{
    uint32_t times[] = {(uint32_t)(from >> 32), (uint32_t)from, (uint32_t)(to >> 32), (uint32_t)to};
    size_t place = block_begin(b, 5);
    put_u32(b, 0);
    put_u32(b, times[2]);
    put_u32(b, times[3]);
    if (comment) option_put(b, 1, comment, (uint16_t)strlen(comment));
    option_put(b, 2, times, 8);
    option_put(b, 3, times + 2, 8);
    option_put(b, comment ? 5 : 7, &drops, 8);
    option_put(b, 0, NULL, 0);
    block_end(b, place);
}

// What statistics tell one after another is lost since those before.
static void losses_have_times(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, -1);
    enhanced_put(b, 0, 1000000, 20, 20, 1);
    put_span(b, 500000, 2000000, 3, NULL);
    put_span(b, 500000, 3000000, 3, NULL);
    put_span(b, 500000, 4000000, 10, NULL);
    put_span(b, 4100000, 4200000, 0, INTERFACE_DOWN);
    put_span(b, 4300000, 4400000, 5, MESSAGES_UNDECODABLE);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.info.interface_drops, 10);
    assert_int_equal(readout.info.loss_count, 4);
    static const struct capture_loss expected[] = {
        {"", 500 * NANOS_PER_MILLI, 2 * NANOS_PER_SECOND, 3, 0, "interface_drops"},
        {"", 3 * NANOS_PER_SECOND, 4 * NANOS_PER_SECOND, 7, 0, "interface_drops"},
        {"", 4100 * NANOS_PER_MILLI, 4200 * NANOS_PER_MILLI, 0, 0, "interface_down"},
        {"", 4300 * NANOS_PER_MILLI, 4400 * NANOS_PER_MILLI, 0, 5, "undecodable"}};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(readout.losses[i].from, expected[i].from);
        assert_int_equal(readout.losses[i].to, expected[i].to);
        assert_int_equal(readout.losses[i].packets, expected[i].packets);
        assert_int_equal(readout.losses[i].messages, expected[i].messages);
        assert_string_equal(readout.losses[i].reason, expected[i].reason);
    }
    assert_string_equal(readout.comments, "");
    memory_free(b);
}

// A packet that each time was preceded by a loss does not fill the memory.
static void many_losses_become_one(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, -1);
    for (uint64_t i = 1; i <= 2 * CAPTURE_LOSSES_MAX; i++) put_span(b, 0, i * 1000000, i, NULL);
    read_memory(&readout, built(b), NULL);
    assert_int_equal(readout.info.interface_drops, 2 * CAPTURE_LOSSES_MAX);
    assert_int_equal(readout.info.loss_count, CAPTURE_LOSSES_MAX);
    assert_int_equal(readout.losses[CAPTURE_LOSSES_MAX - 1].packets, CAPTURE_LOSSES_MAX + 1);
    memory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_interfaces),
        cmocka_unit_test(reads_time_offsets),
        cmocka_unit_test(reads_simple_and_old_blocks),
        cmocka_unit_test(reads_sections),
        cmocka_unit_test(reads_other_blocks),
        cmocka_unit_test(losses_have_times),
        cmocka_unit_test(many_losses_become_one),
        cmocka_unit_test(gives_all_packets_before_a_cut),
        cmocka_unit_test(goes_on_behind_damage),
        cmocka_unit_test(loses_one_packet_to_a_flipped_bit),
        cmocka_unit_test(skips_broken_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
