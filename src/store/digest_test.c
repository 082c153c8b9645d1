#include "store/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "store/fixture.h"

static void take(void *context, const struct record_batch *batch)
{
    digest_add(context, batch);
}

static struct record_sink sink_of(struct digest *d)
{
    return (struct record_sink){d, take};
}

static bool take_scan(void *context, const struct record_batch *batch)
{
    digest_add(context, batch);
    return true;
}

static void total_of(char hex[HEX_SHA256_SIZE], uint64_t from, uint64_t middle, uint64_t to,
                     uint32_t rows)
{
    struct digest *d = digest_create(fixture_kinds, 2);
    for (int i = 0; i < 2; i++) {
        fixture_fill(sink_of(d), fixture_kinds[i], middle, to, rows);
        fixture_fill(sink_of(d), fixture_kinds[i], from, middle, rows);
    }
    digest_total(d, hex);
    digest_destroy(d);
}

static void does_not_depend_on_order_or_batches(void **state)
{
    (void)state;
    char a[HEX_SHA256_SIZE], b[HEX_SHA256_SIZE];
    total_of(a, 0, 0, 3000, 1024);
    total_of(b, 0, 1234, 3000, 7);
    assert_string_equal(a, b);
    total_of(b, 0, 0, 2999, 1024);
    assert_string_not_equal(a, b);
}

static void depends_on_every_field_but_those_left_out(void **state)
{
    (void)state;
    char first[HEX_SHA256_SIZE], other[HEX_SHA256_SIZE];
    struct record_batch *b = batch_create(&sample_kind);
    fixture_row(b, 3);
    struct digest *d = digest_create(fixture_kinds, 2);
    digest_add(d, b);
    assert_true(digest_of_kind(d, 0, first, NULL));
    digest_destroy(d);
    for (unsigned f = 0; f < sample_kind.field_count; f++) {
        b->columns[f].present[0] ^= 1;
        d = digest_create(fixture_kinds, 2);
        digest_add(d, b);
        assert_true(digest_of_kind(d, 0, other, NULL));
        digest_destroy(d);
        bool left_out = f == SAMPLE_BLOB || f == SAMPLE_HIDDEN || f == SAMPLE_PATH;
        assert_int_equal(strcmp(first, other) == 0, left_out);
        b->columns[f].present[0] ^= 1;
    }
    batch_destroy(b);
}

static void scan_into(struct digest *d, struct case_reader *c)
{
    struct err err;
    for (int i = 0; i < 2; i++) {
        const struct case_scan scan = {fixture_kinds[i], digest_fields(fixture_kinds[i]), NULL,
                                       take_scan, d};
        assert_true(case_scan(c, &scan, &err));
    }
}

static void digest_case(const char *folder, char hex[HEX_SHA256_SIZE])
{
    struct err err;
    struct store *s = store_open(folder, fixture_kinds, 2, &fixture_author, &err);
    for (int i = 0; i < 2; i++)
        fixture_fill(store_sink(s), fixture_kinds[i], 0, 3000, folder ? 1024 : 50);
    assert_true(store_commit(s, fixture_reading(1, ""), false, &err));
    struct case_reader *c = case_of_store(s, &err);
    struct digest *d = digest_create(fixture_kinds, 2);
    scan_into(d, c);
    digest_total(d, hex);
    digest_destroy(d);
    case_close(c);
    store_close(s);
}

static void is_the_same_in_memory_and_on_disk(void **state)
{
    (void)state;
    char straight[HEX_SHA256_SIZE], memory[HEX_SHA256_SIZE], disk[HEX_SHA256_SIZE];
    char *folder = fixture_folder();
    total_of(straight, 0, 0, 3000, 1024);
    digest_case(NULL, memory);
    digest_case(folder, disk);
    assert_string_equal(straight, memory);
    assert_string_equal(straight, disk);
    fixture_folder_remove(folder);
}

static unsigned differences[3];
static struct record_id last_different;

static void count(void *context, enum digest_difference how, struct record_id id)
{
    (void)context;
    differences[how]++;
    last_different = id;
}

static struct digest *whole_of(uint64_t from, uint64_t to)
{
    struct digest *d = digest_create_whole(fixture_kinds, 2);
    for (int i = 0; i < 2; i++) fixture_fill(sink_of(d), fixture_kinds[i], from, to, 100);
    return d;
}

static void add_other_row(struct digest *d, struct record_id id)
{
    struct record_batch *b = batch_create(&sample_kind);
    assert_true(batch_begin(b, 0));
    batch_words(b, SAMPLE_ID, id.time_us, id.hash);
    batch_word(b, SAMPLE_COUNT, 99);
    batch_end(b);
    digest_add(d, b);
    batch_destroy(b);
}

static void names_what_differs(void **state)
{
    (void)state;
    struct digest *a = whole_of(0, 500), *b = whole_of(10, 510);
    memset(differences, 0, sizeof differences);
    digest_compare(a, b, 0, count, NULL);
    assert_int_equal(differences[DIGEST_ONLY_A], 10);
    assert_int_equal(differences[DIGEST_ONLY_B], 10);
    assert_int_equal(differences[DIGEST_CHANGED], 0);
    digest_compare(a, b, 1, count, NULL);
    assert_int_equal(differences[DIGEST_ONLY_A], 20);
    struct record_id id = last_different;
    assert_int_equal(id.time_us | id.hash, 0); // this kind has none
    digest_destroy(a);
    digest_destroy(b);
    a = whole_of(0, 1);
    b = digest_create_whole(fixture_kinds, 2);
    memset(differences, 0, sizeof differences);
    digest_compare(a, b, 0, count, NULL);
    assert_int_equal(differences[DIGEST_ONLY_A], 1);
    id = last_different;
    digest_destroy(b);
    b = digest_create_whole(fixture_kinds, 2);
    add_other_row(b, id);
    memset(differences, 0, sizeof differences);
    digest_compare(a, b, 0, count, NULL);
    assert_int_equal(differences[DIGEST_CHANGED], 1);
    assert_int_equal(differences[DIGEST_ONLY_A] + differences[DIGEST_ONLY_B], 0);
    assert_true(last_different.hash == id.hash);
    digest_forget(a, 0);
    digest_forget(b, 0);
    digest_compare(a, b, 0, count, NULL);
    assert_int_equal(differences[DIGEST_CHANGED], 1);
    digest_destroy(a);
    digest_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_not_depend_on_order_or_batches),
        cmocka_unit_test(depends_on_every_field_but_those_left_out),
        cmocka_unit_test(is_the_same_in_memory_and_on_disk),
        cmocka_unit_test(names_what_differs),
    };
    if (!fixture_has_library()) return FIXTURE_SKIP;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
