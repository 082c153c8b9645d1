#include "store/extent.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/decompress.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/extents.h"
#include "store/fixture.h"

enum { SIZE = 5 * EXTENT_FRAME_SIZE + 12345, PIECE = 100000, TRIALS = 2000, SEQ = 7 };

static struct err err;
static struct extents extents;
static char *folder;
static uint8_t *content;

static int set_up(void **state)
{
    char path[128];
    (void)state;
    folder = fixture_folder();
    snprintf(path, sizeof path, "%s/packets", folder);
    assert_true(folder_make(path, &err));
    snprintf(path, sizeof path, "%s/packets/.new", folder);
    assert_true(folder_make(path, &err));
    assert_true(extents_init(&extents, folder, &err));
    content = memory_get(SIZE);
    for (size_t i = 0; i < SIZE; i++) content[i] = (uint8_t)(i * i >> (i % 13));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    extents_deinit(&extents);
    fixture_folder_remove(folder);
    memory_free(content);
    return 0;
}

static void put(uint32_t number, size_t size, bool keep, const struct capture_map *map)
{
    struct capture_sink sink = extents_sink(&extents, keep);
    void *capture = sink.begin(sink.context, number, keep);
    for (size_t at = 0; keep && at < size; at += PIECE)
        sink.add(capture, bytes_of(content + at, size - at < PIECE ? size - at : PIECE));
    struct capture_end end = {.map = map, .bytes = size};
    sha256_of(bytes_of(content, size), end.sha256);
    sink.end(capture, &end);
}

static struct capture_map map_of(size_t size)
{
    struct capture_map m = {0};
    capture_map_describe(&m, 0);
    for (size_t at = 1000; at < size; at += CAPTURE_POINT_DISTANCE)
        capture_map_add(&m, (struct capture_point){at / 100, at, at});
    return m;
}

static struct catalogue_reading commit(void)
{
    struct catalogue_reading entry = {.seq = SEQ};
    assert_true(extents_commit(&extents, &entry, &err));
    return entry;
}

static char *path_of(const struct catalogue_extent *e)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, e->path);
    return path;
}

static void check_read(struct extent *e, uint64_t offset, size_t size)
{
    static uint8_t to[4096];
    struct capture_content *c = extent_content(e);
    ssize_t n = c->read(c, offset, to, size < sizeof to ? size : sizeof to);
    assert_true(n > 0);
    assert_memory_equal(to, content + offset, (size_t)n);
}

static void gives_any_place_back(void **state)
{
    (void)state;
    struct capture_map map = map_of(SIZE);
    put(0, SIZE, true, &map);
    struct catalogue_reading entry = commit();
    assert_int_equal(entry.extent_count, 1);
    assert_string_equal(entry.extents[0].path, "packets/00000007-0001.zst");
    assert_int_equal(entry.extents[0].content_bytes, SIZE);
    struct extent *e = extent_open(folder, &entry.extents[0], &err);
    assert_non_null(e);
    assert_int_equal(extent_map(e)->point_count, map.point_count);
    for (uint64_t at = 0; at < SIZE; at += 77777) check_read(e, at, 1000);
    check_read(e, EXTENT_FRAME_SIZE - 1, 10);
    check_read(e, SIZE - 1, 10);
    struct capture_content *c = extent_content(e);
    uint8_t to[1];
    assert_int_equal(c->read(c, SIZE, to, 1), 0);
    assert_int_equal(c->read(c, UINT64_MAX, to, 1), 0);
    extent_close(e);
    capture_map_deinit(&map);
    catalogue_free_extents(&entry);
}

// Whoever has a zstd program, but not this one, has the capture.
static void is_what_decompressors_read(void **state)
{
    (void)state;
    struct capture_map map = map_of(SIZE);
    put(0, SIZE, true, &map);
    struct catalogue_reading entry = commit();
    bytes file = file_read(path_of(&entry.extents[0]), 100 << 20, &err), rest = file;
    uint8_t *out = memory_get(SIZE + 1), sha256[SHA256_SIZE];
    char hex[HEX_SHA256_SIZE];
    size_t n = 0, written = 0;
    struct decompressor *d = decompressor_create(COMPRESSION_ZSTD);
    while (decompress(d, &rest, out + n, SIZE + 1 - n, &written) != DECOMPRESS_BROKEN && written)
        n += written;
    assert_int_equal(rest.n, 0);
    assert_int_equal(n, SIZE);
    assert_memory_equal(out, content, SIZE);
    sha256_of(bytes_of(out, n), sha256);
    hex_format(hex, bytes_of(sha256, sizeof sha256));
    assert_string_equal(hex, entry.extents[0].content_sha256);
    sha256_of(file, sha256);
    hex_format(hex, bytes_of(sha256, sizeof sha256));
    assert_string_equal(hex, entry.extents[0].sha256);
    decompressor_destroy(d);
    memory_free(out);
    memory_free((uint8_t *)file.p);
    capture_map_deinit(&map);
    catalogue_free_extents(&entry);
}

static void notes_only_places_of_what_is_not_kept(void **state)
{
    (void)state;
    struct capture_map map = map_of(SIZE), none = {0};
    put(0, SIZE, false, &map);
    put(1, 1000, false, &none); // nothing to know of it
    put(2, 1000, true, &none);
    struct catalogue_reading entry = commit();
    assert_int_equal(entry.extent_count, 2);
    assert_string_equal(entry.extents[0].path, "packets/00000007-0001.idx");
    assert_string_equal(entry.extents[1].path, "packets/00000007-0003.zst");
    assert_false(catalogue_is_kept(&entry.extents[0]));
    assert_true(catalogue_is_kept(&entry.extents[1]));
    struct extent *e = extent_open(folder, &entry.extents[0], &err);
    assert_non_null(e);
    assert_null(extent_content(e));
    assert_int_equal(extent_map(e)->point_count, map.point_count);
    extent_close(e);
    capture_map_deinit(&map);
    catalogue_free_extents(&entry);
}

static void leaves_nothing_of_what_was_given_up(void **state)
{
    (void)state;
    struct capture_map none = {0};
    struct capture_sink sink = extents_sink(&extents, true);
    void *capture = sink.begin(sink.context, 0, true);
    for (unsigned i = 0; i < 30; i++) sink.add(capture, bytes_of(content, PIECE));
    put(1, SIZE, true, &none);
    extents_abort(&extents);
    struct catalogue_reading entry = commit();
    assert_int_equal(entry.extent_count, 0);
    char path[512];
    snprintf(path, sizeof path, "%s/packets/.new", folder);
    assert_int_equal(rmdir(path), 0);
}

static void carries_over_what_was_kept_before(void **state)
{
    (void)state;
    struct catalogue_capture captures[] = {{.sha256 = "aa"}, {.sha256 = "bb"}, {.sha256 = "cc"}};
    struct catalogue_extent kept[] = {{.capture = 2, .path = "packets/00000003-0003.zst"},
                                      {.capture = 0, .path = "packets/00000003-0001.idx"},
                                      {.capture = 9, .path = "packets/00000003-0009.zst"}};
    const struct catalogue_reading before = {
        .captures = captures, .capture_count = 3, .extents = kept, .extent_count = 3};
    struct catalogue_capture turned[] = {captures[2], captures[0]};
    struct catalogue_reading entry = {.seq = SEQ, .captures = turned, .capture_count = 2};
    extents_carry(&before, &entry);
    struct capture_map map = map_of(SIZE);
    put(0, SIZE, false, &map);
    put(1, SIZE, false, &map);
    assert_true(extents_commit(&extents, &entry, &err));
    assert_int_equal(entry.extent_count, 2);
    assert_string_equal(catalogue_extent_of(&entry, 0)->path, "packets/00000003-0003.zst");
    assert_string_equal(catalogue_extent_of(&entry, 1)->path, "packets/00000007-0002.idx");
    capture_map_deinit(&map);
    catalogue_free_extents(&entry);
}

// Reads all of it; whether that could be done.
static bool can_be_read(const struct catalogue_extent *named)
{
    static uint8_t to[EXTENT_FRAME_SIZE];
    err = (struct err){0};
    struct extent *e = extent_open(folder, named, &err);
    if (!e) return false;
    struct capture_content *c = extent_content(e);
    uint64_t at = 0;
    ssize_t n = 1;
    for (; c && at < SIZE && n > 0; at += (uint64_t)n) n = c->read(c, at, to, sizeof to);
    if (n < 0) err = c->err;
    extent_close(e);
    return n >= 0;
}

// One byte anywhere: a sentence, or bytes that are right all the same.
static void tells_what_was_damaged(void **state)
{
    (void)state;
    struct capture_map map = map_of(SIZE);
    put(0, SIZE, true, &map);
    struct catalogue_reading entry = commit();
    const struct catalogue_extent *named = &entry.extents[0];
    assert_true(can_be_read(named));
    int file = open(path_of(named), O_RDWR | O_CLOEXEC);
    for (uint32_t trial = 0, seed = 3; trial < 60; trial++) {
        seed = seed * 1664525 + 1013904223;
        off_t at = (off_t)((seed >> 4) % named->bytes);
        uint8_t before, changed;
        assert_int_equal(pread(file, &before, 1, at), 1);
        changed = before ^ (uint8_t)(1 << seed % 8);
        assert_int_equal(pwrite(file, &changed, 1, at), 1);
        if (!can_be_read(named)) assert_int_equal(err.code, ERR_INPUT);
        assert_int_equal(pwrite(file, &before, 1, at), 1);
    }
    uint8_t changed = 0xff;
    assert_int_equal(pwrite(file, &changed, 1, 500000), 1);
    assert_false(can_be_read(named));
    assert_non_null(strstr(err.text, "packets/00000007-0001.zst was damaged"));
    assert_int_equal(ftruncate(file, 1000), 0);
    assert_false(can_be_read(named));
    close(file);
    unlink(path_of(named));
    assert_false(can_be_read(named));
    assert_non_null(strstr(err.text, "is missing"));
    capture_map_deinit(&map);
    catalogue_free_extents(&entry);
}

static void refuses_an_index_that_is_none(void **state)
{
    (void)state;
    uint64_t frames[] = {0, 1000, 2000, 2500};
    uint64_t sums[] = {UINT64_C(0x0123456789abcdef), 0, UINT64_MAX};
    struct extent_index x = {1000, 2900, frames, NULL, 3, map_of(2900)}, read;
    struct text t = {0};
    extent_index_put(&x, &t); // as it was written before
    assert_true(extent_index_read(&read, bytes_of(t.p, t.n)));
    assert_memory_equal(read.frames, frames, sizeof frames);
    assert_null(read.sums);
    extent_index_deinit(&read);
    text_clear(&t);
    x.sums = sums;
    extent_index_put(&x, &t);
    assert_true(extent_index_read(&read, bytes_of(t.p, t.n)));
    assert_int_equal(read.frame_count, 3);
    assert_memory_equal(read.frames, frames, sizeof frames);
    assert_memory_equal(read.sums, sums, sizeof sums);
    extent_index_deinit(&read);
    for (size_t n = 0; n < t.n; n++) assert_false(extent_index_read(&read, bytes_of(t.p, n)));
    for (uint32_t trial = 0, seed = 5; trial < TRIALS; trial++) {
        seed = seed * 1664525 + 1013904223;
        uint8_t *at = (uint8_t *)t.p + (seed >> 8) % t.n, before = *at;
        *at = (uint8_t)seed;
        if (extent_index_read(&read, bytes_of(t.p, t.n))) extent_index_deinit(&read);
        *at = before;
    }
    capture_map_deinit(&x.map);
    text_deinit(&t);
}

static void uses_small_frames_when_many_are_open(void **state)
{
    (void)state;
    enum { MANY = EXTENTS_LARGE_MAX + 3 };
    struct capture_sink sink = extents_sink(&extents, true);
    struct capture_map none = {0};
    void *captures[MANY];
    for (uint32_t i = 0; i < MANY; i++) captures[i] = sink.begin(sink.context, i, true);
    for (uint32_t i = 0; i < MANY; i++)
        for (size_t at = 0; at + PIECE < SIZE / 4; at += PIECE)
            sink.add(captures[i], bytes_of(content + at, PIECE));
    struct capture_end end = {.map = &none, .bytes = SIZE / 4 / PIECE * PIECE};
    for (uint32_t i = 0; i < MANY; i++) sink.end(captures[i], &end);
    struct catalogue_reading entry = commit();
    assert_int_equal(entry.extent_count, MANY);
    struct extent *e = extent_open(folder, &entry.extents[MANY - 1], &err);
    assert_non_null(e);
    for (uint64_t at = 0; at < end.bytes; at += 99991) check_read(e, at, 100);
    extent_close(e);
    catalogue_free_extents(&entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_any_place_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_what_decompressors_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notes_only_places_of_what_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_nothing_of_what_was_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(carries_over_what_was_kept_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_what_was_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uses_small_frames_when_many_are_open, set_up, tear_down),
        cmocka_unit_test(refuses_an_index_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
