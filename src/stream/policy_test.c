#include "stream/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// The rules as the literature words them, for the later segment [f, t) and the earlier one [F, T).
static bool words(enum overlap_policy policy, uint64_t F, uint64_t T, uint64_t f, uint64_t t)
{
    switch (policy) {
    case OVERLAP_FIRST:
    case OVERLAP_VISTA:
        return false;
    case OVERLAP_LAST:
        return true;
    // Favours the original, except when the subsequent begins before it.
    case OVERLAP_BSD:
    case OVERLAP_WINDOWS:
    case OVERLAP_WINDOWS_2003:
    case OVERLAP_HPUX_10:
    case OVERLAP_IRIX:
    case OVERLAP_MACOS:
        return f < F;
    case OVERLAP_BSD_RIGHT:
        return f >= F;
    // As BSD, and except when both begin together and the subsequent ends behind it.
    case OVERLAP_LINUX:
        return f < F || (f == F && t > T);
    case OVERLAP_OLD_LINUX:
        return f < F || (f == F && t >= T);
    // Favours the subsequent, except when the original ends behind it, or begins before it and ends
    // together with it or behind.
    case OVERLAP_SOLARIS:
    case OVERLAP_HPUX_11:
        return !(T > t || (F < f && T >= t));
    case OVERLAP_COUNT:
        break;
    }
    fail();
    return false;
}

static void decides_as_the_words_say(void **state)
{
    (void)state;
    for (unsigned policy = 0; policy < OVERLAP_COUNT; policy++)
        for (uint64_t f = 0; f < 4; f++)
            for (uint64_t t = f + 1; t < 6; t++) {
                struct overlap_extent earlier = {1, 4}, later = {f, t};
                assert_int_equal(overlap_later_wins(policy, earlier, later),
                                 words(policy, 1, 4, f, t));
            }
}

static enum overlap_policy policy_at(const struct overlap_rules *rules, const char *text)
{
    struct address a;
    assert_true(address_parse(bytes_text(text), &a));
    return overlap_of(rules, a);
}

static void the_smallest_network_decides(void **state)
{
    (void)state;
    struct overlap_rules rules;
    assert_true(overlap_parse("10.0.0.0/8=linux,10.1.0.0/16=windows,last,10.1.2.3=solaris,"
                              "2001:db8::/32=bsd-right",
                              &rules, NULL));
    assert_int_equal(policy_at(&rules, "10.2.3.4"), OVERLAP_LINUX);
    assert_int_equal(policy_at(&rules, "10.1.3.4"), OVERLAP_WINDOWS);
    assert_int_equal(policy_at(&rules, "10.1.2.3"), OVERLAP_SOLARIS);
    assert_int_equal(policy_at(&rules, "11.1.2.3"), OVERLAP_LAST);
    assert_int_equal(policy_at(&rules, "2001:db8::1"), OVERLAP_BSD_RIGHT);
    assert_int_equal(policy_at(&rules, "2001:db9::1"), OVERLAP_LAST);
    assert_true(overlap_parse("0.0.0.0/0=vista", &rules, NULL));
    assert_int_equal(policy_at(&rules, "10.2.3.4"), OVERLAP_VISTA);
    assert_int_equal(policy_at(&rules, "::1"), OVERLAP_FIRST);
}

static void refuses(const char *text, const char *word)
{
    struct overlap_rules rules;
    struct err err = {0};
    assert_false(overlap_parse(text, &rules, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, word));
}

static void names_what_it_does_not_understand(void **state)
{
    (void)state;
    refuses("", "first, last");
    refuses("openbsd", "\"openbsd\"");
    refuses("first,", "\"\"");
    refuses("first,last", "two policies");
    refuses("10.0.0.0/33=linux", "10.0.0.0/33");
    refuses("10.0.0.0/8=", "\"\"");
    refuses("10.0.0.0/8=linux,10.9.0.0/8=bsd", "twice");
    char many[2048] = "first";
    for (int i = 0; i <= OVERLAP_RULES_MAX; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), ",10.0.0.%d=last", i);
    refuses(many, "at most");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_as_the_words_say),
        cmocka_unit_test(the_smallest_network_decides),
        cmocka_unit_test(names_what_it_does_not_understand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
