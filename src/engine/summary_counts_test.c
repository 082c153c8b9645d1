#include "engine/summary_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/random.h"

static void add(struct counts *c, const char *name, uint64_t weight)
{
    struct count *count = counts_of(c, bytes_text(name));
    count->sums[0] += weight;
    count->sums[1]++;
}

static void test_sums_are_exact(void **state)
{
    (void)state;
    struct counts c = {0};
    char name[32];
    for (unsigned i = 0; i < 30000; i++) {
        snprintf(name, sizeof name, "name %u", i % 3000);
        add(&c, name, i % 3000);
    }
    assert_int_equal(c.used, 3000);
    assert_int_equal(c.dropped, 0);
    assert_int_equal(counts_total(&c, 1), 30000);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "name %u", i);
        const struct count *count = counts_of(&c, bytes_text(name));
        assert_int_equal(count->sums[0], 10 * i);
        assert_int_equal(count->sums[1], 10);
        assert_true(bytes_equal(counts_name(&c, count), bytes_text(name)));
    }
    counts_deinit(&c);
}

static void test_top_breaks_ties_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"d", "b", "aa", "c", "a", ""};
    struct counts c = {0};
    for (unsigned i = 0; i < 6; i++) add(&c, names[i], i == 3 ? 9 : 5);
    const struct count *top[4];
    assert_int_equal(counts_top(&c, top, 4), 4);
    static const char *const want[] = {"c", "", "a", "aa"};
    for (unsigned i = 0; i < 4; i++)
        assert_true(bytes_equal(counts_name(&c, top[i]), bytes_text(want[i])));
    counts_deinit(&c);
    assert_int_equal(counts_top(&c, top, 4), 0);
}

// A few heavy names among many light ones keep their sums, in whatever order they come.
static void test_heavy_names_outlive_the_bound(void **state)
{
    (void)state;
    struct counts c = {.most = 1000};
    uint64_t seed = 1;
    char name[32];
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t r = random_next(&seed);
        snprintf(name, sizeof name, "light %llu", (unsigned long long)r);
        add(&c, name, 1);
        snprintf(name, sizeof name, "heavy %u", i % 5);
        add(&c, name, 1 + i % 5);
        assert_true(c.used <= 1000);
    }
    assert_true(c.dropped > 0);
    const struct count *top[5];
    assert_int_equal(counts_top(&c, top, 5), 5);
    for (unsigned i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "heavy %u", 4 - i);
        assert_true(bytes_equal(counts_name(&c, top[i]), bytes_text(name)));
        assert_int_equal(top[i]->sums[0], 20000 * (5 - i));
    }
    counts_deinit(&c);
}

static void test_long_names_are_told_apart_by_their_beginning(void **state)
{
    (void)state;
    struct counts c = {0};
    char name[COUNT_NAME_MAX + 8];
    memset(name, 'a', sizeof name);
    counts_of(&c, bytes_of(name, sizeof name))->sums[0]++;
    counts_of(&c, bytes_of(name, COUNT_NAME_MAX))->sums[0]++;
    counts_of(&c, bytes_of(name, COUNT_NAME_MAX - 1))->sums[0]++;
    assert_int_equal(c.used, 2);
    counts_deinit(&c);
}

static void test_pairs_tell_what_is_new(void **state)
{
    (void)state;
    struct pairs p = {0};
    uint64_t seed = 7, again = 7;
    assert_true(pairs_add(&p, 0));
    assert_false(pairs_add(&p, 0));
    for (unsigned i = 0; i < 5000; i++) assert_true(pairs_add(&p, random_next(&seed)));
    for (unsigned i = 0; i < 5000; i++) assert_false(pairs_add(&p, random_next(&again)));
    assert_int_equal(p.used, 5001);
    pairs_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_are_exact),
        cmocka_unit_test(test_top_breaks_ties_by_name),
        cmocka_unit_test(test_heavy_names_outlive_the_bound),
        cmocka_unit_test(test_long_names_are_told_apart_by_their_beginning),
        cmocka_unit_test(test_pairs_tell_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
