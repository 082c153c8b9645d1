#include "base/glyph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(const char *text, const char *want, unsigned columns)
{
    struct text t = {0};
    bytes rest = bytes_text(text);
    unsigned n = 0;
    while (rest.n) {
        struct glyph g = glyph_next(&rest);
        glyph_put(&t, &g);
        n += g.width;
    }
    assert_string_equal(t.p, want);
    assert_int_equal(n, columns);
    assert_int_equal(glyph_columns(bytes_text(text)), columns);
    text_deinit(&t);
}

static void test_safe_text_is_unchanged(void **state)
{
    (void)state;
    check("weir.test", "weir.test", 9);
    check("č", "č", 1);
    check("漢字", "漢字", 4);
    check("e\xcc\x81", "e\xcc\x81", 1);
    check("\xf0\x9f\x98\x80!", "\xf0\x9f\x98\x80!", 3);
}

static void test_unsafe_text_is_spelt_out(void **state)
{
    (void)state;
    check("\x1b[2J", "\\x1b[2J", 7);
    check("a\x7f", "a\\x7f", 5);
    check("\xc2\x9b", "\\xc2\\x9b", 8);
    check("\xe2\x80\xae", "\\xe2\\x80\\xae", 12);
}

static void test_broken_text_stands_for_itself(void **state)
{
    (void)state;
    bytes cut = bytes_text("\xe2\x80");
    struct glyph g = glyph_next(&cut);
    assert_int_equal(g.as.n, 1);
    assert_int_equal(cut.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safe_text_is_unchanged),
        cmocka_unit_test(test_unsafe_text_is_spelt_out),
        cmocka_unit_test(test_broken_text_stands_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
