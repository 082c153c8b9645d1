// Values are read, refused with the way out, and written as they are read.
#include "config/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct values {
    bool flag;
    const char *text;
    uint64_t count, size;
    nanos duration;
};

static const struct option_row rows[] = {
    {0, "flag", OPTION_FLAG, offsetof(struct values, flag), NULL, "a flag", 0, 0},
    {0, "text", OPTION_TEXT, offsetof(struct values, text), "TEXT", "a text", 0, 0},
    {0, "count", OPTION_COUNT, offsetof(struct values, count), "N", "a count", 1, 10},
    {0, "size", OPTION_SIZE, offsetof(struct values, size), "SIZE", "a size", 0, 0},
    {0, "duration", OPTION_DURATION, offsetof(struct values, duration), "TIME", "a time", 0, 0},
};
enum { FLAG, TEXT, COUNT, SIZE, DURATION };

static void writes(unsigned row, const char *text, const char *expected)
{
    struct values v = {0};
    struct text out = {0};
    assert_true(option_set(&rows[row], text, &v, NULL));
    option_format(&rows[row], &v, &out);
    assert_string_equal(out.p ? out.p : "", expected);
    text_deinit(&out);
}

static void values_are_written_as_read(void **state)
{
    (void)state;
    writes(FLAG, NULL, "yes");
    writes(FLAG, "on", "yes");
    writes(FLAG, "false", "no");
    writes(TEXT, "a b", "a b");
    writes(COUNT, "7", "7");
    writes(SIZE, "64M", "64M");
    writes(SIZE, "1500", "1500");
    writes(SIZE, "1000", "1k");
    writes(SIZE, "0", "0");
    writes(SIZE, "2T", "2T");
    writes(DURATION, "60s", "1m");
    writes(DURATION, "90", "90s");
    writes(DURATION, "0", "0s");
    writes(DURATION, "250ms", "250ms");
    writes(DURATION, "2d", "2d");
}

static void refuses(unsigned row, const char *text)
{
    struct values v = {0};
    struct err err = {0};
    assert_false(option_set(&rows[row], text, &v, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    refuses(FLAG, "maybe");
    refuses(COUNT, "0");
    refuses(COUNT, "11");
    refuses(COUNT, "-1");
    refuses(COUNT, "2k");
    refuses(SIZE, "2X");
    refuses(SIZE, "99999999999999999999");
    refuses(SIZE, "99999999T");
    refuses(DURATION, "soon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_as_read),
        cmocka_unit_test(wrong_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
