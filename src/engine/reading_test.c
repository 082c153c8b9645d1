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
#include "base/hash.h"
#include "extract/file_kind.h"
#include "flow/flow.h"
#include "record/kinds.h"

static const char *golden; // the folder of captures

// What came out of all lanes.
struct tally {
    pthread_mutex_t lock;
    uint64_t conversations, packets, losses, lost_packets, files;
    uint64_t shard_full, source_full, carriers_full, dissect_budget,
        files_budget; // as told by losses
    uint64_t digest;  // of all records, in no order
    bool shed_told;
};

// A number that records have in any order.
static uint64_t row_hash_of(const struct record_batch *b, uint32_t row)
{
    uint64_t hash = table_hash(b->kind->name, strlen(b->kind->name), 0);
    for (unsigned i = 0; i < b->kind->field_count; i++) {
        const struct field *f = &b->kind->fields[i];
        if (f->flags & FIELD_UNDIGESTED || !batch_has(b, i, row)) continue;
        bool has_bytes = field_is_list(f->type) || f->type == FIELD_TEXT || f->type == FIELD_HASH ||
                         f->type == FIELD_BLOB;
        unsigned words = field_words(f->type);
        bytes v = has_bytes ? batch_get_bytes(b, i, row)
                            : bytes_of(b->columns[i].words + (size_t)words * row, 8u * words);
        hash = table_hash(v.p, v.n, hash + i);
    }
    return hash;
}

static void tally_loss(struct tally *t, const struct record_batch *b, uint32_t row)
{
    const struct {
        const char *reason;
        uint64_t *to;
    } sums[] = {{"shard_full", &t->shard_full},
                {"carriers_full", &t->carriers_full},
                {"source_full", &t->source_full},
                {"dissect_budget", &t->dissect_budget},
                {"files_budget", &t->files_budget}};
    t->losses++;
    bytes reason = batch_get_bytes(b, LOSS_REASON, row);
    uint64_t count = batch_has(b, LOSS_COUNT, row) ? batch_get(b, LOSS_COUNT, row) : 1;
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        if (bytes_equal(reason, bytes_text(sums[i].reason))) *sums[i].to += count;
    if (!bytes_equal(reason, bytes_text("process_full"))) return;
    t->shed_told = true;
    t->lost_packets += batch_get(b, LOSS_PACKETS, row);
}

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
        if (b->kind == &loss_kind) tally_loss(t, b, row);
        if (b->kind == &file_kind) t->files++;
        if (!b->kind->hidden && !b->kind->undigested) t->digest += row_hash_of(b, row);
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
    // Frames are counted; a packet that a tunnel carried in pieces is one in its conversation.
    uint64_t pieces = n->lanes.packets_counted - t->packets;
    assert_true(pieces <= n->reasons[REASON_FRAGMENT_JOINED]);
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
    assert_true(few.carriers_full > 0);
    assert_int_equal(few.losses - all.losses,
                     counts.lanes.conversations_evicted + few.carriers_full);
    assert_int_equal(few.packets, all.packets);
}

// Budgets so small that all of them are at their end: what is given up is counted and told, the
// sums hold, and all lanes together give what one gives.
static void pressure_is_told_and_gives_the_same(void **state)
{
    (void)state;
    uint64_t digest = 0;
    for (uint32_t lanes = 1; lanes <= 4; lanes *= 2) {
        struct reading_options o = READING_DEFAULTS;
        struct reading_counts counts;
        struct tally t;
        o.lanes = lanes;
        o.lane.flow.shard_max = 2;
        o.lane.flow.source_max = 1;
        o.lane.shard_max = (struct budget){2500, 1, 1000};
        assert_true(run(&golden, 1, &o, &t, &counts));
        sums_hold(&t, &counts);
        assert_int_equal(t.source_full, counts.lanes.conversations_of_source);
        assert_int_equal(t.shard_full, counts.lanes.conversations_evicted);
        assert_int_equal(t.dissect_budget, counts.lanes.dissect_refused);
        assert_int_equal(t.files_budget, counts.lanes.files_unbudgeted);
        assert_int_equal(t.files, counts.lanes.files);
        assert_true(t.source_full && t.dissect_budget && t.files_budget);
        if (lanes > 1) assert_true(t.digest == digest);
        digest = t.digest;
    }
}

// What rests is packed as soon as anything else has a packet, with budgets and without.
static void resting_changes_nothing(void **state)
{
    (void)state;
    struct reading_options o = READING_DEFAULTS;
    for (unsigned tight = 0; tight < 2; tight++) {
        struct reading_counts counts;
        struct tally usual, packed;
        if (tight) o.lane.shard_max = (struct budget){2500, 1, 1000};
        o.lane.awake_max = AWAKE_MAX;
        assert_true(run(&golden, 1, &o, &usual, &counts));
        assert_int_equal(counts.lanes.rests, 0);
        o.lane.awake_max = 1;
        assert_true(run(&golden, 1, &o, &packed, &counts));
        assert_true(counts.lanes.rests > 100);
        assert_true(packed.digest == usual.digest);
        sums_hold(&packed, &counts);
    }
}

int main(void)
{
    golden = getenv("GOLDEN");
    if (!golden) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_packets_are_accounted_for),
        cmocka_unit_test(shed_packets_are_told),
        cmocka_unit_test(evicted_conversations_are_told),
        cmocka_unit_test(pressure_is_told_and_gives_the_same),
        cmocka_unit_test(resting_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
