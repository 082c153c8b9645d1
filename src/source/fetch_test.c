#include "source/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/batch.h"
#include "source/capture_builder.h"
#include "source/capture_kind.h"
#include "source/capture_writer.h"

enum { PACKETS = 5000, SECOND = 1700000000 };

static char path[64];

static int capture_setup(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < PACKETS; i++) {
        pcap_put_packet(b, SECOND + i, 0, 100 + i % 7, 200, (uint8_t)i);
    }
    char name[32];
    snprintf(name, sizeof name, "fetch_test_%d", (int)getpid());
    snprintf(path, sizeof path, "/tmp/%s", name);
    file_put("/tmp", name, bytes_of(b->p, b->n));
    memory_free(b);
    return 0;
}

static int capture_teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static void gives_packets_by_ordinal(void **state)
{
    (void)state;
    struct err err = {0};
    struct fetch *f = fetch_open(&(struct fetch_from){.path = path}, &err);
    assert_non_null(f);
    static const uint64_t wanted[] = {0, 1, 2, 255, 256, 257, 1000, 4998, 4999};
    for (unsigned k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        struct packet p = {0};
        assert_true(fetch_next(f, wanted[k], &p, &err));
        assert_int_equal(p.ordinal, wanted[k]);
        assert_int_equal(p.captured, 100 + wanted[k] % 7);
        assert_int_equal(p.time / NANOS_PER_SECOND, SECOND + wanted[k]);
        assert_int_equal(p.data[50], (uint8_t)wanted[k]);
    }
    struct packet p;
    assert_false(fetch_next(f, PACKETS, &p, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "5001"));
    fetch_close(f);
    assert_null(fetch_open(&(struct fetch_from){.path = "/tmp/there is no such file"}, &err));
}

// What is written is read as it was: bytes, lengths, times, interfaces and comments.
static void writes_what_it_gave(void **state)
{
    (void)state;
    static const char *const comments[] = {"first", "second"};
    const bytes spoken[] = {bytes_text(comments[0]), bytes_text(comments[1])};
    uint8_t data[] = {1, 2, 3, 4, 5};
    char name[] = "/tmp/fetch_test_XXXXXX";
    int file = mkstemp(name);
    FILE *out = fdopen(file, "wb");
    struct capture_writer w;
    capture_write_begin(&w, out, "test");
    struct capture_interface plain = {.link_type = 1}, named = {101, 96, "eth7"};
    assert_int_equal(capture_write_interface(&w, &plain), 0);
    assert_int_equal(capture_write_interface(&w, &named), 1);
    struct packet p = {.data = data, .captured = 5, .length = 9, .time = 1700000000123456789};
    capture_write_packet(&w, 1, &p, spoken, 2);
    p.captured = 4;
    capture_write_packet(&w, 0, &p, NULL, 0);
    assert_int_equal(fclose(out), 0);
    struct err err = {0};
    struct fetch *f = fetch_open(&(struct fetch_from){.path = name}, &err);
    struct packet got = {0};
    struct capture_interface i;
    assert_non_null(f);
    assert_true(fetch_next(f, 0, &got, &err));
    assert_int_equal(got.time, p.time);
    assert_int_equal(got.captured, 5);
    assert_int_equal(got.length, 9);
    assert_memory_equal(got.data, data, 5);
    fetch_interface(f, &i);
    assert_int_equal(i.link_type, 101);
    assert_int_equal(i.snap_length, 96);
    assert_string_equal(i.name, "eth7");
    assert_true(bytes_equal(fetch_comment(f, 1), spoken[1]));
    assert_int_equal(fetch_comment(f, 2).n, 0);
    assert_true(fetch_next(f, 1, &got, &err));
    fetch_interface(f, &i);
    assert_int_equal(i.link_type, 1);
    assert_int_equal(got.captured, 4);
    assert_int_equal(fetch_comment(f, 0).n, 0);
    assert_false(fetch_next(f, 2, &got, &err));
    fetch_close(f);
    unlink(name);
}

static void makes_a_row(void **state)
{
    (void)state;
    const char *paths[] = {path};
    struct source_options options = {.paths = paths, .path_count = 1, .hash_captures = true};
    struct source *s = source_open(&options, NULL);
    struct packet_batch *packets = packet_batch_create();
    while (source_read(s, packets, NULL) == SOURCE_PACKETS) packet_batch_clear(packets);
    uint8_t memory[4096];
    struct row row;
    row_init(&row, &capture_kind, memory, sizeof memory);
    capture_row(source_capture(s, 0), &row);
    struct record_batch *batch = batch_create(&capture_kind);
    assert_true(batch_append(batch, &row));
    assert_int_equal(batch_get(batch, CAPTURE_PACKETS, 0), PACKETS);
    assert_int_equal(batch_get(batch, CAPTURE_BYTES, 0), PACKETS * 200);
    assert_int_equal(batch_get(batch, CAPTURE_LAST_SEEN, 0),
                     (SECOND + PACKETS - 1) * NANOS_PER_SECOND);
    assert_int_equal(batch_get_bytes(batch, CAPTURE_SHA256, 0).n, 32);
    assert_true(bytes_equal(batch_get_bytes(batch, CAPTURE_PATH, 0), bytes_text(path)));
    assert_true(bytes_equal(batch_get_bytes(batch, CAPTURE_LINK_TYPES, 0), bytes_text("EN10MB")));
    assert_false(batch_has(batch, CAPTURE_COMMENTS, 0));
    assert_int_equal(CAPTURE_READING + 1, capture_kind.field_count);
    batch_destroy(batch);
    packet_batch_destroy(packets);
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_packets_by_ordinal),
        cmocka_unit_test(writes_what_it_gave),
        cmocka_unit_test(makes_a_row),
    };
    return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
