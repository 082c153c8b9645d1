#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/random.h"

static void test_get_is_zeroed(void **state)
{
    (void)state;
    uint8_t *p = memory_get(1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(p[i], 0);
    p = memory_resize(p, 100000);
    memory_free(p);
    memory_free(memory_get(0));
    memory_free(NULL);
}

static void test_reserve(void **state)
{
    (void)state;
    struct err err = {0};
    size_t size = (size_t)1 << 36; // more than the machine has
    uint8_t *p = memory_reserve(size, &err);
    assert_non_null(p);
    assert_int_equal(p[size - 1], 0);
    p[size / 2] = 1;
    memory_release(p, size);
    memory_release(NULL, 1);
    assert_null(memory_reserve(SIZE_MAX / 2, &err));
    assert_int_equal(err.code, ERR_MACHINE);
}

static void test_pool(void **state)
{
    (void)state;
    struct err err;
    struct pool pool;
    assert_true(pool_init(&pool, 24, 3, &err));
    uint32_t a = pool_take(&pool), b = pool_take(&pool), c = pool_take(&pool);
    assert_int_equal(a, 1);
    assert_true(a != b && b != c && a != c);
    assert_int_equal(pool_take(&pool), 0);
    uint8_t *item = pool_at(&pool, b);
    memset(item, 0xff, 24);
    pool_give(&pool, b);
    pool_give(&pool, 0);
    assert_int_equal(pool.used, 2);
    assert_int_equal(pool_take(&pool), b);
    for (int i = 0; i < 24; i++) assert_int_equal(item[i], 0);
    assert_int_equal(pool_take(&pool), 0);
    pool_deinit(&pool);
    pool_deinit(&pool);
}

static void test_block_sizes(void **state)
{
    (void)state;
    assert_int_equal(block_size(0), 16);
    assert_int_equal(block_size(17), 32);
    assert_int_equal(block_size(64), 64);
    assert_int_equal(block_size(65), 80);
    assert_int_equal(block_size(1000), 1024);
    assert_int_equal(block_size(1025), 1280);
    assert_int_equal(block_size(BLOCK_SIZE_MAX), BLOCK_SIZE_MAX);
    size_t sizes = 1;
    for (size_t n = 1; n <= BLOCK_SIZE_MAX; n++) {
        size_t size = block_size(n);
        assert_true(size >= n && size % 16 == 0);
        if (n > 64) assert_true(size - n < n / 4);
        sizes += n > 1 && size != block_size(n - 1);
    }
    assert_int_equal(sizes, BLOCK_CLASSES);
}

enum { HELD = 64 };

// Random taking and giving: blocks never overlap, and the count is right.
static void test_blocks(void **state)
{
    (void)state;
    struct err err;
    struct blocks blocks;
    assert_true(blocks_init(&blocks, (size_t)1 << 24, &err));
    uint8_t *held[HELD] = {NULL};
    size_t sizes[HELD] = {0}, used = 0;
    uint64_t seed = 8;
    for (int i = 0; i < 20000; i++) {
        size_t k = random_below(&seed, HELD);
        if (held[k]) {
            for (size_t n = 0; n < sizes[k]; n += 97) assert_int_equal(held[k][n], (uint8_t)k);
            blocks_give(&blocks, held[k], sizes[k]);
            used -= block_size(sizes[k]);
            held[k] = NULL;
        } else {
            sizes[k] = random_below(&seed, (size_t)64 << random_below(&seed, 12)) + 1;
            held[k] = blocks_take(&blocks, sizes[k]);
            if (!held[k]) continue;
            memset(held[k], (uint8_t)k, sizes[k]);
            used += block_size(sizes[k]);
        }
        assert_int_equal(blocks.bytes_used, used);
    }
    assert_null(blocks_take(&blocks, BLOCK_SIZE_MAX + 1));
    blocks_give(&blocks, NULL, 10);
    blocks_deinit(&blocks);
    blocks_deinit(&blocks);
}

static void test_blocks_are_bounded(void **state)
{
    (void)state;
    struct err err;
    struct blocks blocks;
    assert_true(blocks_init(&blocks, 4096, &err));
    int taken = 0;
    void *last = NULL;
    for (void *block; (block = blocks_take(&blocks, 1000)); taken++) last = block;
    assert_int_equal(taken, 4);
    blocks_give(&blocks, last, 1000);
    assert_ptr_equal(blocks_take(&blocks, 1024), last);
    assert_null(blocks_take(&blocks, 1));
    blocks_deinit(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_is_zeroed), cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_pool),          cmocka_unit_test(test_block_sizes),
        cmocka_unit_test(test_blocks),        cmocka_unit_test(test_blocks_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
