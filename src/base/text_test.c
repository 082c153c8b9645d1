#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

static bool is_clean(const char *s, size_t n)
{
    return text_is_clean(bytes_of(s, n));
}
#define CLEAN(s) is_clean(s, sizeof(s) - 1)

static void test_clean(void **state)
{
    (void)state;
    assert_true(CLEAN(""));
    assert_true(CLEAN("plain text that is longer than a word of the machine"));
    assert_true(CLEAN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\n"));
    assert_true(CLEAN("C:\\dir\\file and a last \\"));
    assert_true(
        CLEAN("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80\xe0\xa0\x80\xc2\x80"));
}

static void test_not_clean(void **state)
{
    (void)state;
    assert_false(CLEAN("a\0b"));
    assert_false(CLEAN("sixteen bytes or\0more"));
    assert_false(CLEAN("looks like \\x41"));
    assert_false(CLEAN("\xff"));
    assert_false(CLEAN("\x80"));
    assert_false(CLEAN("\xc0\x80") || CLEAN("\xc1\xbf"));             // longer than needed
    assert_false(CLEAN("\xe0\x9f\xbf") || CLEAN("\xf0\x8f\xbf\xbf")); // longer than needed
    assert_false(CLEAN("\xed\xa0\x80") || CLEAN("\xed\xbf\xbf"));     // surrogates
    assert_false(CLEAN("\xf4\x90\x80\x80") || CLEAN("\xf5\x80\x80\x80"));
    assert_false(CLEAN("cut \xe2\x82") || CLEAN("cut \xc3") || CLEAN("cut \xf0\x9f\x98"));
}

static void check_escape(bytes b, const char *want)
{
    char out[256];
    size_t n = text_escape(out, sizeof out, b);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(out, want, n);
}
#define ESCAPED(s, want) check_escape(bytes_of(s, sizeof(s) - 1), want)

static void test_escape(void **state)
{
    (void)state;
    ESCAPED("a\0b\xff", "a\\x00b\\xff");
    ESCAPED("\\x41", "\\x5cx41");
    ESCAPED("\\\\x", "\\\\x5cx");
    ESCAPED("\\\xff", "\\\\xff");
    ESCAPED("\\", "\\");
    ESCAPED("\xe2\x82", "\\xe2\\x82");
    ESCAPED("\xe2\x82\xac", "\xe2\x82\xac");
}

static void test_escape_cuts_between_characters(void **state)
{
    (void)state;
    bytes in = bytes_of("ab\xe2\x82\xac\xff"
                        "c",
                        7);
    static const size_t written[] = {0, 1, 2, 2, 2, 5, 5, 5, 5, 9, 10, 10};
    static const size_t left[] = {7, 6, 5, 5, 5, 2, 2, 2, 2, 1, 0, 0};
    for (size_t size = 0; size < 12; size++) {
        char out[12];
        bytes rest = in;
        assert_int_equal(text_escape_from(out, size, &rest), written[size]);
        assert_int_equal(rest.n, left[size]);
    }
}

// Bytes that come near the rules' edges more often than chance would have it.
static size_t random_bytes(uint64_t *seed, uint8_t *out, size_t size)
{
    static const uint8_t edges[] = {0,    '\\', 'x',  '5',  'c',  0xc2, 0xe2,
                                    0x82, 0xac, 0xed, 0xf0, 0x9f, 0xff};
    size_t n = random_below(seed, size);
    uint64_t plain = random_below(seed, 16);
    for (size_t i = 0; i < n; i++) {
        if (random_below(seed, 16) < plain) out[i] = (uint8_t)('a' + random_below(seed, 26));
        else if (random_below(seed, 3)) out[i] = edges[random_below(seed, sizeof edges)];
        else out[i] = (uint8_t)random_next(seed);
    }
    return n;
}

static void test_escape_is_reversible(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        uint8_t in[64], back[256];
        char out[256];
        bytes b = bytes_of(in, random_bytes(&seed, in, sizeof in));
        bytes escaped = bytes_of(out, text_escape(out, sizeof out, b));
        assert_true(text_is_clean(escaped) || bytes_find(escaped, '\\') < escaped.n);
        assert_int_equal(bytes_equal(b, escaped), text_is_clean(b));
        assert_true(text_is_valid(escaped));
        assert_true(text_is_valid(b) || !text_is_clean(b));
        bytes again = bytes_of(back, text_unescape(back, escaped));
        assert_true(bytes_equal(b, again));
        assert_true(bytes_equal(b, bytes_of(out, text_unescape((uint8_t *)out, escaped))));
    }
}

// Each cut is a front part of the whole, which stands for a front part of the input.
static void test_cut_is_reversible(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 20000; i++) {
        uint8_t in[64], back[256];
        char whole[256], cut[256];
        bytes b = bytes_of(in, random_bytes(&seed, in, sizeof in)), rest = b;
        size_t n = text_escape(whole, sizeof whole, b), size = random_below(&seed, n + 4);
        size_t written = text_escape_from(cut, size, &rest);
        assert_true(written <= size && written <= n);
        assert_memory_equal(whole, cut, written);
        size_t n_back = text_unescape(back, bytes_of(cut, written));
        assert_true(bytes_equal(bytes_of(back, n_back), bytes_first(b, b.n - rest.n)));
        if (rest.n) assert_true(size - written < 4);
    }
}

static void test_json(void **state)
{
    (void)state;
    struct text t = {0};
    text_json(&t, bytes_text("say \"hi\" \\ \b\f\n\r\t\x01\x1f\x7f caf\xc3\xa9 "
                             "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x82\xac"));
    assert_string_equal(t.p, "\"say \\\"hi\\\" \\\\ \\b\\f\\n\\r\\t\\u0001\\u001f\x7f caf\xc3\xa9 "
                             "\\u2028\\u2029\xe2\x80\xaa\xe2\x82\xac\"");
    text_clear(&t);
    text_json(&t, bytes_of(NULL, 0));
    assert_string_equal(t.p, "\"\"");
    text_deinit(&t);
    assert_null(t.p);
    text_deinit(&t);
}

static void test_grows(void **state)
{
    (void)state;
    struct text t = {0};
    text_put(&t, bytes_of(NULL, 0));
    assert_string_equal(t.p, "");
    for (int i = 0; i < 1000; i++) text_format(&t, "%d %s;", i, "x");
    assert_int_equal(t.n, 10 * 4 + 90 * 5 + 900 * 6);
    text_clear(&t);
    text_number(&t, 0);
    text_add(&t, " ");
    text_number(&t, UINT64_MAX);
    assert_string_equal(t.p, "0 18446744073709551615");
    text_clear(&t);
    char wide[200];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = 0;
    text_format(&t, "%s", wide);
    assert_string_equal(t.p, wide);
    text_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_not_clean),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_escape_cuts_between_characters),
        cmocka_unit_test(test_escape_is_reversible),
        cmocka_unit_test(test_cut_is_reversible),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
