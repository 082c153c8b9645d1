#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned distance(const char *a, const char *b)
{
    return word_distance(bytes_text(a), bytes_text(b));
}

static void distances_are_edits(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("listen", "listen"), 0);
    assert_int_equal(distance("lisen", "listen"), 1);
    assert_int_equal(distance("Listen", "listen"), 0);
    assert_int_equal(distance("lsiten", "listen"), 1);
    assert_int_equal(distance("listens", "listen"), 1);
    assert_int_equal(distance("lasten", "listen"), 1);
    assert_int_equal(distance("", "listen"), 6);
    assert_int_equal(distance("abcd", "wxyz"), 4);
}

static void long_words_are_cut(void **state)
{
    (void)state;
    static const char word[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_int_equal(distance(word, ""), NEAREST_WORD_MAX);
    assert_int_equal(distance(word, word), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_edits),
        cmocka_unit_test(long_words_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
