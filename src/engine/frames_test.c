// Sets of frames: what was added is there, in order, whatever lies between.
#include "engine/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_in_order(void **state)
{
    (void)state;
    static const uint64_t ordinals[] = {0, 1, 63, 64, 65535, 65536, 200000, 1073741823};
    enum { COUNT = sizeof ordinals / sizeof ordinals[0] };
    struct frames f = {0};
    for (int i = COUNT - 1; i >= 0; i--)
        assert_true(frames_add(&f, (struct packet_frame){ordinals[i], 3}));
    assert_true(frames_add(&f, (struct packet_frame){64, 3}));
    assert_int_equal(f.count, COUNT);
    uint64_t at = 0;
    for (int i = 0; i < COUNT; i++, at++) {
        assert_true(frames_next(&f, 3, &at));
        assert_int_equal(at, ordinals[i]);
    }
    assert_false(frames_next(&f, 3, &at));
    at = 0;
    assert_false(frames_next(&f, 2, &at));
    assert_false(frames_next(&f, 4, &at));
    frames_deinit(&f);
}

static void test_has(void **state)
{
    (void)state;
    struct frames f = {0};
    assert_false(frames_has(&f, (struct packet_frame){0, 0}));
    assert_true(frames_add(&f, (struct packet_frame){70000, 0}));
    assert_true(frames_has(&f, (struct packet_frame){70000, 0}));
    assert_false(frames_has(&f, (struct packet_frame){69999, 0}));
    assert_false(frames_has(&f, (struct packet_frame){70000, 1}));
    assert_false(frames_has(&f, (struct packet_frame){UINT64_MAX, 0}));
    frames_deinit(&f);
}

static void test_refused(void **state)
{
    (void)state;
    struct frames f = {0};
    assert_false(frames_add(&f, (struct packet_frame){FRAMES_ORDINAL_MAX, 0}));
    assert_false(frames_add(&f, (struct packet_frame){0, FRAMES_CAPTURES_MAX}));
    assert_int_equal(f.count, 0);
    frames_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_has),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
