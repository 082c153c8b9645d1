#include "store/narrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "store/fixture.h"

// A batch as bytes in memory of just their size, so that the sanitizer sees what is beyond.
struct packed {
    struct narrow narrow;
    uint8_t *content;
};

static struct packed pack(const struct record_batch *b)
{
    struct packed p;
    narrow_measure(&p.narrow, b);
    p.content = memory_get(p.narrow.size + NARROW_SLACK);
    narrow_put(&p.narrow, b, p.content);
    return p;
}

static bool open_packed(struct narrow_view *view, const struct packed *p,
                        const struct record_batch *b, size_t size)
{
    return narrow_open(view, b->kind, p->narrow.present, b->rows, b->heap_used,
                       bytes_of(p->content, size));
}

static void check_same(const struct record_batch *b)
{
    struct narrow_view view;
    struct record_batch *read = batch_create(b->kind);
    struct packed p = pack(b);
    assert_true(open_packed(&view, &p, b, p.narrow.size));
    narrow_batch(&view, read);
    assert_int_equal(read->rows, b->rows);
    for (uint32_t row = 0; row < b->rows; row++) assert_true(fixture_rows_equal(b, row, read, row));
    memory_free(p.content);
    batch_destroy(read);
}

static void gives_back_what_was_put_in(void **state)
{
    (void)state;
    for (uint64_t from = 0; from < 40; from++) {
        struct record_batch *b = batch_create(&sample_kind);
        uint64_t rows = from == 0 ? 1 : from * 13;
        for (uint64_t i = 0; i < rows && fixture_row(b, from * 1000 + i * from);) i++;
        check_same(b);
        batch_destroy(b);
    }
}

static struct record_batch *counts(const uint64_t *values, uint32_t n)
{
    struct record_batch *b = batch_create(&sample_kind);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(batch_begin(b, 0));
        batch_word(b, SAMPLE_COUNT, values[i]);
        batch_end(b);
    }
    return b;
}

// The last value is in as few bytes as all need, and the limits of each width are right.
static void takes_as_few_bytes_as_needed(void **state)
{
    (void)state;
    const struct {
        uint64_t values[3];
        unsigned width;
    } cases[] = {
        {{7, 7, 7}, 0},
        {{0, 0, 0}, 0},
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX}, 0},
        {{0, 255, 3}, 1},
        {{0x12345600, 0x123456ff, 0x12345601}, 1},
        {{255, 256, 0}, 2},
        {{0xffffff, 0x1000000, 5}, 4},
        {{UINT64_C(1) << 55, 0, 9}, 7},
        {{UINT64_MAX, 0, 1}, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record_batch *b = counts(cases[i].values, 3);
        struct packed p = pack(b);
        assert_int_equal(p.narrow.part_count, 1);
        assert_int_equal(p.narrow.parts[0].width, cases[i].width);
        assert_int_equal(p.narrow.size, sizeof(struct narrow_part) + 3 * cases[i].width);
        memory_free(p.content);
        check_same(b);
        batch_destroy(b);
    }
}

static void knows_between_which_numbers_a_column_is(void **state)
{
    (void)state;
    const uint64_t values[] = {0x1203, 0x1277, 0x12ff};
    struct record_batch *b = counts(values, 3);
    struct packed p = pack(b);
    struct narrow_view view;
    assert_true(open_packed(&view, &p, b, p.narrow.size));
    struct narrow_column c = narrow_find(&view, SAMPLE_COUNT);
    assert_true(narrow_least(&c, 0) <= 0x1203 && narrow_least(&c, 0) > 0x1000);
    assert_true(narrow_most(&c, 0) >= 0x12ff && narrow_most(&c, 0) < 0x2000);
    memory_free(p.content);
    batch_destroy(b);
}

// Whatever a byte of it becomes: it is no batch, or one whose words are somewhere in it.
static void takes_nothing_that_does_not_fit(void **state)
{
    (void)state;
    struct narrow_view view;
    struct record_batch *b = batch_create(&sample_kind), *read = batch_create(&sample_kind);
    for (uint64_t i = 0; i < 20; i++) assert_true(fixture_row(b, i));
    struct packed p = pack(b);
    for (size_t size = 0; size < p.narrow.size; size++)
        assert_false(open_packed(&view, &p, b, size));
    for (size_t i = 0; i < p.narrow.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            p.content[i] ^= (uint8_t)(1 << bit);
            if (open_packed(&view, &p, b, p.narrow.size)) narrow_batch(&view, read);
            p.content[i] ^= (uint8_t)(1 << bit);
        }
    }
    assert_false(narrow_open(&view, b->kind, p.narrow.present, b->rows + 1, b->heap_used,
                             bytes_of(p.content, p.narrow.size)));
    assert_false(narrow_open(&view, b->kind, p.narrow.present, BATCH_ROWS_MAX + 1, b->heap_used,
                             bytes_of(p.content, p.narrow.size)));
    memory_free(p.content);
    batch_destroy(read);
    batch_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_put_in),
        cmocka_unit_test(takes_as_few_bytes_as_needed),
        cmocka_unit_test(knows_between_which_numbers_a_column_is),
        cmocka_unit_test(takes_nothing_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
