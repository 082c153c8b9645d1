#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/random.h"

#define S NANOS_PER_SECOND

static void check_format(nanos t, const char *want)
{
    char text[TIME_TEXT_MAX];
    assert_int_equal(time_format(text, t), strlen(want));
    assert_string_equal(text, want);
    nanos back;
    assert_true(time_parse(bytes_text(want), 0, &back));
    assert_true(back == t);
}

static void test_format(void **state)
{
    (void)state;
    check_format(0, "1970-01-01T00:00:00Z");
    check_format(1, "1970-01-01T00:00:00.000000001Z");
    check_format(-1, "1969-12-31T23:59:59.999999999Z");
    check_format(1500000000 * S + 123000000, "2017-07-14T02:40:00.123Z");
    check_format(1500000000 * S + 123456000, "2017-07-14T02:40:00.123456Z");
    check_format(951782400 * S, "2000-02-29T00:00:00Z");
    check_format(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    check_format(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

static void test_format_agrees_with_libc(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 50000; i++) {
        nanos t = (nanos)random_next(&seed);
        char text[TIME_TEXT_MAX], want[80];
        time_format(text, t);
        time_t seconds = t / S - (t % S < 0);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", &tm);
        assert_memory_equal(text, want, strlen(want));
        nanos back;
        assert_true(time_parse(bytes_text(text), 0, &back));
        assert_true(back == t);
    }
}

static void check_parse(const char *text, nanos want)
{
    nanos t;
    if (!time_parse(bytes_text(text), 1000 * S, &t)) fail_msg("not a time: %s", text);
    if (t != want) fail_msg("%s: %lld, not %lld", text, (long long)t, (long long)want);
}

static void test_parse(void **state)
{
    (void)state;
    check_parse("1970-01-02", 86400 * S);
    check_parse("1970-01-01T00:00:10", 10 * S);
    check_parse("1970-01-01 00:00:10.5z", 10 * S + S / 2);
    check_parse("1970-01-01t01:00:00+01:00", 0);
    check_parse("1969-12-31T23:30:00-00:30", 0);
    check_parse("1970-01-01T00:00:00.1234567899Z", 123456789);
    check_parse("1972-06-30T23:59:60Z", 78796800 * S); // a leap second
    check_parse("0", 0);
    check_parse("1500000000", 1500000000 * S);
    check_parse("1.000000001", S + 1);
    check_parse("-1.25", -S - S / 4);
    check_parse("-0.000000001", -1);
    check_parse("-9223372036.854775808", INT64_MIN);
    check_parse("9223372036.854775807", INT64_MAX);
    check_parse("now", 1000 * S);
    check_parse("now-1m", 940 * S);
    check_parse("now+5", 1005 * S);
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "x",
        "-",
        ".",
        "1.",
        ".5",
        "1e9",
        "1 ",
        " 1",
        "--1",
        "+1",
        "now ",
        "nowx",
        "now-",
        "now*1h",
        "now-1y",
        "1970-1-1",
        "1970-00-01",
        "1970-13-01",
        "1970-01-00",
        "1970-01-32",
        "1971-02-29",
        "1900-02-29",
        "1970-01-01T",
        "1970-01-01T00",
        "1970-01-01T00:00",
        "1970-01-01T24:00:00",
        "1970-01-01T00:60:00",
        "1970-01-01T00:00:61",
        "1970-01-01T00:00:00.",
        "1970-01-01T00:00:00+1",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+01:60",
        "1970-01-01T00:00:00ZZ",
        "1970-01-01X00:00:00",
        "2262-04-11T23:47:16.854775808Z",
        "1677-09-21T00:12:43.145224191Z",
        "9223372036.854775808",
        "-9223372036.854775809",
        "9223372037",
        "99999999999999999999",
        "0000-01-01",
        "9999-12-31T23:59:59Z",
        "1970-01-01T-1:00:00",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        nanos t;
        if (time_parse(bytes_text(texts[i]), 0, &t)) fail_msg("taken for a time: %s", texts[i]);
    }
    nanos t;
    assert_false(time_parse(bytes_text("now+1"), INT64_MAX, &t));
    assert_false(time_parse(bytes_text("now-1"), INT64_MIN, &t));
    assert_false(time_parse(bytes_of(NULL, 0), 0, &t));
}

static void test_duration(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        nanos want;
    } cases[] = {
        {"0", 0},
        {"7ns", 7},
        {"3us", 3000},
        {"250ms", 250000000},
        {"10s", 10 * S},
        {"600", 600 * S},
        {"5m", 300 * S},
        {"1h", 3600 * S},
        {"2d", 172800 * S},
        {"1w", 604800 * S},
        {"1.5s", S + S / 2},
        {"0.5ms", 500000},
        {"1.5h", 5400 * S},
        {"0.1ns", 0},
        {"9223372036s", 9223372036 * S},
        {"9223372036854775807ns", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nanos d;
        if (!duration_parse(bytes_text(cases[i].text), &d))
            fail_msg("no duration: %s", cases[i].text);
        if (d != cases[i].want) fail_msg("%s: %lld", cases[i].text, (long long)d);
    }
    static const char *const wrong[] = {
        "",
        "s",
        "-1s",
        "1 s",
        "1S",
        "1sec",
        "1.s",
        ".5s",
        "1h30m",
        "9223372037s",
        "15251w",
        "9223372036854775808ns",
        "9223372036854775807.9w",
        "1.5.5s",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        nanos d;
        if (duration_parse(bytes_text(wrong[i]), &d))
            fail_msg("taken for a duration: %s", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),   cmocka_unit_test(test_format_agrees_with_libc),
        cmocka_unit_test(test_parse),    cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
