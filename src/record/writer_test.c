// Rows of several kinds go to batches of their kind, in order, each exactly once.
#include "record/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "record/kinds.h"

enum { ROWS = 30000, TEXT = 300 };

struct sums {
    uint64_t next[2], batches;
};

static const struct record_kind *const kinds[] = {&loss_kind, &anomaly_kind};

static void take(void *context, const struct record_batch *b)
{
    struct sums *s = context;
    unsigned which = b->kind == kinds[1];
    unsigned field = which ? (unsigned)COMMON_SRC_PORT : (unsigned)LOSS_PACKETS;
    assert_true(b->rows > 0);
    s->batches++;
    for (uint32_t row = 0; row < b->rows; row++)
        assert_int_equal(batch_get(b, field, row), s->next[which]++);
}

static void every_row_once_and_in_order(void **state)
{
    (void)state;
    static uint8_t memory[ROW_SIZE_MAX];
    static char text[TEXT];
    memset(text, 'x', sizeof text);
    struct sums sums = {0};
    struct record_writer *w = writer_create(kinds, 2, (struct record_sink){&sums, take});
    for (uint64_t i = 0; i < ROWS; i++) {
        struct row row;
        row_init(&row, kinds[i % 2], memory, sizeof memory);
        if (i % 2) {
            row_uint(&row, COMMON_SRC_PORT, i / 2);
            row_text(&row, ANOMALY_DETAIL, bytes_of(text, sizeof text));
        } else {
            row_uint(&row, LOSS_PACKETS, i / 2);
        }
        writer_emit(w, &row);
    }
    assert_int_equal(writer_records(w), ROWS);
    assert_true(sums.batches > 2); // full batches do not wait for the flush
    writer_flush(w);
    writer_flush(w);
    assert_int_equal(sums.next[0] + sums.next[1], ROWS);
    writer_destroy(w);
}

static void columns_are_written_in_place(void **state)
{
    (void)state;
    struct sums sums = {0};
    struct record_writer *w = writer_create(kinds, 2, (struct record_sink){&sums, take});
    for (uint64_t i = 0; i < ROWS; i++) {
        struct record_batch *b = writer_begin(w, &loss_kind, 16);
        batch_word(b, LOSS_PACKETS, i);
        batch_text(b, LOSS_REASON, bytes_text("sixteen letters."));
        batch_end(b);
    }
    writer_flush(w);
    assert_int_equal(sums.next[0], ROWS);
    writer_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_once_and_in_order),
        cmocka_unit_test(columns_are_written_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
