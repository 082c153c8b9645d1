// When silence ends a conversation.
#include "flow/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "flow/flow.h"

struct fixture {
    struct flow_table *table;
    unsigned ended;
};

static void note_end(void *context, struct conversation *c)
{
    (void)c;
    ((struct fixture *)context)->ended++;
}

static void ignore_interval(void *context, struct conversation *c)
{
    (void)context;
    c->metered = false;
}

static struct fixture *fixture_create(void)
{
    static struct fixture f;
    struct flow_options options = {.conversation_timeout = 600 * NANOS_PER_SECOND,
                                   .closed_linger = 60 * NANOS_PER_SECOND,
                                   .active_timeout = 60 * NANOS_PER_SECOND,
                                   .idle_timeout = 15 * NANOS_PER_SECOND,
                                   .conversations_max = 64};
    f = (struct fixture){0};
    f.table = flow_table_create(&options, (struct flow_table_hooks){&f, note_end, ignore_interval},
                                NULL);
    assert_non_null(f.table);
    return &f;
}

// A packet of the one conversation; whether it still was the one that is there.
static bool goes_on(struct fixture *f, int64_t time, int64_t watermark)
{
    struct packet p = {.time = time * NANOS_PER_SECOND,
                       .watermark = watermark * NANOS_PER_SECOND,
                       .key = {.proto = 17, .port_a = 1, .port_b = 2},
                       .hash = 77};
    struct conversation *c = flow_table_find(f->table, &p);
    bool found = c;
    if (!c) c = flow_table_add(f->table, &p);
    conversation_count(c, &p);
    flow_table_run(f->table, p.watermark);
    return found;
}

static void ends_after_silence(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    assert_false(goes_on(f, 1000, 1000));
    assert_true(goes_on(f, 1599, 1599));
    assert_false(goes_on(f, 2199, 2199));
    assert_int_equal(f->ended, 1);
    flow_table_destroy(f->table);
}

// A capture goes on after days: the watermark follows only when several packets say so.
static void a_late_watermark_is_no_silence(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    assert_false(goes_on(f, 900000, 1000));
    assert_true(goes_on(f, 900001, 1000));
    assert_true(goes_on(f, 900002, 900002));
    assert_true(goes_on(f, 900003, 900003));
    assert_false(goes_on(f, 900700, 900700));
    flow_table_destroy(f->table);
}

// One packet with a time far ahead keeps nothing alive.
static void a_stray_time_keeps_nothing_alive(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    assert_false(goes_on(f, 1000, 1000));
    assert_true(goes_on(f, 9000000, 1001));
    assert_true(goes_on(f, 1500, 1500));
    assert_false(goes_on(f, 2200, 2200));
    flow_table_destroy(f->table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_after_silence),
        cmocka_unit_test(a_late_watermark_is_no_silence),
        cmocka_unit_test(a_stray_time_keeps_nothing_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
