// What is known of exporters: bounded whatever they tell, forgotten when they begin anew, and had
// back by the next process.
#include "collect/exporters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collect/protocol.h"

enum { STORM = 100000, ID = 300 };

struct fixture {
    struct collector *collector;
    struct session *session;
    uint32_t gone;
};

static void count_gone(void *context, struct session *s)
{
    struct fixture *f = context;
    assert_int_equal(s->held_bytes, 0);
    f->gone++;
}

static struct session *session_at_port(struct fixture *f, uint16_t port, nanos now)
{
    struct session_key key = {
        .address = address_v4(0xc0000201), .domain = 7, .port = port, .version = IPFIX};
    return session_of(collector_sessions(f->collector), &key, now, count_gone, f);
}

static int setup(void **state)
{
    static struct fixture f;
    static const struct collector_options options = {.point = ""};
    f = (struct fixture){.collector = collector_create(&options, NULL, NULL)};
    f.session = session_at_port(&f, 1, 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    collector_destroy(f->collector);
    return 0;
}

static void define(struct session *s, uint16_t id, uint32_t field_count, uint32_t scopes, nanos now)
{
    struct template_field fields[TEMPLATE_FIELDS_MAX];
    for (uint32_t i = 0; i < field_count; i++)
        fields[i] = (struct template_field){.number = (uint16_t)(i + 1), .length = 4};
    session_define(s, template_create(id, fields, field_count, scopes, now), now);
}

static void hold(struct session *s, uint16_t id, size_t n)
{
    static const uint8_t set[65000];
    struct flow_origin origin = {.point = "", .exported = 1, .sampling = &s->sampling};
    session_hold(s, id, &origin, bytes_of(set, n), 1);
}

static uint64_t gap(const struct session *s)
{
    return s->lost[EXPORT_LOSS_sequence_gap];
}

// ---- templates ----------------------------------------------------------------------------------

static void withdrawals_are_of_one_kind(void **state)
{
    struct session *s = ((struct fixture *)*state)->session;
    for (uint16_t i = 0; i < 4; i++) define(s, (uint16_t)(ID + i), 3, i % 2, 1);
    session_withdraw(s, ID + 1);
    assert_int_equal(s->template_count, 3);
    session_withdraw(s, WITHDRAW_FLOWS);
    assert_int_equal(s->template_count, 1);
    assert_non_null(session_template(s, ID + 3, 1));
    session_withdraw(s, WITHDRAW_OPTIONS);
    assert_int_equal(s->template_count, 0);
    assert_int_equal(s->template_bytes, 0);
}

static void a_storm_of_templates_is_bounded(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < STORM; i++)
        define(f->session, (uint16_t)(256 + i % 65000), 1 + i % 64, 0, (nanos)i);
    assert_true(f->session->template_count <= SESSION_TEMPLATES_MAX);
    assert_true(f->session->template_bytes <= SESSION_TEMPLATE_BYTES + template_size(64));
    assert_int_equal(f->session->lost[EXPORT_LOSS_templates_full],
                     STORM - f->session->template_count);
    assert_non_null(session_template(f->session, (uint16_t)(256 + (STORM - 1) % 65000), STORM));
}

// Whoever sends from many addresses gets no more room than one limit for all.
static void many_senders_are_bounded_together(void **state)
{
    struct fixture *f = *state;
    size_t used_max = 0;
    for (uint16_t port = 2; port < 400; port++) {
        struct session *s = session_at_port(f, port, port);
        for (uint16_t i = 0; i < 8; i++) define(s, (uint16_t)(ID + i), 1000, 0, port);
        for (unsigned i = 0; i < 3; i++) hold(s, ID - 1, 60000);
        size_t used = *s->bytes_of_all;
        if (used > used_max) used_max = used;
    }
    assert_true(used_max > SESSIONS_BYTES / 2 && used_max < SESSIONS_BYTES + 1024 * 1024);
    assert_true(f->gone > 200);
    sessions_close(collector_sessions(f->collector), 0, count_gone, f);
    assert_int_equal(f->gone, 399);
}

static void sets_that_wait_are_lost_at_the_end(void **state)
{
    struct session *s = ((struct fixture *)*state)->session;
    for (unsigned i = 0; i < 3; i++) hold(s, ID, 100);
    session_give_up(s);
    assert_int_equal(s->lost[EXPORT_LOSS_no_template], 3);
    assert_int_equal(s->held_bytes, 0);
}

// ---- counts -------------------------------------------------------------------------------------

static void a_count_that_begins_anew_is_no_gap(void **state)
{
    struct session *s = ((struct fixture *)*state)->session;
    for (uint32_t i = 0; i < 10; i++) session_sequence(s, 5000 + 20 * i, 20, 1);
    for (uint32_t i = 0; i < 10; i++) session_sequence(s, 20 * i, 20, 1);
    assert_int_equal(gap(s), 0);
    session_sequence(s, 210, 20, 1); // ten are missing
    assert_int_equal(gap(s), 10);
}

static void what_comes_late_was_not_lost(void **state)
{
    struct session *s = ((struct fixture *)*state)->session;
    static const uint32_t sequences[] = {0, 20, 80, 40, 60, 100};
    for (unsigned i = 0; i < 6; i++) session_sequence(s, sequences[i], 20, 1);
    assert_int_equal(gap(s), 0);
}

static void two_counts_of_one_address_are_no_gaps(void **state)
{
    struct session *s = ((struct fixture *)*state)->session;
    for (uint32_t i = 0; i < 100; i++) {
        session_sequence(s, 1000000 + 20 * i, 20, 1);
        session_sequence(s, 20 * i, 20, 1);
    }
    assert_int_equal(gap(s), 0);
}

static void some_count_the_message_itself(void **state)
{
    struct session *s = ((struct fixture *)*state)->session;
    static const uint32_t records[] = {24, 32, 32, 33, 5, 32};
    uint32_t sequence = 0;
    for (unsigned i = 0; i < 6; i++) session_sequence(s, sequence += records[i], records[i], 1);
    assert_int_equal(gap(s), 0);
    session_sequence(s, sequence + 7 + 32, 32, 1); // seven are missing
    assert_int_equal(gap(s), 7);
}

static void a_system_that_began_anew_tells_again(void **state)
{
    struct session *s = ((struct fixture *)*state)->session;
    const nanos start = 1000 * NANOS_PER_SECOND, minute = 60 * NANOS_PER_SECOND;
    define(s, ID, 3, 0, 1);
    s->sampling.rate = 100;
    session_uptime(s, UINT32_MAX - 30000, start);
    session_uptime(s, 30000, start + minute); // 49.7 days are over
    session_uptime(s, 29990, start + minute); // late
    assert_int_equal(s->template_count, 1);
    session_uptime(s, 5000, start + 2 * minute);
    assert_int_equal(s->template_count, 0);
    assert_int_equal(s->sampling.rate, 0);
    assert_int_equal(s->restarts, 1);
}

// ---- the next process ---------------------------------------------------------------------------

static void count_templates(void *context, const struct exporter_template *t)
{
    uint32_t *count = context;
    assert_int_equal(t->template->records, 42);
    *count += 1;
}

static void the_next_process_knows(void **state)
{
    struct fixture *f = *state, next = {0};
    struct text kept = {0};
    static const struct collector_options options = {.point = ""};
    define(f->session, ID, 3, 0, NANOS_PER_SECOND);
    f->session->templates[0]->records = 42;
    f->session->sampling.rate = 7;
    session_sequence(f->session, 100, 20, 1);
    exporters_write(f->collector, &kept);
    next.collector = collector_create(&options, NULL, NULL);
    assert_true(exporters_read(next.collector, bytes_of(kept.p, kept.n)));
    struct session *s = session_at_port(&next, 1, 1);
    assert_non_null(session_template(s, ID, TEMPLATE_LIFETIME + NANOS_PER_SECOND));
    assert_null(session_template(s, ID, TEMPLATE_LIFETIME + NANOS_PER_SECOND + 1));
    assert_int_equal(s->sampling.rate, 7);
    session_sequence(s, 130, 20, 1); // ten came meanwhile
    assert_int_equal(gap(s), 10);
    uint32_t count = 0;
    exporters_each(next.collector, &count, count_templates);
    assert_int_equal(count, 1);
    collector_destroy(next.collector);
    text_deinit(&kept);
}

static void damage_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct text kept = {0};
    define(f->session, ID, 3, 0, 1);
    exporters_write(f->collector, &kept);
    for (size_t i = 0; i < kept.n; i++) {
        kept.p[i] ^= 1;
        assert_false(exporters_read(f->collector, bytes_of(kept.p, kept.n)));
        kept.p[i] ^= 1;
        assert_false(exporters_read(f->collector, bytes_of(kept.p, i)));
    }
    text_deinit(&kept);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(withdrawals_are_of_one_kind),
        TEST(a_storm_of_templates_is_bounded),
        TEST(many_senders_are_bounded_together),
        TEST(sets_that_wait_are_lost_at_the_end),
        TEST(a_count_that_begins_anew_is_no_gap),
        TEST(what_comes_late_was_not_lost),
        TEST(two_counts_of_one_address_are_no_gaps),
        TEST(some_count_the_message_itself),
        TEST(a_system_that_began_anew_tells_again),
        TEST(the_next_process_knows),
        TEST(damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
