// The SQL of a filter keeps no wanted row from being read, and keeps most others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter/filter.h"
#include "filter/random_cases.h"
#include "store/fixture.h"

enum { ROUNDS = 300, LEAVES = 6 };

static struct random_rows *rows;
static struct store *store;
static struct case_reader *reader;

struct seen {
    const struct filter *filter;
    bool wanted[RANDOM_ROWS];
    unsigned read;
};

static bool take(void *context, const struct record_batch *b)
{
    struct seen *s = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        s->read++;
        s->wanted[batch_get_id(b, COMMON_ID, row).hash] = filter_match(s->filter, b, row);
    }
    return true;
}

static int set_up(void **state)
{
    (void)state;
    struct err err;
    rows = random_rows_create(4711);
    store = store_open(NULL, &random_kind, 1, &fixture_author, &err);
    struct record_sink sink = store_sink(store);
    sink.take(sink.context, random_rows_batch(rows));
    if (!store_commit(store, fixture_reading(1, ""), false, &err)) return -1;
    reader = case_of_store(store, &err);
    return reader ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    case_close(reader);
    store_close(store);
    random_rows_destroy(rows);
    return 0;
}

static unsigned check(const char *text, const bool *wanted)
{
    struct filter_options options = {.now = random_now};
    struct filter_error error;
    struct err err;
    struct text where = {0};
    struct filter *f = filter_compile(text, &random_kind, 1, &options, &error);
    if (!f) fail_msg("%s: column %u: %s", text, error.column, error.message);
    struct seen seen = {.filter = f};
    bool some = filter_sql(f, random_kind, &where);
    struct case_scan scan = {random_kind, filter_fields(f, random_kind) | 1, some ? where.p : NULL,
                             take, &seen};
    if (!case_scan(reader, &scan, &err)) fail_msg("%s\n%s\n%s", text, where.p, err.text);
    for (uint32_t row = 0; row < RANDOM_ROWS; row++)
        if (seen.wanted[row] != wanted[row]) fail_msg("row %u: %s\n%s", row, text, where.p);
    text_deinit(&where);
    filter_destroy(f);
    return seen.read;
}

static void keeps_no_wanted_row(void **state)
{
    (void)state;
    uint64_t seed = 0xca5e;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct text text = {0};
        bool wanted[RANDOM_ROWS];
        random_expression(&seed, rows, LEAVES, &text, wanted);
        check(text.p, wanted);
        text_deinit(&text);
    }
}

static void reads_only_wanted_rows(void **state)
{
    (void)state;
    static const char *const exact[] = {
        "uint > 1k",
        "not uint > 1k",
        "address in 10.0.0.0/8",
        "not address in {::/0}",
        "text contains ab",
        "not text == a",
        "hash != 00ab00cd",
        "time >= now-3s and duration < 1s",
        "bool",
        "not bool",
        "exists(text)",
        "not (exists(id2) or uint == 80) and not text in {a, \"c:\\dir\", \"say \\\"ab\\\"\"}",
    };
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        struct filter_options options = {.now = random_now};
        struct filter_error error;
        bool wanted[RANDOM_ROWS];
        unsigned count = 0;
        struct filter *f = filter_compile(exact[i], &random_kind, 1, &options, &error);
        assert_non_null(f);
        for (uint32_t row = 0; row < RANDOM_ROWS; row++)
            count += wanted[row] = filter_match(f, random_rows_batch(rows), row);
        filter_destroy(f);
        assert_true(count > 0 && count < RANDOM_ROWS);
        if (check(exact[i], wanted) != count) fail_msg("more than wanted is read: %s", exact[i]);
    }
}

int main(void)
{
    if (!fixture_has_library()) return FIXTURE_SKIP;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_no_wanted_row),
        cmocka_unit_test(reads_only_wanted_rows),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
