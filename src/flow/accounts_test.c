// What sources may have beside each other, and that accounts go with the last who names them.
#include "flow/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct accounts *accounts_of(uint64_t bytes_max, uint32_t accounts_max)
{
    struct accounts *a = accounts_create((struct budget){bytes_max, 8, 0}, accounts_max, NULL);
    assert_non_null(a);
    return a;
}

// Takes `step` bytes at a time until no more fit.
static uint64_t fill(struct accounts *a, uint8_t shard, uint32_t index, uint64_t step)
{
    uint64_t taken = 0;
    for (; account_fits(a, shard, index, (struct budget){.bytes = step}); taken += step)
        account_charge(a, shard, index, (struct budget){.bytes = step});
    return taken;
}

// One alone has half; who comes later has half of what is left; and so on, in each shard.
static void sources_share(void **state)
{
    (void)state;
    struct accounts *a = accounts_of(1024, 16);
    for (uint8_t shard = 3; shard < 5; shard++) {
        uint32_t one = account_take(a, shard, address_v4(1)), two;
        two = account_take(a, shard, address_v4(2));
        assert_int_not_equal(one, two);
        assert_int_equal(fill(a, shard, one, 1), 512);
        assert_int_equal(fill(a, shard, two, 1), 256);
        assert_int_equal(fill(a, shard, one, 1), 0);
        account_release(a, shard, one, (struct budget){.bytes = 512});
        assert_int_equal(fill(a, shard, two, 1), 256);
        assert_int_equal(fill(a, shard, one, 1), 256);
        account_release(a, shard, one, (struct budget){.bytes = 256});
        account_release(a, shard, two, (struct budget){.bytes = 512});
        account_give(a, one);
        account_give(a, two);
    }
    assert_int_equal(a->pool.used, 0);
    accounts_destroy(a);
}

// Where no account is free, the budget of the shard holds.
static void nobody_is_bounded_too(void **state)
{
    (void)state;
    struct accounts *a = accounts_of(1000, 1);
    uint32_t one = account_take(a, 0, address_v4(1));
    assert_int_equal(account_take(a, 0, address_v4(2)), 0);
    assert_int_equal(fill(a, 0, 0, 10), 990);
    assert_int_equal(fill(a, 0, one, 10), 0);
    assert_true(account_fits(a, 0, one, (struct budget){.files = 1}));
    account_release(a, 0, 0, (struct budget){.bytes = 990});
    account_give(a, 0);
    account_give(a, one);
    accounts_destroy(a);
}

static void many_are_found_again(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static uint32_t indexes[MANY];
    struct accounts *a = accounts_of(1000, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        indexes[i] = account_take(a, (uint8_t)(i % 3), address_v4(i / 3));
    assert_int_equal(a->pool.used, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(account_take(a, (uint8_t)(i % 3), address_v4(i / 3)), indexes[i]);
    for (uint32_t i = 0; i < 2 * MANY; i++) account_give(a, indexes[i / 2]);
    assert_int_equal(a->pool.used, 0);
    accounts_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_share),
        cmocka_unit_test(nobody_is_bounded_too),
        cmocka_unit_test(many_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
