#include "store/spool.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "record/kinds.h"
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
static void check_rows(struct spool *s, uint64_t rows)
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

// A record of bytes [from, to) that src sent in conversation `number`.
static void put_range(struct spool *s, const struct record_kind *kind, uint64_t number,
                      uint64_t from, uint64_t to)
{
    struct record_batch *b = batch_create(kind);
    assert_true(batch_begin(b, 0));
    batch_words(b, COMMON_CONVERSATION_ID, 1, number);
    batch_word(b, COMMON_SRC_OFFSET, from);
    batch_word(b, COMMON_SRC_LENGTH, to - from);
    batch_end(b);
    spool_add(s, b);
    batch_destroy(b);
}

static bool is_flagged(struct spool *s, size_t entry)
{
    struct record_batch *b = batch_create(s->kinds[s->entries[entry].kind]);
    assert_true(spool_read(s, &s->entries[entry], b));
    bool flagged = batch_has(b, COMMON_AMBIGUOUS, 0) && batch_get(b, COMMON_AMBIGUOUS, 0);
    batch_destroy(b);
    return flagged;
}

// A record that was there before its bytes were disputed is flagged when it is read back.
static void flags_what_was_disputed_later(void **state)
{
    (void)state;
    static const struct record_kind *const kinds[] = {&anomaly_kind, &ambiguity_kind};
    struct spool s;
    assert_true(spool_init(&s, NULL, kinds, 2, &err));
    put_range(&s, &anomaly_kind, 7, 0, 10);
    put_range(&s, &anomaly_kind, 7, 10, 20);
    put_range(&s, &anomaly_kind, 8, 0, 100);
    put_range(&s, &ambiguity_kind, 9, 0, 100);
    put_range(&s, &ambiguity_kind, 7, 19, 30);
    put_range(&s, &anomaly_kind, 7, 30, 40);
    assert_false(is_flagged(&s, 0));
    assert_true(is_flagged(&s, 1));
    assert_false(is_flagged(&s, 2));
    assert_false(is_flagged(&s, 3));
    assert_false(is_flagged(&s, 5));
    spool_cut(&s, 0);
    put_range(&s, &anomaly_kind, 7, 10, 20);
    assert_false(is_flagged(&s, 0));
    spool_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_from_several_lanes),
        cmocka_unit_test(knows_its_times),
        cmocka_unit_test(notes_that_it_is_full),
        cmocka_unit_test(flags_what_was_disputed_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
