#include "engine/pdu_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void add(struct pdu_list *l, uint8_t side, nanos time, const char *data)
{
    pdu_list_add(l, &(struct pdu){.side = side, .first_seen = time, .data = bytes_text(data)});
}

static void assert_at(const struct pdu_list *l, size_t place, const char *data)
{
    assert_true(bytes_equal(pdu_list_at(l, place)->data, bytes_text(data)));
}

static void directions_are_merged_by_time(void **state)
{
    (void)state;
    struct pdu_list l = {0};
    add(&l, 0, 1, "a");
    add(&l, 0, 4, "b");
    add(&l, 1, 2, "waited behind a gap");
    add(&l, 1, 3, "so did this");
    pdu_list_order(&l);
    assert_at(&l, 0, "a");
    assert_at(&l, 1, "waited behind a gap");
    assert_at(&l, 2, "so did this");
    assert_at(&l, 3, "b");
    pdu_list_deinit(&l);
}

static void a_direction_stays_in_the_order_of_its_stream(void **state)
{
    (void)state;
    struct pdu_list l = {0};
    add(&l, 0, 9, "first");
    add(&l, 0, 2, "second, seen before the first");
    add(&l, 1, 9, "at the same time, delivered later");
    pdu_list_order(&l);
    assert_at(&l, 0, "first");
    assert_at(&l, 1, "second, seen before the first");
    assert_at(&l, 2, "at the same time, delivered later");
    pdu_list_deinit(&l);
}

static void none(void **state)
{
    (void)state;
    struct pdu_list l = {0};
    pdu_list_order(&l);
    assert_int_equal(l.count, 0);
    pdu_list_deinit(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions_are_merged_by_time),
        cmocka_unit_test(a_direction_stays_in_the_order_of_its_stream),
        cmocka_unit_test(none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
