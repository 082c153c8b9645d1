#include "decode/watermark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static const nanos hour = WATERMARK_JUMP;

static void it_follows_time_and_never_goes_back(void **state)
{
    (void)state;
    struct watermark w = {0};
    assert_int_equal(watermark_next(&w, -5), -5); // the first packet, whatever it says
    assert_int_equal(watermark_next(&w, 10), 10);
    assert_int_equal(watermark_next(&w, 3), 10);
    assert_int_equal(watermark_next(&w, 10 + hour), 10 + hour);
    assert_int_equal(watermark_next(&w, INT64_MIN), 10 + hour);
}

static void a_lone_jump_is_ignored(void **state)
{
    (void)state;
    struct watermark w = {0};
    watermark_next(&w, 0);
    assert_int_equal(watermark_next(&w, INT64_MAX), 0);
    for (nanos t = 1; t < 20; t++) assert_int_equal(watermark_next(&w, t), t);
}

static void a_confirmed_jump_is_believed(void **state)
{
    (void)state;
    struct watermark w = {0};
    watermark_next(&w, 0);
    assert_int_equal(watermark_next(&w, 5 * hour), 0);
    assert_int_equal(watermark_next(&w, 5 * hour - 7), 0);
    assert_int_equal(watermark_next(&w, 7), 7); // old packets between do not harm
    assert_int_equal(watermark_next(&w, 5 * hour - 3), 5 * hour);
    assert_int_equal(watermark_next(&w, 5 * hour + 1), 5 * hour + 1);
}

static void confirmation_must_come_in_time(void **state)
{
    (void)state;
    struct watermark w = {0};
    watermark_next(&w, 0);
    watermark_next(&w, 5 * hour);
    watermark_next(&w, 5 * hour);
    for (unsigned i = 0; i < WATERMARK_WINDOW - 1; i++) assert_int_equal(watermark_next(&w, 0), 0);
    assert_int_equal(watermark_next(&w, 5 * hour), 0); // a new candidate
    watermark_next(&w, 5 * hour);
    assert_int_equal(watermark_next(&w, 5 * hour), 5 * hour);
}

static void the_rest_of_the_capture_catches_up_after_a_lone_jump(void **state)
{
    (void)state;
    struct watermark w = {0};
    watermark_next(&w, 0);
    watermark_next(&w, 1000 * hour);
    for (unsigned i = 0; i < WATERMARK_WINDOW + WATERMARK_CONFIRMATIONS; i++)
        assert_int_equal(watermark_next(&w, 3 * hour), 0);
    assert_int_equal(watermark_next(&w, 3 * hour), 3 * hour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_time_and_never_goes_back),
        cmocka_unit_test(a_lone_jump_is_ignored),
        cmocka_unit_test(a_confirmed_jump_is_believed),
        cmocka_unit_test(confirmation_must_come_in_time),
        cmocka_unit_test(the_rest_of_the_capture_catches_up_after_a_lone_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
