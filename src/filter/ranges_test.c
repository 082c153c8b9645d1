#include "filter/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"

enum { ROUNDS = 3000, UNIVERSE = 24, RANGES = 6 };

// Numbers around the place where the first word steps, and the last that there are.
static struct address number(unsigned i)
{
    uint64_t lo =
        i < UNIVERSE / 2 ? UINT64_MAX - UNIVERSE / 4 + 1 + i : UINT64_MAX - UNIVERSE + 1 + i;
    uint64_t hi = i < UNIVERSE / 4 ? 6 : i < UNIVERSE / 2 ? 7 : UINT64_MAX;
    return (struct address){hi, lo};
}

static void is_a_set(void **state)
{
    (void)state;
    uint64_t seed = 77;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct ranges r = {0};
        bool in[UNIVERSE] = {false};
        for (size_t i = random_below(&seed, RANGES); i > 0; i--) {
            unsigned first = (unsigned)random_below(&seed, UNIVERSE),
                     last = (unsigned)random_below(&seed, UNIVERSE);
            ranges_add(&r, number(first), number(last));
            for (unsigned n = first; n <= last; n++) in[n] = true;
        }
        ranges_settle(&r);
        for (unsigned n = 0; n < UNIVERSE; n++) assert_int_equal(ranges_have(&r, number(n)), in[n]);
        for (uint32_t i = 1; i < r.count; i++)
            assert_true(address_compare(r.ranges[i - 1].last, r.ranges[i].first) < 0);
        ranges_invert(&r, number(0), number(UNIVERSE - 1));
        for (unsigned n = 0; n < UNIVERSE; n++)
            assert_int_equal(ranges_have(&r, number(n)), !in[n]);
        ranges_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_a_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
