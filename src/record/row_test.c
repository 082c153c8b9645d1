#include "record/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "record/batch.h"
#include "record/test_kind.h"

static uint8_t memory[ROW_SIZE_MAX];
static struct row row;
static struct record_batch *batch;

static int enter(void **state)
{
    (void)state;
    batch = batch_create(&test_kind);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    batch_destroy(batch);
    return 0;
}

static void begin(size_t size)
{
    row_init(&row, &test_kind, memory, size);
}

// The row as the only one of the batch.
static void append(void)
{
    batch_clear(batch);
    assert_true(batch_append(batch, &row));
    assert_int_equal(batch->rows, 1);
}

static void check_text(unsigned field, bytes want)
{
    assert_true(batch_has(batch, field, 0));
    assert_true(bytes_equal(batch_get_bytes(batch, field, 0), want));
}

static void test_empty_row(void **state)
{
    (void)state;
    begin(sizeof memory);
    append();
    for (unsigned i = 0; i < TEST_FIELD_COUNT; i++) assert_false(batch_has(batch, i, 0));
}

static void test_last_value_holds(void **state)
{
    (void)state;
    begin(sizeof memory);
    row_uint(&row, TEST_UINT, 1);
    row_text(&row, TEST_TEXT, bytes_text("first"));
    row_uint(&row, TEST_UINT, 2);
    row_text(&row, TEST_TEXT, bytes_text(""));
    row_uint(&row, TEST_BOOL, 7);
    row_range(&row, 0, 10, 20);
    row_range(&row, 1, 30, 40);
    append();
    assert_int_equal(batch_get(batch, TEST_UINT, 0), 2);
    assert_int_equal(batch_get(batch, TEST_BOOL, 0), 1);
    check_text(TEST_TEXT, bytes_text(""));
    assert_int_equal(batch_get(batch, COMMON_SRC_OFFSET, 0), 10);
    assert_int_equal(batch_get(batch, COMMON_SRC_LENGTH, 0), 20);
    assert_int_equal(batch_get(batch, COMMON_DST_OFFSET, 0), 30);
    assert_int_equal(batch_get(batch, COMMON_DST_LENGTH, 0), 40);
    assert_false(row.truncated);
}

static void test_text_is_escaped(void **state)
{
    (void)state;
    begin(sizeof memory);
    row_text(&row, TEST_TEXT, bytes_of("a\0\xff", 3));
    row_text(&row, TEST_TEXTS, bytes_of("\\x", 2));
    append();
    check_text(TEST_TEXT, bytes_text("a\\x00\\xff"));
    bytes list = batch_get_bytes(batch, TEST_TEXTS, 0), element;
    assert_true(list_next_text(&list, &element));
    assert_true(bytes_equal(element, bytes_text("\\x5cx")));
    assert_false(list_next_text(&list, &element));
    assert_false(row.truncated);
}

static void test_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    uint8_t *text = memory_get(3 * ROW_TEXT_MAX);
    memset(text, 'a', ROW_TEXT_MAX);
    begin(sizeof memory);
    row_text(&row, TEST_TEXT, bytes_of(text, ROW_TEXT_MAX));
    assert_false(row.truncated);
    memcpy(text + ROW_TEXT_MAX - 2, "\xe2\x82\xac", 3);
    row_text(&row, TEST_TEXT, bytes_of(text, ROW_TEXT_MAX + 1));
    assert_true(row.truncated && !row.buf.full);
    append();
    check_text(TEST_TEXT, bytes_of(text, ROW_TEXT_MAX - 2));

    memset(text, 0xff, ROW_TEXT_MAX); // four bytes each
    begin(sizeof memory);
    row_text(&row, TEST_TEXT, bytes_of(text, ROW_TEXT_MAX / 4));
    assert_false(row.truncated);
    row_text(&row, TEST_TEXT, bytes_of(text, ROW_TEXT_MAX / 4 + 1));
    assert_true(row.truncated);
    append();
    assert_int_equal(batch_get_bytes(batch, TEST_TEXT, 0).n, ROW_TEXT_MAX);
    memory_free(text);
}

// At each size the row has a front part of the entries, whole, and says so.
static void test_full_row_keeps_whole_entries(void **state)
{
    (void)state;
    static const size_t ends[] = {9, 26, 26 + 3 + 5, 26 + 8 + 3 + 4};
    for (size_t size = 0; size <= ends[3]; size++) {
        begin(size);
        row_uint(&row, TEST_UINT, 1);
        row_id(&row, TEST_ID, (struct record_id){2, 3});
        row_text(&row, TEST_TEXT, bytes_text("a\xff"));
        row_hash(&row, TEST_HASH, bytes_text("hash"));
        append();
        assert_int_equal(batch_has(batch, TEST_UINT, 0), size >= ends[0]);
        assert_int_equal(batch_has(batch, TEST_ID, 0), size >= ends[1]);
        assert_int_equal(batch_has(batch, TEST_TEXT, 0), size >= ends[2]);
        assert_int_equal(batch_has(batch, TEST_HASH, 0), size >= ends[3]);
        assert_int_equal(row.truncated, size < ends[3]);
        assert_int_equal(row.buf.full, row.truncated);
    }
}

static void test_full_stays_full(void **state)
{
    (void)state;
    begin(30);
    row_text(&row, TEST_TEXT, bytes_text("too long for the row that it stands in"));
    row_uint(&row, TEST_UINT, 1);
    row_hash(&row, TEST_BLOB, bytes_of(NULL, 0));
    append();
    for (unsigned i = 0; i < TEST_FIELD_COUNT; i++) assert_false(batch_has(batch, i, 0));
    begin(sizeof memory);
    row_hash(&row, TEST_BLOB, bytes_of(memory, SIZE_MAX / 2));
    assert_true(row.truncated && row.buf.full);
}

static void test_lists_are_bounded(void **state)
{
    (void)state;
    begin(sizeof memory);
    for (unsigned i = 0; i < ROW_LIST_MAX; i++) {
        row_uint(&row, TEST_UINTS, i);
        row_address(&row, TEST_ADDRESSES, address_v4(i));
        assert_false(row.truncated);
    }
    row_uint(&row, TEST_UINTS, 1);
    assert_true(row.truncated && !row.buf.full);
    row_text(&row, TEST_TEXTS, bytes_text("still room in another list"));
    append();
    assert_int_equal(batch_get_bytes(batch, TEST_UINTS, 0).n, ROW_LIST_MAX * 8);
    assert_int_equal(batch_get_bytes(batch, TEST_ADDRESSES, 0).n, ROW_LIST_MAX * 16);
    assert_int_equal(batch_get_bytes(batch, TEST_TEXTS, 0).n, 4 + 26);
    begin(sizeof memory); // counts do not outlive the row
    row_uint(&row, TEST_UINTS, 1);
    assert_false(row.truncated);
}

// Every kind of entry stands before the ranges, so each has to be stepped over.
static void test_sides_are_swapped(void **state)
{
    (void)state;
    begin(sizeof memory);
    row_uint(&row, TEST_UINT, 1);
    row_id(&row, TEST_ID, (struct record_id){2, 3});
    row_text(&row, TEST_TEXT, bytes_text("text"));
    row_range(&row, 0, 10, 20);
    row_text(&row, TEST_TEXTS, bytes_text("element"));
    row_uint(&row, TEST_UINTS, 4);
    row_address(&row, TEST_ADDRESSES, address_v4(5));
    row_hash(&row, TEST_HASH, bytes_text("hash"));
    row_range(&row, 1, 30, 40);
    row_swap_sides(&row);
    append();
    assert_int_equal(batch_get(batch, COMMON_DST_OFFSET, 0), 10);
    assert_int_equal(batch_get(batch, COMMON_DST_LENGTH, 0), 20);
    assert_int_equal(batch_get(batch, COMMON_SRC_OFFSET, 0), 30);
    assert_int_equal(batch_get(batch, COMMON_SRC_LENGTH, 0), 40);
    assert_int_equal(batch_get(batch, TEST_UINT, 0), 1);
    check_text(TEST_TEXT, bytes_text("text"));
    check_text(TEST_HASH, bytes_text("hash"));
    assert_int_equal(batch_get_bytes(batch, TEST_ADDRESSES, 0).n, 16);
}

static void test_text_is_read_back(void **state)
{
    (void)state;
    bytes text;
    begin(sizeof memory);
    assert_false(row_get_text(&row, TEST_TEXT, &text));
    row_text(&row, TEST_TEXT, bytes_text("first"));
    row_uint(&row, TEST_UINT, 1);
    row_uint(&row, TEST_UINTS, 2);
    row_address(&row, TEST_ADDRESSES, address_v4(3));
    row_text(&row, TEST_TEXTS, bytes_text("other"));
    row_text(&row, TEST_TEXT, bytes_text("last"));
    row_id(&row, TEST_ID, (struct record_id){4, 5});
    assert_true(row_get_text(&row, TEST_TEXT, &text));
    assert_true(bytes_equal(text, bytes_text("last")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_row),
        cmocka_unit_test(test_last_value_holds),
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_long_text_is_cut_between_characters),
        cmocka_unit_test(test_full_row_keeps_whole_entries),
        cmocka_unit_test(test_full_stays_full),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_sides_are_swapped),
        cmocka_unit_test(test_text_is_read_back),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
