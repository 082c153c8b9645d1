// Expressions by chance over rows by chance: what the predicate says against what is known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter/filter.h"
#include "filter/random_cases.h"

enum { ROUNDS = 4000, LEAVES = 9 };

static void check(const char *text, const struct random_rows *r, const bool *wanted)
{
    struct filter_options options = {.now = random_now};
    struct filter_error error;
    struct filter *f = filter_compile(text, &random_kind, 1, &options, &error);
    if (!f) fail_msg("%s: column %u: %s", text, error.column, error.message);
    for (uint32_t row = 0; row < RANDOM_ROWS; row++)
        if (filter_match(f, random_rows_batch(r), row) != wanted[row])
            fail_msg("row %u should%s be wanted: %s", row, wanted[row] ? "" : " not", text);
    filter_destroy(f);
}

static void says_what_is_known(void **state)
{
    (void)state;
    uint64_t seed = 0x5eed;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct random_rows *r = random_rows_create(seed);
        struct text text = {0};
        bool wanted[RANDOM_ROWS];
        random_expression(&seed, r, LEAVES, &text, wanted);
        check(text.p, r, wanted);
        text_deinit(&text);
        random_rows_destroy(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_is_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
