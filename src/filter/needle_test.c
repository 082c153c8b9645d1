#include "filter/needle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct needle *make(const char *term, bool fold)
{
    char error[NEEDLE_ERROR_MAX] = "";
    struct needle *n = needle_create(term, fold, error);
    if (!n) fail_msg("%s: %s", term, error);
    return n;
}

// Where the first match begins and ends, as "3-6", "open 3", "none" or "given up".
static void check(const char *term, bool fold, bytes text, enum needle_end how,
                  enum needle_result expected, size_t from, size_t to)
{
    struct needle *n = make(term, fold);
    size_t begin = 0, end = 0;
    enum needle_result r = needle_find(n, text, 0, how, &begin, &end);
    assert_int_equal(r, expected);
    if (r == NEEDLE_FOUND || r == NEEDLE_OPEN) assert_int_equal(begin, from);
    if (r == NEEDLE_FOUND) assert_int_equal(end, to);
    needle_destroy(n);
}

static void finds_text(void **state)
{
    (void)state;
    check("bc", false, bytes_text("abcd"), NEEDLE_MORE, NEEDLE_FOUND, 1, 3);
    check("a.c", false, bytes_text("abc a.c"), NEEDLE_LAST, NEEDLE_FOUND, 4, 7);
    check("BC", false, bytes_text("abcd"), NEEDLE_LAST, NEEDLE_NONE, 0, 0);
    check("BC", true, bytes_text("abcd"), NEEDLE_LAST, NEEDLE_FOUND, 1, 3);
    check("\xc4", true, bytes_text("\xe4"), NEEDLE_LAST, NEEDLE_NONE, 0, 0);
    check("/", false, bytes_text("a/b"), NEEDLE_LAST, NEEDLE_FOUND, 1, 2);
}

static void finds_bytes(void **state)
{
    (void)state;
    check("0x0041fF", false, bytes_of("\xff\0A\xff", 4), NEEDLE_LAST, NEEDLE_FOUND, 1, 4);
    check("0x61", true, bytes_text("xA"), NEEDLE_LAST, NEEDLE_FOUND, 1, 2);
}

static void finds_patterns(void **state)
{
    (void)state;
    check("/b+c?/", false, bytes_text("abbx"), NEEDLE_MORE, NEEDLE_FOUND, 1, 3);
    check("/\\xff./s", false, bytes_text("a"), NEEDLE_LAST, NEEDLE_NONE, 0, 0);
    check("/\\xff\\x00/", false, bytes_of("\xff\0", 2), NEEDLE_LAST, NEEDLE_FOUND, 0, 2);
    check("/x*/", false, bytes_text("ax"), NEEDLE_LAST, NEEDLE_FOUND, 1, 2);
}

static void says_what_is_open(void **state)
{
    (void)state;
    check("abc", false, bytes_text("xxab"), NEEDLE_MORE, NEEDLE_OPEN, 2, 0);
    check("abc", false, bytes_text("xxab"), NEEDLE_LAST, NEEDLE_NONE, 0, 0);
    check("/b+/", false, bytes_text("abb"), NEEDLE_MORE, NEEDLE_OPEN, 1, 0);
    check("/b+/", false, bytes_text("abb"), NEEDLE_LAST, NEEDLE_FOUND, 1, 3);
    check("/b$/", false, bytes_text("ab"), NEEDLE_MORE, NEEDLE_OPEN, 1, 0);
    check("/b$/", false, bytes_text("ab"), NEEDLE_CUT, NEEDLE_NONE, 0, 0);
    check("/b$/", false, bytes_text("ab"), NEEDLE_LAST, NEEDLE_FOUND, 1, 2);
}

static void gives_up(void **state)
{
    (void)state;
    uint8_t text[64];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 'b';
    check("/^(a|a)+$/", false, bytes_of(text, sizeof text), NEEDLE_LAST, NEEDLE_GIVEN_UP, 0, 0);
}

static void refuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0x", "0x123", "0xgg", "/(/", "/(*UTF)a/"};
    char error[NEEDLE_ERROR_MAX];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        error[0] = 0;
        assert_null(needle_create(wrong[i], false, error));
        assert_true(error[0]);
    }
    char far[NEEDLE_BEHIND_MAX + 16] = "/(?<=";
    memset(far + 5, 'a', NEEDLE_BEHIND_MAX + 1);
    strcpy(far + 5 + NEEDLE_BEHIND_MAX + 1, ")b/");
    assert_null(needle_create(far, false, error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_text),     cmocka_unit_test(finds_bytes),
        cmocka_unit_test(finds_patterns), cmocka_unit_test(says_what_is_open),
        cmocka_unit_test(gives_up),       cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
