#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void test_circumstances_stand_in_front(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(err_set(&err, ERR_INPUT, "line %d: unknown word", 12));
    assert_false(err_in(&err, "rules in %s", "site.conf"));
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(err.text, "rules in site.conf: line 12: unknown word");
    assert_false(err_set(NULL, ERR_INPUT, "nobody listens"));
    assert_false(err_in(NULL, "nobody"));
    assert_false(err_system(NULL, ENOENT, "nobody"));
}

static void test_system(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(err_system(&err, ENOENT, "cannot open %s", "x.pcap"));
    assert_string_equal(err.text, "cannot open x.pcap: No such file or directory");
    assert_int_equal(err.code, ERR_INPUT);
    err_system(&err, ENOSPC, "cannot write");
    assert_int_equal(err.code, ERR_MACHINE);
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    char word[2 * ERR_TEXT_MAX];
    memset(word, 'w', sizeof word - 1);
    word[sizeof word - 1] = 0;
    struct err err = {0};
    err_set(&err, ERR_USAGE, "%s", word);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_in(&err, "in %s", "front");
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "in front: ww", 12);
    err_in(&err, "%s", word);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_system(&err, EIO, "%s", word);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_circumstances_stand_in_front),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
