#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "store/digest.h"
#include "store/fixture.h"
#include "store/tail.h"

enum { PATH_SIZE = 256, ROWS = 5000, LANES = 3 };
static const struct store_collection collected = {"udp://:2055", "collect", "0.1.0"};

static struct err err;

static struct store *open_store(const char *folder)
{
    struct store *s = store_open(folder, fixture_kinds, 2, &fixture_author, &err);
    if (!s) fail_msg("%s", err.text);
    return s;
}

static struct store *open_collection(const char *folder)
{
    struct store *s = open_store(folder);
    if (!store_collect(s, &collected, 1, &err)) fail_msg("%s", err.text);
    return s;
}

static void fill(struct store *s, uint64_t from, uint64_t to)
{
    fixture_fill(store_sink(s), &sample_kind, from, to, 100);
    fixture_fill(store_sink(s), &plain_kind, from, to, 100);
}

static void sync_store(struct store *s)
{
    if (!store_sync(s, &err)) fail_msg("%s", err.text);
}

static struct case_reader *open_case(const char *folder)
{
    struct case_reader *c = case_open(folder, fixture_kinds, 2, &err);
    if (!c) fail_msg("%s", err.text);
    return c;
}

static bool take(void *context, const struct record_batch *batch)
{
    digest_add(context, batch);
    return true;
}

// What a case says, as one hash; and that it can be asked for as many rows as it tells of.
static void state_of(struct case_reader *c, char hex[HEX_SHA256_SIZE])
{
    struct digest *d = digest_create_whole(fixture_kinds, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct case_scan scan = {fixture_kinds[i], CASE_ALL_FIELDS, NULL, take, d};
        uint64_t rows = 0;
        char ignored[HEX_SHA256_SIZE];
        if (!case_scan(c, &scan, &err)) fail_msg("%s", err.text);
        if (digest_of_kind(d, i, ignored, &rows))
            assert_int_equal(rows, case_rows(c, fixture_kinds[i]));
    }
    digest_total(d, hex);
    digest_destroy(d);
}

static void state_in(const char *folder, char hex[HEX_SHA256_SIZE])
{
    struct case_reader *c = open_case(folder);
    state_of(c, hex);
    case_close(c);
}

static bool take_all(void *context, const struct record_batch *batch)
{
    (void)context, (void)batch;
    return true;
}

static uint64_t rows_of(const char *folder, const struct record_kind *kind)
{
    struct case_reader *c = open_case(folder);
    uint64_t rows = case_rows(c, kind);
    case_close(c);
    return rows;
}

static uint64_t rows_in(const char *folder)
{
    struct case_reader *c = open_case(folder);
    uint64_t rows = case_rows(c, &sample_kind);
    assert_int_equal(case_rows(c, &plain_kind), rows);
    case_close(c);
    return rows;
}

static void path_of(char path[PATH_SIZE], const char *folder, uint64_t number)
{
    char below[TAIL_PATH_MAX];
    tail_path(below, number);
    snprintf(path, PATH_SIZE, "%s/%s", folder, below);
}

static off_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : -1;
}

// ---- reading while it goes on -------------------------------------------------------------------

static void is_read_while_it_goes_on(void **state)
{
    char tail[HEX_SHA256_SIZE], both[HEX_SHA256_SIZE], cut[HEX_SHA256_SIZE];
    struct store *s = open_collection(*state);
    fill(s, 0, ROWS);
    sync_store(s);
    struct case_reader *before = open_case(*state);
    state_of(before, tail);
    fill(s, ROWS, 2 * ROWS);
    assert_int_equal(rows_in(*state), ROWS);
    sync_store(s);
    state_in(*state, both);
    assert_string_not_equal(tail, both);
    if (!store_cut(s, 2, &err)) fail_msg("%s", err.text);
    state_in(*state, cut);
    assert_string_equal(both, cut);
    // Who opened the case before sees what he saw.
    state_of(before, both);
    assert_string_equal(both, tail);
    case_close(before);
    fill(s, 2 * ROWS, 2 * ROWS + 1);
    sync_store(s);
    assert_int_equal(rows_in(*state), 2 * ROWS + 1);
    if (!store_cut(s, 3, &err)) fail_msg("%s", err.text);
    store_close(s);
    assert_int_equal(rows_in(*state), 2 * ROWS + 1);
}

static void nothing_is_no_part(void **state)
{
    char path[PATH_SIZE];
    struct store *s = open_collection(*state);
    fill(s, 0, 10);
    assert_true(store_cut(s, 2, &err));
    assert_true(store_cut(s, 3, &err));
    struct case_reader *c = open_case(*state);
    assert_int_equal(case_catalogue(c)->reading_count, 1);
    assert_int_equal(case_catalogue(c)->readings[0].tail, 3);
    case_close(c);
    store_close(s);
    for (uint64_t number = 1; number < 20; number++) {
        path_of(path, *state, number);
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void cuts_are_due(void **state)
{
    struct store *s = open_collection(*state);
    assert_false(store_is_cut_due(s, 1000, 10));
    fill(s, 0, 10);
    assert_true(store_is_cut_due(s, 1000, 10));
    assert_false(store_is_cut_due(s, 1000, 1000));
    assert_true(store_cut(s, 1000, &err));
    fill(s, 10, 20);
    assert_false(store_is_cut_due(s, 1001, 10));
    store_close(s);
}

// ---- several lanes ------------------------------------------------------------------------------

struct lane {
    struct store *store;
    uint64_t from;
};

static void *run_lane(void *context)
{
    const struct lane *lane = context;
    struct err ignored;
    for (uint64_t row = lane->from; row < lane->from + ROWS; row += 50) {
        fixture_fill(store_sink(lane->store), &sample_kind, row, row + 50, 10);
        fixture_fill(store_sink(lane->store), &plain_kind, row, row + 50, 10);
        assert_true(store_sync(lane->store, &ignored));
    }
    return NULL;
}

static void lanes_go_on_while_it_is_cut(void **state)
{
    pthread_t threads[LANES];
    struct lane lanes[LANES];
    char cut[HEX_SHA256_SIZE], expected[HEX_SHA256_SIZE], other[PATH_SIZE];
    struct store *s = open_collection(*state);
    for (unsigned i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){s, (uint64_t)i * ROWS};
        assert_int_equal(pthread_create(&threads[i], NULL, run_lane, &lanes[i]), 0);
    }
    for (unsigned i = 0; i < 5; i++)
        if (!store_cut(s, i + 2, &err)) fail_msg("%s", err.text);
    for (unsigned i = 0; i < LANES; i++) pthread_join(threads[i], NULL);
    assert_int_equal(rows_in(*state), LANES * ROWS);
    assert_true(store_cut(s, 9, &err));
    store_close(s);
    state_in(*state, cut);
    snprintf(other, sizeof other, "%s/other", (char *)*state);
    s = open_store(other);
    fill(s, 0, (uint64_t)LANES * ROWS);
    assert_true(store_commit(s, fixture_reading(1, ""), false, &err));
    store_close(s);
    state_in(other, expected);
    assert_string_equal(cut, expected);
}

// ---- after a kill -------------------------------------------------------------------------------

// A writer that ends without closing: of what it put in, half is synced with the first call, as
// much with the second, and the rest not at all.
static const struct reading_position position = {"kafka://broker/topic/0", 77};

static void collect_and_die(const char *folder, uint64_t rows)
{
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_collection(folder);
        fill(s, 0, rows / 2);
        bool synced = store_sync(s, &err);
        fill(s, rows / 2, rows);
        store_mark(s, &position, 1);
        synced = store_sync(s, &err) && synced;
        fill(s, rows, rows + 1000);
        _exit(synced ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void what_was_synced_is_there_after_a_kill(void **state)
{
    char before[HEX_SHA256_SIZE], after[HEX_SHA256_SIZE], path[PATH_SIZE];
    collect_and_die(*state, ROWS);
    state_in(*state, before);
    assert_int_equal(rows_in(*state), ROWS);
    struct store *s = open_store(*state);
    path_of(path, *state, 3);
    assert_int_equal(access(path, F_OK), -1);
    uint64_t next = 0;
    assert_true(store_position(s, position.input, &next));
    assert_int_equal(next, position.next);
    store_close(s);
    state_in(*state, after);
    assert_string_equal(before, after);
}

// Whatever stands behind the last whole mark, what is before it counts.
static void a_torn_end_is_cut_off(void **state)
{
    static const char junk[200] = "what a crash left";
    char path[PATH_SIZE];
    uint64_t next;
    collect_and_die(*state, ROWS);
    path_of(path, *state, 3);
    int file = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(file, junk, sizeof junk), sizeof junk);
    assert_int_equal(rows_in(*state), ROWS);
    for (off_t size = size_of(path); rows_in(*state) == ROWS; size -= 1000)
        assert_int_equal(ftruncate(file, size), 0);
    assert_int_equal(rows_in(*state), ROWS / 2);
    close(file);
    struct store *s = open_store(*state);
    assert_false(store_position(s, position.input, &next));
    store_close(s);
    struct case_reader *c = open_case(*state);
    assert_int_equal(case_rows(c, &plain_kind), ROWS / 2);
    assert_true(case_catalogue(c)->readings[0].tail_cut > 0);
    case_close(c);
}

static void a_changed_frame_ends_it(void **state)
{
    char path[PATH_SIZE];
    collect_and_die(*state, 1000);
    path_of(path, *state, 3);
    off_t size = size_of(path);
    int file = open(path, O_RDWR);
    for (off_t at = 24; at < size; at += 997) {
        uint8_t byte;
        assert_int_equal(pread(file, &byte, 1, at), 1);
        byte ^= 0x40;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        struct case_reader *c = case_open(*state, fixture_kinds, 2, &err);
        if (c) assert_true(case_rows(c, &sample_kind) <= 1000);
        else assert_non_null(strstr(err.text, "damaged"));
        case_close(c);
        byte ^= 0x40;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
    }
    close(file);
    assert_int_equal(rows_in(*state), 1000);
}

// A frame whose checksums hold, and whose text lies outside of it: nobody reads beyond.
static void a_forged_frame_is_not_believed(void **state)
{
    struct spool s;
    struct record_batch *b = batch_create(&sample_kind);
    struct tail_about about = {.number = 3, .input = "x", .options = "", .version = "0.1.0"};
    store_close(open_collection(*state));
    struct store *store = open_store(*state);
    spool_init_empty(&s, fixture_kinds, 2);
    if (!tail_create(&s, *state, &about, &err)) fail_msg("%s", err.text);
    fixture_row(b, 0);
    b->columns[SAMPLE_NAME].words[0] = UINT64_C(1) << 40 | 100000;
    b->columns[SAMPLE_NAME].present[0] = 1;
    spool_add(&s, b);
    assert_int_equal(spool_mark(&s, bytes_text("{}")), 0);
    spool_deinit(&s);
    struct case_reader *c = open_case(*state);
    const struct case_scan scan = {&sample_kind, CASE_ALL_FIELDS, NULL, take, NULL};
    assert_false(case_scan(c, &scan, &err));
    case_close(c);
    store_close(store);
    batch_destroy(b);
}

// ---- a case that grows --------------------------------------------------------------------------

static uint64_t segments_in(const char *folder)
{
    struct case_reader *c = open_case(folder);
    uint64_t n = 0;
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(case_catalogue(c), r));)
        n += r->segment_count;
    case_close(c);
    return n;
}

static uint64_t files_in(const char *folder)
{
    char path[PATH_SIZE];
    uint64_t n = 0;
    snprintf(path, sizeof path, "%s/records/sample", folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

static void care(struct store *s, nanos now)
{
    if (!store_care(s, now, &err)) fail_msg("%s", err.text);
}

static void small_segments_become_one(void **state)
{
    char before[HEX_SHA256_SIZE], after[HEX_SHA256_SIZE], held[HEX_SHA256_SIZE];
    struct store *s = open_collection(*state);
    for (uint64_t part = 0; part < 10; part++) {
        fill(s, 10 * part, 10 * part + 10);
        assert_true(store_cut(s, 2, &err));
    }
    fill(s, 100, 150);
    sync_store(s);
    struct case_reader *reader = open_case(*state);
    state_of(reader, before);
    assert_int_equal(segments_in(*state), 20);
    care(s, 3);
    assert_int_equal(segments_in(*state), 2);
    state_in(*state, after);
    assert_string_equal(before, after);
    // Who opened the case before still has the files of then.
    state_of(reader, held);
    assert_string_equal(held, before);
    assert_int_equal(files_in(*state), 11);
    case_close(reader);
    care(s, 4);
    assert_int_equal(files_in(*state), 1);
    assert_true(store_cut(s, 5, &err));
    store_close(s);
    state_in(*state, after);
    assert_string_equal(before, after);
}

// The time of row n of a sample is that of the first and n seconds.
static void what_is_too_old_goes(void **state)
{
    struct store *s = open_collection(*state);
    for (uint64_t part = 0; part < 4; part++) {
        fill(s, 1000 * part, 1000 * part + 1000);
        assert_true(store_cut(s, 2, &err));
    }
    struct case_reader *c = open_case(*state);
    nanos end = 0;
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(case_catalogue(c), r));)
        for (size_t i = 0; i < r->segment_count; i++)
            if (r->segments[i].first <= r->segments[i].last && (!end || r->segments[i].last < end))
                end = r->segments[i].last;
    assert_true(end > 0);
    assert_false(store_limit(s, "nothing=3d", NULL, &err));
    assert_false(store_limit(s, "sample=soon", NULL, &err));
    assert_false(store_limit(s, NULL, "150%", &err));
    assert_true(store_limit(s, "sample=1h", NULL, &err));
    care(s, end + 3600 * NANOS_PER_SECOND);
    assert_int_equal(rows_of(*state, &sample_kind), 4000);
    care(s, end + 3600 * NANOS_PER_SECOND + 1);
    assert_int_equal(rows_of(*state, &sample_kind), 3000);
    assert_int_equal(rows_of(*state, &plain_kind), 4000);
    // Who asks an older state keeps it.
    assert_int_equal(case_rows(c, &sample_kind), 4000);
    const struct case_scan scan = {&sample_kind, 1, NULL, take_all, NULL};
    assert_true(case_scan(c, &scan, &err));
    case_close(c);
    care(s, 3);
    assert_int_equal(files_in(*state), 3);
    assert_true(store_limit(s, "sample=1,plain=1", NULL, &err));
    care(s, 3);
    assert_int_equal(rows_of(*state, &sample_kind), 0);
    assert_int_equal(rows_of(*state, &plain_kind), 0);
    store_close(s);
}

static void the_disk_is_never_filled(void **state)
{
    struct store *s = open_collection(*state);
    fill(s, 0, 1000);
    assert_true(store_cut(s, 2, &err));
    assert_true(store_limit(s, NULL, "1", &err));
    assert_false(store_is_full(s));
    // More than any disk has.
    assert_true(store_limit(s, NULL, "1000000T", &err));
    assert_true(store_is_full(s));
    care(s, 3);
    assert_int_equal(rows_in(*state), 1000);
    assert_true(store_limit(s, "sample=100000d", "1000000T", &err));
    care(s, 3);
    assert_int_equal(rows_of(*state, &sample_kind), 0);
    assert_int_equal(rows_of(*state, &plain_kind), 1000);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_read_while_it_goes_on, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_no_part, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(cuts_are_due, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(lanes_go_on_while_it_is_cut, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_was_synced_is_there_after_a_kill, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_torn_end_is_cut_off, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_changed_frame_ends_it, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_forged_frame_is_not_believed, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(small_segments_become_one, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_old_goes, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_disk_is_never_filled, fixture_set_up,
                                        fixture_tear_down),
    };
    return fixture_has_library() ? cmocka_run_group_tests(tests, NULL, NULL) : FIXTURE_SKIP;
}
