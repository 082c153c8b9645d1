#include "record/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/mac.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "record/parcel.h"
#include "record/test_kind.h"

enum { ROWS = 400, VALUE_MAX = 40000 };

// The reference: what each field of each row ought to be, as the bytes that a reader of the batch
// gets.
struct value {
    bool present;
    size_t n;
    uint8_t p[VALUE_MAX];
};
static struct value want[TEST_FIELD_COUNT];

static void want_set(unsigned field, const void *p, size_t n)
{
    want[field].present = true;
    want[field].n = n;
    if (n) memcpy(want[field].p, p, n);
}

static void want_add(unsigned field, const void *p, size_t n)
{
    if (!want[field].present) want[field].n = 0;
    want[field].present = true;
    assert_true(want[field].n + n <= VALUE_MAX);
    if (n) memcpy(want[field].p + want[field].n, p, n);
    want[field].n += n;
}

static void set_words(struct row *row, unsigned field, uint64_t *seed)
{
    uint64_t w[2] = {random_next(seed), random_next(seed)};
    double real = (double)w[0] / 3;
    switch ((enum test_field)field) {
    case TEST_TIME:
    case TEST_DURATION:
        row_time(row, field, (nanos)w[0]);
        want_set(field, w, 8);
        return;
    case TEST_UINT:
        row_uint(row, field, w[0]);
        want_set(field, w, 8);
        return;
    case TEST_REAL:
        row_real(row, field, real);
        want_set(field, &real, 8);
        return;
    case TEST_BOOL:
        w[0] &= 1;
        row_uint(row, field, w[0]);
        want_set(field, w, 8);
        return;
    case TEST_MAC:
        w[0] &= MAC_MAX;
        row_uint(row, field, w[0]);
        want_set(field, w, 8);
        return;
    case TEST_ADDRESS:
        row_address(row, field, (struct address){w[0], w[1]});
        want_set(field, w, 16);
        return;
    case TEST_ID:
        row_id(row, field, (struct record_id){w[0], w[1]});
        want_set(field, w, 16);
        return;
    case TEST_UINTS:
        row_uint(row, field, w[0]);
        want_add(field, w, 8);
        return;
    case TEST_ADDRESSES:
        row_address(row, field, (struct address){w[0], w[1]});
        want_add(field, w, 16);
        return;
    case TEST_TEXT:
    case TEST_HASH:
    case TEST_BLOB:
    case TEST_TEXTS:
    case TEST_MORE_TEXTS:
    case TEST_FIELD_COUNT:
        return;
    }
}

static void set_bytes(struct row *row, unsigned field, uint64_t *seed)
{
    uint8_t in[300];
    char escaped[4 * sizeof in];
    size_t n = random_below(seed, random_below(seed, 8) ? 12 : sizeof in);
    for (size_t i = 0; i < n; i++) in[i] = (uint8_t)(random_next(seed) & 0x7f);
    if (n && random_below(seed, 4) == 0) in[n / 2] = 0xff;
    uint32_t length = (uint32_t)text_escape(escaped, sizeof escaped, bytes_of(in, n));
    if (field == TEST_HASH || field == TEST_BLOB) {
        row_hash(row, field, bytes_of(in, n));
        want_set(field, in, n);
        return;
    }
    row_text(row, field, bytes_of(in, n));
    if (field == TEST_TEXT) {
        want_set(field, escaped, length);
        return;
    }
    want_add(field, &length, 4);
    want_add(field, escaped, length);
}

static void make_row(struct row *row, uint64_t *seed)
{
    static uint8_t memory[ROW_SIZE_MAX];
    row_init(row, &test_kind, memory, sizeof memory);
    for (unsigned i = 0; i < TEST_FIELD_COUNT; i++) want[i].present = false;
    size_t settings = random_below(seed, 60);
    for (size_t i = 0; i < settings; i++) {
        unsigned field = TEST_TIME + (unsigned)random_below(seed, TEST_FIELD_COUNT - TEST_TIME);
        set_words(row, field, seed);
        bool is_bytes = (field >= TEST_TEXT && field <= TEST_TEXTS) || field == TEST_MORE_TEXTS;
        if (is_bytes) set_bytes(row, field, seed);
    }
    assert_false(row->truncated);
}

static void check_row(const struct record_batch *b, uint32_t row)
{
    for (unsigned i = 0; i < TEST_FIELD_COUNT; i++) {
        const struct value *value = &want[i];
        assert_int_equal(batch_has(b, i, row), value->present);
        if (!value->present) continue;
        enum field_type type = test_fields[i].type;
        uint64_t words[2] = {batch_get(b, i, row), 0};
        bytes got = bytes_of(words, 8);
        if (type == FIELD_ADDRESS) {
            struct address a = batch_get_address(b, i, row);
            words[0] = a.hi;
            words[1] = a.lo;
            got.n = 16;
        } else if (type == FIELD_ID) {
            struct record_id id = batch_get_id(b, i, row);
            words[0] = id.time_us;
            words[1] = id.hash;
            got.n = 16;
        } else if (type >= FIELD_TEXT) {
            got = batch_get_bytes(b, i, row);
        }
        if (!bytes_equal(got, bytes_of(value->p, value->n)))
            fail_msg("field %s", test_fields[i].name);
    }
}

// Each row is made twice from its number: once to be appended, and once, when all are in the batch,
// to be compared.
static void check_all(const struct record_batch *b, uint64_t first)
{
    struct row row;
    for (uint32_t i = 0; i < b->rows; i++) {
        uint64_t seed = first + i;
        make_row(&row, &seed);
        check_row(b, i);
    }
}

static void test_random_rows(void **state)
{
    (void)state;
    struct record_batch *b = batch_create(&test_kind);
    struct row row;
    uint64_t number = 1, first = 1;
    for (int batches = 0; batches < 4;) {
        uint64_t seed = number;
        make_row(&row, &seed);
        if (batch_append(b, &row)) {
            number++;
            continue;
        }
        assert_true(b->rows > 100);
        check_all(b, first);
        batch_clear(b);
        first = number;
        batches++;
    }
    batch_destroy(b);
    batch_destroy(NULL);
}

static void test_rows_are_copied(void **state)
{
    (void)state;
    struct record_batch *from = batch_create(&test_kind), *to = batch_create(&test_kind);
    struct row row;
    for (uint64_t number = 1;; number++) {
        uint64_t seed = number;
        make_row(&row, &seed);
        if (!batch_append(from, &row)) break;
    }
    for (uint32_t i = 0; i < from->rows; i++) assert_true(batch_copy(to, from, i));
    assert_int_equal(to->rows, from->rows);
    check_all(to, 1);
    while (batch_copy(to, from, 0)) {
    }
    assert_true(to->rows >= from->rows);
    check_row(to, from->rows - 1);
    batch_destroy(from);
    batch_destroy(to);
}

// At rest they take as many words as they need, and all of them.
static void test_rows_rest_and_come_back(void **state)
{
    (void)state;
    enum { ROOM = 2 * ROW_SIZE_MAX / 8 };
    struct record_batch *from = batch_create(&test_kind), *to = batch_create(&test_kind);
    uint64_t *words = memory_get(ROOM * sizeof *words);
    struct row row;
    for (uint64_t number = 1;; number++) {
        uint64_t seed = number;
        make_row(&row, &seed);
        if (!batch_append(from, &row)) break;
    }
    for (uint32_t i = 0; i < from->rows; i++) {
        struct parcel p;
        size_t n = parcel_pack(words, ROOM, from, i);
        assert_true(n > 0);
        assert_int_equal(parcel_pack(words, n - 1, from, i), 0);
        assert_int_equal(parcel_pack(words, n, from, i), n);
        parcel_open(&p, &test_kind, words);
        assert_true(batch_begin(to, parcel_heap(&p)));
        for (unsigned f = 0; f < TEST_FIELD_COUNT; f++) {
            assert_int_equal(parcel_has(&p, f), batch_has(from, f, i));
            if (!parcel_has(&p, f)) continue;
            parcel_put(to, f, &p, f);
            assert_true(parcel_equal(&p, f, &p, f));
        }
        batch_end(to);
    }
    check_all(to, 1);
    memory_free(words);
    batch_destroy(from);
    batch_destroy(to);
}

static void test_rows_are_bounded(void **state)
{
    (void)state;
    struct record_batch *b = batch_create(&test_kind);
    uint8_t memory[64];
    struct row row;
    for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++) {
        row_init(&row, &test_kind, memory, sizeof memory);
        if (i % 3) row_uint(&row, TEST_UINT, i);
        assert_true(batch_append(b, &row));
    }
    assert_false(batch_append(b, &row));
    assert_false(batch_begin(b, 0));
    assert_int_equal(b->rows, BATCH_ROWS_MAX);
    for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++) {
        assert_int_equal(batch_has(b, TEST_UINT, i), i % 3 != 0);
        if (i % 3) assert_int_equal(batch_get(b, TEST_UINT, i), i);
    }
    batch_clear(b);
    for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++) assert_false(batch_has(b, TEST_UINT, i));
    batch_destroy(b);
}

static void fill_row(struct row *row, void *memory)
{
    row_init(row, &test_kind, memory, ROW_SIZE_MAX);
    for (int i = 0; i < ROW_LIST_MAX; i++) row_text(row, TEST_TEXTS, bytes_text(""));
    for (int i = 0; i < ROW_LIST_MAX; i++) row_text(row, TEST_MORE_TEXTS, bytes_text(""));
    while (!row->buf.full) row_hash(row, TEST_BLOB, bytes_of(memory, 1000));
}

static void test_no_room_changes_nothing(void **state)
{
    (void)state;
    struct record_batch *b = batch_create(&test_kind);
    uint8_t *memory = memory_get(ROW_SIZE_MAX);
    struct row row;
    fill_row(&row, memory);
    while (batch_append(b, &row)) continue;
    assert_true(b->rows >= 2 && b->rows < BATCH_ROWS_MAX);
    uint32_t rows = b->rows, heap_used = b->heap_used;
    for (int i = 0; i < 3; i++) assert_false(batch_append(b, &row));
    assert_int_equal(b->rows, rows);
    assert_int_equal(b->heap_used, heap_used);
    for (unsigned i = 0; i < TEST_FIELD_COUNT; i++) assert_false(batch_has(b, i, rows));
    row_init(&row, &test_kind, memory, ROW_SIZE_MAX);
    assert_true(batch_append(b, &row)); // a small one still fits
    batch_clear(b);
    fill_row(&row, memory);
    assert_true(batch_append(b, &row));
    batch_destroy(b);
    memory_free(memory);
}

static void test_columns(void **state)
{
    (void)state;
    struct record_batch *b = batch_create(&test_kind);
    assert_false(batch_begin(b, BATCH_HEAP_SIZE + 1));
    for (uint32_t i = 0; batch_begin(b, 3); i++) {
        batch_word(b, TEST_UINT, i);
        if (i % 2) batch_words(b, TEST_ADDRESS, i, i + 1);
        batch_text(b, TEST_TEXT, bytes_text("abc"));
        batch_text(b, TEST_BLOB, bytes_of(NULL, 0));
        batch_end(b);
    }
    assert_int_equal(b->rows, BATCH_ROWS_MAX);
    for (uint32_t i = 0; i < b->rows; i++) {
        assert_int_equal(batch_get(b, TEST_UINT, i), i);
        assert_int_equal(batch_has(b, TEST_ADDRESS, i), i % 2);
        if (i % 2) assert_int_equal(batch_get_address(b, TEST_ADDRESS, i).lo, i + 1);
        assert_true(bytes_equal(batch_get_bytes(b, TEST_TEXT, i), bytes_text("abc")));
        assert_int_equal(batch_get_bytes(b, TEST_BLOB, i).n, 0);
    }
    batch_destroy(b);
}

static void test_lists_are_read(void **state)
{
    (void)state;
    struct record_batch *b = batch_create(&test_kind);
    uint8_t memory[512];
    struct row row;
    row_init(&row, &test_kind, memory, sizeof memory);
    row_text(&row, TEST_TEXTS, bytes_text("one"));
    row_uint(&row, TEST_UINTS, 1);
    row_text(&row, TEST_TEXTS, bytes_text(""));
    row_address(&row, TEST_ADDRESSES, address_v4(1));
    row_uint(&row, TEST_UINTS, 2);
    assert_true(batch_append(b, &row));
    bytes list = batch_get_bytes(b, TEST_TEXTS, 0), text;
    assert_true(list_next_text(&list, &text) && bytes_equal(text, bytes_text("one")));
    assert_true(list_next_text(&list, &text) && text.n == 0);
    assert_false(list_next_text(&list, &text));
    uint64_t number;
    list = batch_get_bytes(b, TEST_UINTS, 0);
    assert_true(list_next_uint(&list, &number) && number == 1);
    assert_true(list_next_uint(&list, &number) && number == 2);
    assert_false(list_next_uint(&list, &number));
    struct address address;
    list = batch_get_bytes(b, TEST_ADDRESSES, 0);
    assert_true(list_next_address(&list, &address) && address_equal(address, address_v4(1)));
    assert_false(list_next_address(&list, &address));
    batch_destroy(b);
}

// Rows written column by column, from any row on, are those written one by one.
static void test_several_rows_at_once(void **state)
{
    (void)state;
    for (uint32_t first = 0; first <= BATCH_ROWS_MAX; first += 7) {
        for (uint32_t count = 1; first + count <= BATCH_ROWS_MAX; count += 29) {
            struct record_batch *b = batch_create(&test_kind);
            b->rows = first;
            batch_same(b, TEST_UINT, count, first + 5);
            uint64_t *pairs = batch_column(b, TEST_ADDRESS, count);
            for (uint32_t i = 0; i < 2 * count; i++) pairs[i] = i;
            for (uint32_t row = 0; row < BATCH_ROWS_MAX; row++) {
                bool within = row >= first && row < first + count;
                assert_int_equal(batch_has(b, TEST_UINT, row), within);
                assert_int_equal(batch_has(b, TEST_ADDRESS, row), within);
                if (!within) continue;
                assert_int_equal(batch_get(b, TEST_UINT, row), first + 5);
                assert_int_equal(batch_get_address(b, TEST_ADDRESS, row).lo, 2 * (row - first) + 1);
            }
            batch_destroy(b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_rows),
        cmocka_unit_test(test_rows_are_copied),
        cmocka_unit_test(test_rows_rest_and_come_back),
        cmocka_unit_test(test_rows_are_bounded),
        cmocka_unit_test(test_no_room_changes_nothing),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_several_rows_at_once),
        cmocka_unit_test(test_lists_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
