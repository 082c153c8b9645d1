// Packets by their places: for each format a capture of some megabytes is read once, and then
// fetched from with and without the map that was made of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/capture_builder.h"
#include "source/fetch.h"

enum { SECOND = 1700000000, CAPTURED = 1000, PACKETS = 3600, SECTIONS = 6 };

// What the sink was given.
struct kept {
    struct build *content;
    struct capture_map map;
    uint8_t sha256[SHA256_SIZE];
    bool begun, ended, keep;
};

static void *kept_begin(void *context, uint32_t number, bool keep)
{
    struct kept *k = context;
    assert_int_equal(number, 0);
    k->begun = true;
    k->keep = keep;
    return k;
}

static void kept_add(void *capture, bytes content)
{
    struct kept *k = capture;
    memcpy(k->content->p + k->content->n, content.p, content.n);
    k->content->n += content.n;
}

static void kept_end(void *capture, const struct capture_end *end)
{
    struct kept *k = capture;
    struct text t = {0};
    capture_map_put(end->map, &t);
    struct reader r = reader_of(bytes_of(t.p, t.n));
    assert_true(capture_map_read(&k->map, &r));
    text_deinit(&t);
    memcpy(k->sha256, end->sha256, sizeof k->sha256);
    k->ended = true;
}

static struct readout readout;
static struct kept kept;
static char path[64], name[32];

static void read_and_keep(bool keep)
{
    const char *paths[] = {path};
    struct source_options options = {.paths = paths,
                                     .path_count = 1,
                                     .hash_captures = true,
                                     .captures = {&kept, keep, kept_begin, kept_add, kept_end}};
    struct source *s = source_open(&options, NULL);
    assert_non_null(s);
    struct packet_batch *packets = packet_batch_create();
    while (source_read(s, packets, NULL) == SOURCE_PACKETS) packet_batch_clear(packets);
    packet_batch_destroy(packets);
    source_close(s);
    assert_true(kept.begun && kept.ended && kept.keep == keep);
}

static ssize_t content_read(struct capture_content *c, uint64_t offset, uint8_t *to, size_t size)
{
    const struct build *b = c->context;
    bytes rest = bytes_after(bytes_of(b->p, b->n), offset < b->n ? (size_t)offset : b->n);
    rest = bytes_first(rest, size);
    if (rest.n) memcpy(to, rest.p, rest.n);
    return (ssize_t)rest.n;
}

// Every `step`th packet is what it was when all was read.
static void check_fetch(const struct fetch_from *from, uint32_t step)
{
    struct err err = {0};
    struct fetch *f = fetch_open(from, &err);
    assert_non_null(f);
    for (uint32_t i = step / 2; i < readout.count; i += step) {
        const struct seen *expected = &readout.packets[i];
        struct packet p = {0};
        assert_true(fetch_next(f, i, &p, &err));
        assert_int_equal(p.ordinal, i);
        assert_int_equal(p.time, expected->time);
        assert_int_equal(p.captured, expected->captured);
        assert_int_equal(p.length, expected->length);
        assert_int_equal(p.interface, expected->interface);
        assert_int_equal(p.link_type, expected->link_type);
        assert_int_equal(p.captured ? p.data[p.captured - 1] : 0, expected->fill);
    }
    struct packet p;
    assert_false(fetch_next(f, readout.count, &p, &err));
    assert_int_equal(err.code, ERR_INPUT);
    fetch_close(f);
}

static void check_capture(const struct build *b)
{
    static const uint32_t steps[] = {1, 7, 500, 1111, 3000};
    snprintf(name, sizeof name, "seek_test_%d", (int)getpid());
    snprintf(path, sizeof path, "/tmp/%s", name);
    file_put("/tmp", name, bytes_of(b->p, b->n));
    read_paths(&readout, (const char *[]){path}, 1, NULL);
    assert_true(readout.count > 3000);
    kept = (struct kept){.content = build_create(false)};
    read_and_keep(true);
    assert_true(bytes_equal(bytes_of(kept.content->p, kept.content->n), bytes_of(b->p, b->n)));
    assert_memory_equal(kept.sha256, readout.info.sha256, SHA256_SIZE);
    assert_in_range(kept.map.point_count, 2, b->n / CAPTURE_POINT_DISTANCE);
    struct capture_content content = {.context = kept.content, .read = content_read};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        check_fetch(&(struct fetch_from){.path = path}, steps[i]);
        check_fetch(&(struct fetch_from){.path = path, .map = &kept.map}, steps[i]);
        check_fetch(&(struct fetch_from){path, &content, &kept.map}, steps[i]);
    }
    memory_free(kept.content);
    capture_map_deinit(&kept.map);
    kept = (struct kept){0};
    read_and_keep(false);
    assert_in_range(kept.map.point_count, 2, b->n / CAPTURE_POINT_DISTANCE);
    capture_map_deinit(&kept.map);
    unlink(path);
}

static void seeks_in_pcap(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < PACKETS; i++)
        pcap_put_packet(b, SECOND + i * 40000, i, CAPTURED + i % 5, 2000, (uint8_t)i);
    check_capture(b);
    memory_free(b);
}

// Where the size of record headers is found out by the first of them (Red Hat's), from the middle
// it could not be.
static void seeks_in_pcap_with_long_headers(void **state)
{
    (void)state;
    struct build *b = build_create(true);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < PACKETS; i++) {
        put_u32(b, SECOND + i);
        put_u32(b, i);
        put_u32(b, CAPTURED);
        put_u32(b, CAPTURED);
        put_u64(b, 0x0102030405060708);
        put_fill(b, (uint8_t)i, CAPTURED);
    }
    check_capture(b);
    memory_free(b);
}

// Damage between packets: the place behind it is found again from a point before it.
static void seeks_around_damage(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < PACKETS; i++) {
        pcap_put_packet(b, SECOND + i, i, CAPTURED, 2000, (uint8_t)i);
        if (i % 900 == 0) put_fill(b, 0xff, 777);
    }
    check_capture(b);
    memory_free(b);
}

static void simple_put(struct build *b, uint32_t captured, uint8_t fill)
{
    size_t place = block_begin(b, 3);
    put_u32(b, captured);
    put_fill(b, fill, captured);
    block_end(b, place);
}

// Sections in both byte orders, interfaces that come late, packets without a time of their own.
static void seeks_in_pcapng(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    for (uint32_t section = 0; section < SECTIONS; section++) {
        b->big = section % 2;
        section_put(b, "a section");
        interface_put(b, (uint16_t)(1 + section), section % 2 ? 9 : -1);
        for (uint32_t i = 0; i < PACKETS / SECTIONS; i++) {
            if (i == 300) interface_put(b, 113, 3);
            uint32_t interface = i > 300 && i % 3 == 0;
            if (i % 100 == 99) simple_put(b, CAPTURED, (uint8_t)i);
            else enhanced_put(b, interface, SECOND + i * 1000, CAPTURED + i % 7, 3000, (uint8_t)i);
        }
    }
    check_capture(b);
    memory_free(b);
}

static void seeks_in_snoop(void **state)
{
    (void)state;
    struct build *b = build_create(true);
    for (const char *c = "snoop"; *c; c++) put_u8(b, (uint8_t)*c);
    put_fill(b, 0, 3);
    put_u32(b, 2);
    put_u32(b, 4);
    for (uint32_t i = 0; i < PACKETS; i++) {
        put_u32(b, 1500);
        put_u32(b, CAPTURED);
        put_u32(b, 24 + CAPTURED);
        put_u32(b, 0);
        put_u32(b, SECOND + i);
        put_u32(b, i);
        put_fill(b, (uint8_t)i, CAPTURED);
    }
    check_capture(b);
    memory_free(b);
}

// A map that lies gives other packets or none, and an end.
static void survives_a_wrong_map(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, -1);
    for (uint32_t i = 0; i < PACKETS; i++) enhanced_put(b, 0, i, CAPTURED, CAPTURED, (uint8_t)i);
    struct capture_content content = {.context = b, .read = content_read};
    uint32_t seed = 7;
    for (unsigned trial = 0; trial < 300; trial++) {
        struct capture_map map = {0};
        for (uint64_t i = 0, at = 0, ordinal = 0; i < 20; i++) {
            seed = seed * 1664525 + 1013904223;
            at += (seed >> 8) % (b->n / 16);
            ordinal += (seed >> 16) % 400;
            capture_map_describe(&map, at / 2);
            capture_map_add(&map, (struct capture_point){ordinal, at, seed});
        }
        struct fetch *f = fetch_open(&(struct fetch_from){"wrong", &content, &map}, NULL);
        struct packet p;
        for (uint64_t i = 0; i < PACKETS && fetch_next(f, i, &p, NULL); i += 37)
            assert_int_equal(p.ordinal, i);
        fetch_close(f);
        capture_map_deinit(&map);
    }
    memory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeks_in_pcap),   cmocka_unit_test(seeks_in_pcap_with_long_headers),
        cmocka_unit_test(seeks_in_pcapng), cmocka_unit_test(seeks_around_damage),
        cmocka_unit_test(seeks_in_snoop),  cmocka_unit_test(survives_a_wrong_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
