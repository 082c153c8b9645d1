#include "store/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/artifact.h"
#include "store/fixture.h"

enum { PATH_SIZE = 256 };

static struct err err;

static struct store *open_store(const char *folder)
{
    struct store *s = store_open(folder, fixture_kinds, 2, &fixture_author, &err);
    if (!s) fail_msg("%s", err.text);
    return s;
}

static void commit(struct store *s, uint8_t number, const char *options, bool again)
{
    if (!store_commit(s, fixture_reading(number, options), again, &err)) fail_msg("%s", err.text);
}

static uint64_t rows_in(const char *folder, const struct record_kind *kind)
{
    struct case_reader *c = case_open(folder, fixture_kinds, 2, &err);
    if (!c) fail_msg("%s", err.text);
    uint64_t rows = case_rows(c, kind);
    case_close(c);
    return rows;
}

// ---- round trips --------------------------------------------------------------------------------

// What a scan is compared with: rows in the order in which they were put in.
struct expected {
    uint64_t next;
    struct record_batch *row;
};

static bool compare(void *context, const struct record_batch *batch)
{
    struct expected *e = context;
    for (uint32_t row = 0; row < batch->rows; row++) {
        batch_clear(e->row);
        assert_true(fixture_row(e->row, e->next++));
        assert_true(fixture_rows_equal(batch, row, e->row, 0));
    }
    return true;
}

static void check_scan(struct case_reader *c, const struct record_kind *kind, uint64_t rows)
{
    struct expected e = {0, batch_create(kind)};
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

// More than one group of rows, by their number and by their texts.
static void gives_back_several_groups(void **state)
{
    round_trip(*state, 140000, 512);
}

// Segments of one row: some have only its id, others not all fields.
static void gives_back_what_segments_do_not_have(void **state)
{
    enum { SEGMENTS = 8 };
    struct store *s = open_store(*state);
    for (uint8_t i = 0; i < SEGMENTS; i++) {
        fixture_fill(store_sink(s), &sample_kind, i, i + 1, 1);
        commit(s, i, "", false);
    }
    struct case_reader *c = case_of_store(s, &err);
    check_scan(c, &sample_kind, SEGMENTS);
    case_close(c);
    store_close(s);
}

static void gives_back_in_memory(void **state)
{
    (void)state;
    round_trip(NULL, 10000, 100);
}

static void gives_back_nothing(void **state)
{
    round_trip(*state, 0, 1);
    assert_int_equal(rows_in(*state, &sample_kind), 0);
}

// ---- readings -----------------------------------------------------------------------------------

static void knows_its_readings(void **state)
{
    struct store *s = open_store(*state);
    assert_int_equal(store_find(s, fixture_reading(1, "a")), READING_NEW);
    fixture_fill(store_sink(s), &plain_kind, 0, 10, 10);
    commit(s, 1, "a", false);
    commit(s, 2, "a", false);
    store_close(s);
    s = open_store(*state);
    assert_int_equal(store_find(s, fixture_reading(1, "a")), READING_SAME);
    assert_int_equal(store_find(s, fixture_reading(1, "b")), READING_OTHER_OPTIONS);
    assert_int_equal(store_find(s, fixture_reading(3, "a")), READING_NEW);
    struct reading_capture both[2] = {{.path = "a"}, {.path = "c"}};
    memset(both[0].sha256, 1, 32);
    memset(both[1].sha256, 3, 32);
    struct reading partly = {both, 2, "a", "0.1.0", 1};
    assert_int_equal(store_find(s, &partly), READING_PARTLY);
    memset(both[1].sha256, 2, 32);
    assert_int_equal(store_find(s, &partly), READING_SAME);
    store_close(s);
}

static void replaces_when_asked(void **state)
{
    struct store *s = open_store(*state);
    fixture_fill(store_sink(s), &plain_kind, 0, 10, 10);
    commit(s, 1, "a", false);
    fixture_fill(store_sink(s), &plain_kind, 0, 7, 10);
    commit(s, 2, "a", false);
    assert_int_equal(rows_in(*state, &plain_kind), 17);
    fixture_fill(store_sink(s), &plain_kind, 0, 5, 10);
    commit(s, 1, "b", true);
    assert_int_equal(rows_in(*state, &plain_kind), 12);
    assert_int_equal(store_find(s, fixture_reading(1, "a")), READING_OTHER_OPTIONS);
    store_close(s);
}

static void does_not_lose_what_was_read_together(void **state)
{
    struct store *s = open_store(*state);
    struct reading_capture both[2] = {{.path = "a.pcap"}, {.path = "b.pcap"}};
    memset(both[0].sha256, 1, 32);
    memset(both[1].sha256, 2, 32);
    struct reading together = {both, 2, "a", "0.1.0", 1};
    assert_true(store_commit(s, &together, false, &err));
    assert_false(store_commit(s, fixture_reading(1, "b"), true, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "b.pcap"));
    store_close(s);
}

static void forgets_what_is_aborted(void **state)
{
    struct store *s = open_store(*state);
    fixture_fill(store_sink(s), &plain_kind, 0, 10, 10);
    store_abort(s);
    commit(s, 1, "a", false);
    store_close(s);
    s = open_store(*state);
    fixture_fill(store_sink(s), &plain_kind, 0, 10, 10);
    store_close(s);
    assert_int_equal(rows_in(*state, &plain_kind), 0);
}

// ---- processes ----------------------------------------------------------------------------------

static void refuses_a_second_writer(void **state)
{
    struct store *s = open_store(*state);
    char pid[16];
    snprintf(pid, sizeof pid, "pid %d", (int)getpid());
    assert_null(store_open(*state, fixture_kinds, 2, &fixture_author, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "is being written by another process"));
    assert_non_null(strstr(err.text, pid));
    store_close(s);
    store_close(open_store(*state));
}

static unsigned count_segments(const char *folder)
{
    char command[PATH_SIZE];
    snprintf(command, sizeof command, "find %s/records -type f | wc -l", folder);
    FILE *f = popen(command, "r");
    unsigned n = 0;
    assert_int_equal(fscanf(f, "%u", &n), 1);
    pclose(f);
    return n;
}

// Who opened the case before a reading was replaced goes on seeing it; its files go when nobody
// does any more.
static void keeps_what_is_being_read(void **state)
{
    struct store *s = open_store(*state);
    fixture_fill(store_sink(s), &plain_kind, 0, 10, 10);
    commit(s, 1, "a", false);
    struct case_reader *before = case_open(*state, fixture_kinds, 2, &err);
    fixture_fill(store_sink(s), &plain_kind, 0, 5, 10);
    commit(s, 1, "b", true);
    check_scan(before, &plain_kind, 10);
    assert_int_equal(count_segments(*state), 2);
    case_close(before);
    store_close(s);
    store_close(open_store(*state));
    assert_int_equal(count_segments(*state), 1);
    assert_int_equal(rows_in(*state, &plain_kind), 5);
}

static void sweeps_what_a_killed_writer_left(void **state)
{
    char path[PATH_SIZE];
    struct store *s = open_store(*state);
    fixture_fill(store_sink(s), &plain_kind, 0, 10, 10);
    commit(s, 1, "a", false);
    store_close(s);
    static const char *const left[] = {"records/plain/.00000005-0001.parquet",
                                       "records/plain/00000005-0001.parquet",
                                       "artifacts/.new/open-1"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        snprintf(path, sizeof path, "%s/%s", (char *)*state, left[i]);
        assert_true(file_write_durable(path, bytes_text("half"), &err));
    }
    store_close(open_store(*state));
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        snprintf(path, sizeof path, "%s/%s", (char *)*state, left[i]);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_int_equal(rows_in(*state, &plain_kind), 10);
}

static void write_until_killed(const char *folder)
{
    for (uint8_t i = 0;; i++) {
        struct store *s = store_open(folder, fixture_kinds, 2, &fixture_author, NULL);
        if (!s) _exit(1);
        if (store_find(s, fixture_reading(i, "a")) == READING_NEW) {
            fixture_fill(store_sink(s), &plain_kind, 0, 100, 10);
            if (!store_commit(s, fixture_reading(i, "a"), false, NULL)) _exit(1);
        }
        store_close(s);
    }
}

// Killed again and again, at whatever moment: what is there is whole readings.
static void survives_being_killed(void **state)
{
    for (int i = 0; i < 12; i++) {
        pid_t child = fork();
        if (child == 0) write_until_killed(*state);
        usleep(20000 + (useconds_t)i * 7919);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        store_close(open_store(*state));
        struct case_reader *c = case_open(*state, fixture_kinds, 2, &err);
        assert_non_null(c);
        uint64_t rows = case_rows(c, &plain_kind), readings = case_catalogue(c)->reading_count;
        assert_int_equal(rows, 100 * readings);
        char *text = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&text, &n);
        if (!case_sql(c, "SELECT count(*) AS n FROM plain", CASE_JSON, out, 0, NULL, &err))
            fail_msg("%s", err.text);
        fclose(out);
        assert_int_equal(strtoull(text + strlen("{\"n\":"), NULL, 10), rows);
        free(text);
        case_close(c);
    }
}

// ---- what is no case ----------------------------------------------------------------------------

static void refuses_what_is_no_case(void **state)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/notes.txt", (char *)*state);
    assert_true(file_write_durable(path, bytes_text("mine"), &err));
    assert_null(store_open(*state, fixture_kinds, 2, &fixture_author, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(store_open(path, fixture_kinds, 2, &fixture_author, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(case_open(*state, fixture_kinds, 2, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_null(case_open("/nonexistent/case", fixture_kinds, 2, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(access(path, F_OK), 0);
}

static void make_log_folder(const char *folder)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/log", folder);
    assert_true(folder_make(path, &err));
}

static void takes_back_a_case_without_a_reading(void **state)
{
    char path[PATH_SIZE];
    store_close(open_store(*state));
    assert_int_equal(rmdir(*state), 0); // it was there before, empty, and is so again
    snprintf(path, sizeof path, "%s", (char *)*state);
    store_close(open_store(path));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(folder_make(path, &err));
}

static void refuses_a_newer_case(void **state)
{
    char path[PATH_SIZE], text[512];
    make_log_folder(*state);
    snprintf(path, sizeof path, "%s/" CASE_LOG, (char *)*state);
    int n = snprintf(
        text, sizeof text,
        "{\"seq\":1,\"prev\":\"%064d\",\"type\":\"case\",\"weir\":\"9.0\",\"format\":9}\n", 0);
    assert_true(file_write_durable(path, bytes_of(text, (size_t)n), &err));
    assert_null(store_open(*state, fixture_kinds, 2, &fixture_author, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "newer weir (9.0"));
    assert_null(case_open(*state, fixture_kinds, 2, &err));
    assert_int_equal(err.code, ERR_INPUT);
}

static void does_not_follow_paths_out_of_the_case(void **state)
{
    char path[PATH_SIZE], text[512];
    make_log_folder(*state);
    snprintf(path, sizeof path, "%s/" CASE_LOG, (char *)*state);
    int n = snprintf(text, sizeof text,
                     "{\"seq\":1,\"prev\":\"%064d\",\"type\":\"reading\",\"format\":2,"
                     "\"segments\":[{\"kind\":\"plain\",\"path\":\"records/../../x.parquet\"}]}\n",
                     0);
    assert_true(file_write_durable(path, bytes_of(text, (size_t)n), &err));
    assert_null(case_open(*state, fixture_kinds, 2, &err));
    assert_non_null(strstr(err.text, "outside the case"));
}

// ---- a full disk --------------------------------------------------------------------------------

static void fill_until_full(const char *folder)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/case", folder);
    struct store *s = open_store(path);
    fixture_fill(store_sink(s), &plain_kind, 0, 10, 10);
    commit(s, 1, "a", false);
    fixture_fill(store_sink(s), &sample_kind, 0, 40000, 1024);
    assert_false(store_commit(s, fixture_reading(2, "a"), false, &err));
    assert_int_equal(err.code, ERR_MACHINE);
    assert_non_null(strstr(err.text, "No space left"));
    assert_non_null(strstr(err.text, "nothing was added"));
    assert_int_equal(rows_in(path, &plain_kind), 10);
    fixture_fill(store_sink(s), &plain_kind, 10, 20, 10);
    commit(s, 3, "a", false);
    assert_int_equal(rows_in(path, &plain_kind), 20);
    store_close(s);
}

static void stays_whole_on_a_full_disk(void **state)
{
    if (mount("tmpfs", *state, "tmpfs", 0, "size=2m") != 0) skip();
    fill_until_full(*state);
    assert_int_equal(umount(*state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_put_in, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(gives_back_small_batches, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(gives_back_several_groups, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(gives_back_what_segments_do_not_have, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test(gives_back_in_memory),
        cmocka_unit_test_setup_teardown(gives_back_nothing, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(knows_its_readings, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(replaces_when_asked, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(does_not_lose_what_was_read_together, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(forgets_what_is_aborted, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_second_writer, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(keeps_what_is_being_read, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(sweeps_what_a_killed_writer_left, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(survives_being_killed, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_case, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(takes_back_a_case_without_a_reading, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_newer_case, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(does_not_follow_paths_out_of_the_case, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(stays_whole_on_a_full_disk, fixture_set_up,
                                        fixture_tear_down),
    };
    if (!fixture_has_library()) return FIXTURE_SKIP;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
