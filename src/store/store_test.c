#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "store/fixture.h"

static struct err err;

static int set_up(void **state)
{
    *state = fixture_folder();
    return 0;
}

static int tear_down(void **state)
{
    fixture_folder_remove(*state);
    return 0;
}

static struct store *open_store(const char *folder)
{
    struct store *s = store_open(folder, fixture_kinds, 2, "0.1.0", 1, &err);
    if (!s) print_error("%s\n", err.text);
    assert_non_null(s);
    return s;
}

static void commit(struct store *s, uint8_t number, const char *options, bool again)
{
    if (!store_commit(s, fixture_reading(number, options), again, &err)) fail_msg("%s", err.text);
}

// What a scan is compared with: rows in the order in which they were put in.
struct expected {
    uint64_t next;
    struct record_batch *row;
    bool stop_early;
};

static bool compare(void *context, const struct record_batch *batch)
{
    struct expected *e = context;
    for (uint32_t row = 0; row < batch->rows; row++) {
        batch_clear(e->row);
        assert_true(fixture_row(e->row, e->next++));
        assert_true(fixture_rows_equal(batch, row, e->row, 0));
    }
    return !e->stop_early;
}

static void check_scan(struct case_reader *c, const struct record_kind *kind, uint64_t rows)
{
    struct expected e = {0, batch_create(kind), false};
    const struct case_scan scan = {kind, CASE_ALL_FIELDS, NULL, compare, &e};
    if (!case_scan(c, &scan, &err)) fail_msg("%s", err.text);
    assert_int_equal(e.next, rows);
    assert_int_equal(case_rows(c, kind), rows);
    batch_destroy(e.row);
}

static void round_trip(const char *folder, uint64_t rows, uint32_t batch_rows)
{
    struct store *s = open_store(folder);
    fixture_fill(store_sink(s), &sample_kind, 0, rows, batch_rows);
    fixture_fill(store_sink(s), &plain_kind, 0, rows, batch_rows);
    assert_int_equal(store_rows(s), 2 * rows);
    commit(s, 1, "", false);
    assert_int_equal(store_rows(s), 0);
    struct case_reader *c = case_of_store(s, &err);
    if (!c) fail_msg("%s", err.text);
    check_scan(c, &sample_kind, rows);
    check_scan(c, &plain_kind, rows);
    case_close(c);
    store_close(s);
}

static void gives_back_what_was_put_in(void **state)
{
    round_trip(*state, 10000, 1024);
}

static void gives_back_small_batches(void **state)
{
    round_trip(*state, 5000, 3);
}

static void gives_back_in_memory(void **state)
{
    (void)state;
    round_trip(NULL, 10000, 100);
}

static char *ask(struct case_reader *c, const char *sql, enum case_format format)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    bool fine = case_sql(c, sql, format, out, 0, NULL, &err);
    fclose(out);
    if (!fine) fail_msg("%s", err.text);
    return text;
}

static void answers_sql(void **state)
{
    struct store *s = open_store(*state);
    fixture_fill(store_sink(s), &sample_kind, 0, 10, 1024);
    commit(s, 1, "", false);
    store_close(s);
    struct case_reader *c = case_open(*state, fixture_kinds, 2, &err);
    char *text = ask(c, "SELECT count(*) AS n, sum(count) AS s FROM sample WHERE addr = '10.0.0.1'", CASE_JSON);
    assert_string_equal(text, "{\"n\":1,\"s\":1}\n");
    free(text);
    text = ask(c, "SELECT * FROM sample ORDER BY id LIMIT 2", CASE_JSON);
    print_message("%s", text);
    free(text);
    text = ask(c, "SELECT * FROM sample ORDER BY id", CASE_TABLE);
    print_message("%s", text);
    free(text);
    text = ask(c, "SELECT * FROM plain", CASE_CSV);
    assert_string_equal(text, "src_addr,bytes\r\n");
    free(text);
    case_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_put_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_small_batches, set_up, tear_down),
        cmocka_unit_test(gives_back_in_memory),
        cmocka_unit_test_setup_teardown(answers_sql, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
