#include "filter/required.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "filter/needle.h"

enum { ROUNDS = 30000, PATTERN_MAX = 64 };

static void check(const char *pattern, const char *expected)
{
    uint8_t memory[PATTERN_MAX];
    bytes found = required_bytes(bytes_text(pattern), memory);
    if (!bytes_equal(found, bytes_text(expected)))
        fail_msg("%s requires \"%.*s\", not \"%s\"", pattern, (int)found.n, (const char *)found.p,
                 expected);
}

static void tells_the_longest_run(void **state)
{
    (void)state;
    check("abc", "abc");
    check("ab+cdef", "cdef");
    check("abcd+", "abcd");
    check("abcd*", "abc");
    check("abcd?e", "abc");
    check("abcd{0,3}e", "abc");
    check("ab.cde[fg]hijk", "hijk");
    check("ab(cdefg)?hi", "ab");
    check("(?:(a|b)[)]\\))xyz", "xyz");
    check("(?i)abc", "abc");
    check("\\x41\\.\\/b\\n", "A./b\n");
    check("\\d+abc\\sx", "abc");
    check("[]a]xyz[^]b]q", "xyz");
    check("a{b", "b");
}

static void tells_nothing_where_it_is_not_sure(void **state)
{
    (void)state;
    static const char *const unsure[] = {
        "abc|def",    "(?x)a b c d", "abcd\\Q.*\\E", "(?#abc(def)", "abcd(?1)", "abcd[[:alpha:]]",
        "(*UTF)abcd", "abcd\\x{41}", "abcd\\1",      "(?P<n>abcd)", "abcd\\",   "abcd[",
        "abcd(",      "abcd\\x4",    "(?|abcd)",     "abcd(?(1)b)"};
    for (size_t i = 0; i < sizeof unsure / sizeof unsure[0]; i++) check(unsure[i], "");
}

// ---- by chance ----------------------------------------------------------------------------------

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(seed >> 33) % below;
}

static bool stands_in(bytes what, bytes text)
{
    for (size_t at = 0; at + what.n <= text.n; at++)
        if (bytes_equal_nocase(what, bytes_first(bytes_after(text, at), what.n))) return true;
    return false;
}

// Wherever a pattern matches, what it requires stands in the text.
static void requires_only_what_matches_have(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "a", "b",   "ab",  "aB",  ".",      "*",    "+",    "?",    "{2}",  "{0,1}",  "{1,}", "(",
        ")", "(?:", "(?=", "(?!", "(?<=a)", "(?i)", "[ab]", "[^a]", "[]a]", "\\x61",  "\\w",  "\\b",
        "^", "$",   "\\.", "|",   "{",      "}",    "]",    "(?i:", "\\K",  "(?s-i)", "b"};
    unsigned matched = 0;
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        char pattern[PATTERN_MAX * 8] = "/", error[NEEDLE_ERROR_MAX], text[33] = "";
        seed = round;
        for (uint32_t i = 0, n = 1 + chance(8); i < n; i++)
            strncat(pattern, parts[chance(sizeof parts / sizeof parts[0])], 8);
        strncat(pattern, "/", 2);
        struct needle *n = needle_create(pattern, chance(2), error);
        if (!n) continue;
        for (unsigned i = 0; i < 10; i++) {
            size_t begin, end, length = chance(sizeof text - 1);
            for (size_t k = 0; k < length; k++) text[k] = "abAB.{}] x"[chance(10)];
            bytes b = bytes_of(text, length);
            if (needle_find(n, b, 0, NEEDLE_LAST, &begin, &end) != NEEDLE_FOUND) continue;
            matched++;
            if (!stands_in(needle_required(n), b))
                fail_msg("%s matches \"%.*s\", which lacks what it requires: \"%.*s\"", pattern,
                         (int)length, text, (int)needle_required(n).n,
                         (const char *)needle_required(n).p);
        }
        needle_destroy(n);
    }
    assert_true(matched > ROUNDS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_longest_run),
        cmocka_unit_test(tells_nothing_where_it_is_not_sure),
        cmocka_unit_test(requires_only_what_matches_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
