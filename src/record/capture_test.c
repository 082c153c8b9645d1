#include "record/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"

enum { POINTS = 1000, DESCRIPTIONS = 7, TRIALS = 20000 };

static struct capture_map sample(void)
{
    struct capture_map m = {0};
    for (uint32_t i = 0; i < DESCRIPTIONS; i++) capture_map_describe(&m, i * 5000);
    for (uint64_t i = 0; i < POINTS; i++)
        capture_map_add(&m, (struct capture_point){i * 1500, 24 + i * 1048600, UINT64_MAX - i});
    return m;
}

static struct text bytes_of_sample(void)
{
    struct capture_map m = sample();
    struct text t = {0};
    capture_map_put(&m, &t);
    capture_map_deinit(&m);
    return t;
}

static void comes_back_from_bytes(void **state)
{
    (void)state;
    struct capture_map expected = sample(), m;
    struct text t = bytes_of_sample();
    struct reader r = reader_of(bytes_of(t.p, t.n));
    assert_true(capture_map_read(&m, &r));
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(m.point_count, POINTS);
    assert_int_equal(m.description_count, DESCRIPTIONS);
    assert_memory_equal(m.points, expected.points, POINTS * sizeof *m.points);
    assert_memory_equal(m.descriptions, expected.descriptions, DESCRIPTIONS * sizeof(uint64_t));
    capture_map_deinit(&expected);
    capture_map_deinit(&m);
    text_deinit(&t);
}

static void finds_the_last_point_before(void **state)
{
    (void)state;
    struct capture_map m = sample(), none = {0};
    assert_null(capture_map_find(&none, 5));
    for (uint64_t ordinal = 0; ordinal < POINTS * 1500; ordinal += 499)
        assert_int_equal(capture_map_find(&m, ordinal)->ordinal, ordinal / 1500 * 1500);
    assert_int_equal(capture_map_find(&m, UINT64_MAX)->ordinal, (POINTS - 1) * 1500);
    assert_int_equal(capture_map_description(&m, 0), 0);
    assert_int_equal(capture_map_description(&m, 4999), 1);
    assert_int_equal(capture_map_description(&m, 5000), 1);
    assert_int_equal(capture_map_description(&m, UINT64_MAX), DESCRIPTIONS);
    capture_map_deinit(&m);
}

static void gives_no_point_behind_a_description_that_is_not_noted(void **state)
{
    (void)state;
    struct capture_map m = {0};
    for (uint64_t i = 0; i <= CAPTURE_DESCRIPTIONS_MAX; i++) capture_map_describe(&m, i);
    capture_map_add(&m, (struct capture_point){1, CAPTURE_DESCRIPTIONS_MAX + 2, 0});
    assert_int_equal(m.point_count, 0);
    capture_map_deinit(&m);
}

// Cut anywhere it is none; with bytes changed it is one whose numbers rise, or none.
static void refuses_what_is_none(void **state)
{
    (void)state;
    struct text t = bytes_of_sample();
    struct capture_map m;
    for (size_t n = 0; n < t.n; n++) {
        struct reader r = reader_of(bytes_of(t.p, n));
        assert_false(capture_map_read(&m, &r));
        assert_null(m.points);
    }
    uint32_t seed = 1;
    for (unsigned trial = 0; trial < TRIALS; trial++) {
        seed = seed * 1664525 + 1013904223;
        uint8_t *at = (uint8_t *)t.p + (seed >> 8) % t.n, before = *at;
        *at = (uint8_t)seed;
        struct reader r = reader_of(bytes_of(t.p, t.n));
        if (capture_map_read(&m, &r))
            for (uint32_t i = 1; i < m.point_count; i++)
                assert_true(m.points[i].offset >= m.points[i - 1].offset);
        capture_map_deinit(&m);
        *at = before;
    }
    text_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_from_bytes),
        cmocka_unit_test(finds_the_last_point_before),
        cmocka_unit_test(gives_no_point_behind_a_description_that_is_not_noted),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
