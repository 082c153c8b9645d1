// What passes is counted by kind, exporter and loss; what has no place of its own, together.
#include "service/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"
#include "flow/flow_kind.h"
#include "record/loss.h"

static void take(void *context, const struct record_batch *batch)
{
    tally_take(context, batch);
}

static struct record_writer *writer_of(struct tally *t)
{
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
    return writer_create(kinds, count, (struct record_sink){t, take});
}

static void add_flow(struct record_writer *w, uint32_t exporter)
{
    struct record_batch *b = writer_begin(w, &flow_kind, 0);
    struct address from = address_v4(exporter);
    if (exporter) batch_words(b, FLOW_EXPORTER, from.hi, from.lo);
    batch_end(b);
}

static void flows_are_counted_by_exporter(void **state)
{
    (void)state;
    struct tally *t = memory_get(sizeof *t);
    struct record_writer *w = writer_of(t);
    for (uint32_t i = 0; i < 3000; i++) add_flow(w, 1 + i % 300);
    add_flow(w, 0);
    writer_flush(w);
    assert_int_equal(t->exporter_count, TALLY_PLACES_MAX);
    uint64_t named = 0;
    for (uint32_t i = 0; i < t->exporter_count; i++) {
        assert_int_equal(t->exporters[i].flows, 10);
        named += t->exporters[i].flows;
    }
    assert_int_equal(named + t->other_flows, 3000);
    uint32_t count, flow = 0;
    const struct record_kind *const *kinds = catalogue(&count);
    while (kinds[flow] != &flow_kind) flow++;
    assert_int_equal(t->records[flow], 3001);
    writer_destroy(w);
    memory_free(t);
}

static void losses_are_counted_by_what_and_where(void **state)
{
    (void)state;
    struct tally *t = memory_get(sizeof *t);
    struct record_writer *w = writer_of(t);
    struct loss loss = {"collect", "sequence_gap", 1, 2, .count = 5, .point = "192.0.2.1"};
    loss_tell(w, &loss);
    loss_tell(w, &loss);
    loss.point = "192.0.2.2";
    loss.packets = 3;
    loss_tell(w, &loss);
    for (int i = 0; i < 300; i++) {
        char point[16];
        snprintf(point, sizeof point, "%d", i);
        struct loss other = {"collect", "kernel_drops", 1, 2, .packets = 1, .point = point};
        loss_tell(w, &other);
    }
    writer_flush(w);
    assert_int_equal(t->losses[0].count, 10);
    assert_string_equal(t->losses[0].point, "192.0.2.1");
    assert_int_equal(t->losses[1].count, 5);
    assert_int_equal(t->losses[1].packets, 3);
    assert_int_equal(t->loss_count, TALLY_PLACES_MAX);
    assert_int_equal(t->other_loss.packets, 300 - (TALLY_PLACES_MAX - 2));
    writer_destroy(w);
    memory_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_are_counted_by_exporter),
        cmocka_unit_test(losses_are_counted_by_what_and_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
