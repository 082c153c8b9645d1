#include "store/spool.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "store/fixture.h"

enum { LANES = 4, ROWS_EACH = 3000 };

static struct err err;

static void take(void *context, const struct record_batch *batch)
{
    spool_add(context, batch);
}

static void *lane(void *context)
{
    static uint64_t next;
    uint64_t from = __atomic_fetch_add(&next, ROWS_EACH, __ATOMIC_RELAXED);
    fixture_fill((struct record_sink){context, take}, &sample_kind, from, from + ROWS_EACH, 17);
    return NULL;
}

// Every row is there once, and what it was, whichever lane it came from.
static void check_rows(const struct spool *s, uint64_t rows)
{
    static uint8_t seen[LANES * ROWS_EACH];
    struct record_batch *read = batch_create(&sample_kind), *row = batch_create(&sample_kind);
    for (size_t i = 0; i < s->entry_count; i++) {
        assert_true(spool_read(s, &s->entries[i], read));
        for (uint32_t k = 0; k < read->rows; k++) {
            uint64_t number = batch_get_id(read, SAMPLE_ID, k).time_us - 1600000000000000;
            assert_true(number < rows);
            assert_int_equal(seen[number]++, 0);
            batch_clear(row);
            fixture_row(row, number);
            assert_true(fixture_rows_equal(read, k, row, 0));
        }
    }
    for (uint64_t i = 0; i < rows; i++) assert_int_equal(seen[i], 1);
    batch_destroy(read);
    batch_destroy(row);
}

static void takes_from_several_lanes(void **state)
{
    (void)state;
    struct spool s;
    pthread_t threads[LANES];
    assert_true(spool_init(&s, NULL, fixture_kinds, 2, &err));
    for (int i = 0; i < LANES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, lane, &s), 0);
    for (int i = 0; i < LANES; i++) pthread_join(threads[i], NULL);
    assert_int_equal(s.error, 0);
    check_rows(&s, LANES * ROWS_EACH);
    spool_deinit(&s);
}

static void knows_its_times(void **state)
{
    (void)state;
    struct spool s;
    assert_true(spool_init(&s, NULL, fixture_kinds, 2, &err));
    fixture_fill((struct record_sink){&s, take}, &sample_kind, 0, 6, 10);
    fixture_fill((struct record_sink){&s, take}, &plain_kind, 0, 6, 10);
    assert_int_equal(s.entries[0].first, INT64_C(1600000000123456789));
    assert_int_equal(s.entries[0].last, INT64_C(1600000000123461789));
    assert_true(s.entries[1].first > s.entries[1].last);
    spool_deinit(&s);
}

// What could not be written is told, and a cut makes room again.
static void notes_that_it_is_full(void **state)
{
    struct spool s;
    struct rlimit before, small;
    char *folder = fixture_folder();
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){100000, before.rlim_max};
    assert_true(spool_init(&s, folder, fixture_kinds, 2, &err));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    fixture_fill((struct record_sink){&s, take}, &sample_kind, 0, 2000, 100);
    assert_int_not_equal(s.error, 0);
    spool_cut(&s, 0);
    fixture_fill((struct record_sink){&s, take}, &sample_kind, 0, 100, 100);
    assert_int_equal(s.error, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    spool_deinit(&s);
    fixture_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_from_several_lanes),
        cmocka_unit_test(knows_its_times),
        cmocka_unit_test(notes_that_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
