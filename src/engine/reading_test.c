// The sums that a reading must keep: what came in is what was counted or told as lost, with any
// number of lanes, and when the source fails.
#include "engine/reading.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/catalogue.h"
#include "flow/flow.h"
#include "record/kinds.h"

static const char *golden; // the folder of captures

// What came out of all lanes.
struct tally {
    pthread_mutex_t lock;
    uint64_t conversations, packets, losses, lost_packets;
    bool shed_told;
};

static void tally_take(void *context, const struct record_batch *b)
{
    struct tally *t = context;
    int src = kind_field(&conversation_kind, bytes_text("src_packets"));
    int dst = kind_field(&conversation_kind, bytes_text("dst_packets"));
    int carries = kind_field(&conversation_kind, bytes_text("carries"));
    pthread_mutex_lock(&t->lock);
    for (uint32_t row = 0; row < b->rows; row++) {
        // What carries others has the same packets as they.
        if (b->kind == &conversation_kind && !batch_has(b, (unsigned)carries, row)) {
            t->conversations++;
            t->packets += batch_get(b, (unsigned)src, row) + batch_get(b, (unsigned)dst, row);
        }
        if (b->kind == &loss_kind) {
            t->losses++;
            bytes reason = batch_get_bytes(b, LOSS_REASON, row);
            if (!bytes_equal(reason, bytes_text("process_full"))) continue;
            t->shed_told = true;
            t->lost_packets += batch_get(b, LOSS_PACKETS, row);
        }
    }
    pthread_mutex_unlock(&t->lock);
}

static bool run(const char *const *paths, uint32_t path_count, const struct reading_options *o,
                struct tally *t, struct reading_counts *counts)
{
    struct err err = {0};
    struct source_options options = {.paths = paths, .path_count = path_count};
    struct source *source = source_open(&options, &err);
    assert_non_null(source);
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    *t = (struct tally){.lock = PTHREAD_MUTEX_INITIALIZER};
    struct record_sink sink = {t, tally_take};
    bool ok = reading_run(source, o, kinds, kind_count, sink, counts, &err);
    assert_int_equal(ok, !err.code);
    source_close(source);
    return ok;
}

static void sums_hold(const struct tally *t, const struct reading_counts *n)
{
    uint64_t classes = 0;
    for (unsigned i = 0; i <= PACKET_UNKNOWN_LINK; i++) classes += n->classes[i];
    assert_int_equal(n->packets + n->more, classes);
    assert_int_equal(n->classes[PACKET_IP], n->lanes.packets_in);
    assert_int_equal(n->lanes.packets_in, n->lanes.packets_counted + n->lanes.packets_shed);
    assert_int_equal(n->lanes.packets_counted, t->packets);
    assert_int_equal(n->lanes.conversations, t->conversations);
    assert_int_equal(t->shed_told, n->lanes.packets_shed > 0);
    assert_int_equal(t->lost_packets, n->lanes.packets_shed);
}

// All golden captures, by their folders.
static void all_packets_are_accounted_for(void **state)
{
    (void)state;
    uint64_t conversations = 0;
    for (uint32_t lanes = 1; lanes <= 4; lanes *= 2) {
        struct reading_options o = READING_DEFAULTS;
        struct reading_counts counts;
        struct tally t;
        o.lanes = lanes;
        assert_true(run(&golden, 1, &o, &t, &counts));
        sums_hold(&t, &counts);
        assert_int_equal(counts.lanes.packets_shed, 0);
        assert_true(t.conversations > 100);
        if (lanes > 1) assert_int_equal(t.conversations, conversations);
        conversations = t.conversations;
    }
}

// A process that is full sheds packets, and says how many.
static void shed_packets_are_told(void **state)
{
    (void)state;
    for (uint32_t lanes = 1; lanes <= 2; lanes++) {
        struct reading_options o = READING_DEFAULTS;
        struct reading_counts counts;
        struct tally t;
        o.lanes = lanes;
        o.lane.flow.conversations_max = 2;
        assert_true(run(&golden, 1, &o, &t, &counts));
        assert_true(counts.lanes.packets_shed > 0);
        sums_hold(&t, &counts);
    }
}

// A full shard ends conversations early and tells each, but sheds nothing.
static void evicted_conversations_are_told(void **state)
{
    (void)state;
    struct reading_options o = READING_DEFAULTS;
    struct reading_counts counts;
    struct tally all, few;
    assert_true(run(&golden, 1, &o, &all, &counts));
    o.lane.flow.shard_max = 1;
    assert_true(run(&golden, 1, &o, &few, &counts));
    sums_hold(&few, &counts);
    assert_true(counts.lanes.conversations_evicted > 0);
    assert_int_equal(few.losses - all.losses, counts.lanes.conversations_evicted);
    assert_int_equal(few.packets, all.packets);
}

int main(void)
{
    golden = getenv("GOLDEN");
    if (!golden) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_packets_are_accounted_for),
        cmocka_unit_test(shed_packets_are_told),
        cmocka_unit_test(evicted_conversations_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
