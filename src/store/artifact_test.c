#include "store/artifact.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/fixture.h"

static struct err err;
static struct artifacts artifacts;

static int set_up(void **state)
{
    char path[128];
    *state = fixture_folder();
    snprintf(path, sizeof path, "%s/artifacts", (char *)*state);
    assert_true(folder_make(path, &err));
    snprintf(path, sizeof path, "%s/artifacts/.new", (char *)*state);
    assert_true(folder_make(path, &err));
    assert_true(artifacts_init(&artifacts, *state, &err));
    return 0;
}

static int tear_down(void **state)
{
    artifacts_deinit(&artifacts);
    fixture_folder_remove(*state);
    return 0;
}

static uint8_t byte_at(uint32_t number, size_t i)
{
    return (uint8_t)(number * 31 + i * 7 + (i >> 8));
}

static void content_of(uint32_t number, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = byte_at(number, i);
}

// A body in pieces, the way it comes.
static void put(uint32_t number, size_t size, size_t piece, bool keep)
{
    struct artifact_sink sink = artifacts_sink(&artifacts);
    uint8_t *content = memory_get(size + 1), digest[SHA256_SIZE];
    content_of(number, content, size);
    sha256_of(bytes_of(content, size), digest);
    uint32_t slot = sink.begin(sink.context);
    assert_int_not_equal(slot, 0);
    for (size_t at = 0; at < size; at += piece)
        sink.add(sink.context, slot, bytes_of(content + at, size - at < piece ? size - at : piece));
    sink.end(sink.context, slot, digest, keep);
    memory_free(content);
}

static bool is_there(const char *folder, uint32_t number, size_t size)
{
    char below[ARTIFACT_PATH_MAX], path[256];
    uint8_t *content = memory_get(size + 1), digest[SHA256_SIZE];
    content_of(number, content, size);
    sha256_of(bytes_of(content, size), digest);
    artifact_path(below, digest);
    snprintf(path, sizeof path, "%s/%s", folder, below);
    bool there = access(path, F_OK) == 0;
    if (there) {
        bytes found = file_read(path, 1 << 26, &err);
        assert_int_equal(found.n, size);
        assert_memory_equal(found.p, content, size);
        memory_free((void *)found.p);
    }
    memory_free(content);
    return there;
}

static void keeps_sizes_of_all_sorts(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 200000, 3000000};
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) put(i, sizes[i], 1448, true);
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_false(is_there(*state, i, sizes[i]));
    assert_int_equal(artifacts.kept, sizeof sizes / sizeof *sizes);
    assert_true(artifacts_commit(&artifacts, &err));
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_true(is_there(*state, i, sizes[i]));
}

static void keeps_equal_content_once(void **state)
{
    for (int i = 0; i < 3; i++) put(1, 1000, 100, true);
    for (int i = 0; i < 3; i++) put(1, 100000, 1000, true);
    assert_int_equal(artifacts.kept, 2);
    assert_true(artifacts_commit(&artifacts, &err));
    put(1, 1000, 100, true);
    assert_int_equal(artifacts.kept, 0);
    assert_true(artifacts_commit(&artifacts, &err));
    assert_true(is_there(*state, 1, 1000));
}

static void forgets_what_is_not_wanted(void **state)
{
    put(1, 1000, 100, false);
    put(2, 100000, 1000, false);
    put(3, 1000, 1000, true);
    artifacts_abort(&artifacts);
    assert_true(artifacts_commit(&artifacts, &err));
    for (uint32_t i = 1; i <= 3; i++) assert_false(is_there(*state, i, i == 2 ? 100000 : 1000));
}

// More open bodies than there is memory for: they go to their files early.
static void holds_many_at_once(void **state)
{
    enum { MANY = 600, SIZE = 60000 };
    struct artifact_sink sink = artifacts_sink(&artifacts);
    uint32_t slots[MANY];
    static uint8_t content[SIZE], digest[SHA256_SIZE];
    for (int i = 0; i < MANY; i++) slots[i] = sink.begin(sink.context);
    for (uint32_t i = 0; i < MANY; i++) {
        content_of(i, content, SIZE);
        for (size_t at = 0; at < SIZE; at += SIZE / 4)
            sink.add(sink.context, slots[i], bytes_of(content + at, SIZE / 4));
    }
    assert_true(artifacts.blocks.bytes_used <= ARTIFACT_MEMORY_MAX);
    for (uint32_t i = 0; i < MANY; i++) {
        content_of(i, content, SIZE);
        sha256_of(bytes_of(content, SIZE), digest);
        sink.end(sink.context, slots[i], digest, true);
    }
    assert_int_equal(artifacts.blocks.bytes_used, 0);
    assert_true(artifacts_commit(&artifacts, &err));
    for (uint32_t i = 0; i < MANY; i++) assert_true(is_there(*state, i, SIZE));
}

static void *lane(void *context)
{
    (void)context;
    for (uint32_t i = 0; i < 300; i++) put(i, i * 300, 1448, i % 3 != 0);
    return NULL;
}

static void takes_from_several_lanes(void **state)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, lane, NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_true(artifacts_commit(&artifacts, &err));
    for (uint32_t i = 0; i < 300; i++) assert_int_equal(is_there(*state, i, i * 300), i % 3 != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_sizes_of_all_sorts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_equal_content_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgets_what_is_not_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(holds_many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_from_several_lanes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
