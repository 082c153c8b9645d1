// Random packets against a plain model of what a shard is: a list whose timers run before every
// packet. However shards are spread over tables, and whenever timers run, the same conversations
// and intervals must come out.
#include "flow/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decode/shard.h"
#include "flow/flow.h"

enum {
    KEYS = 400,
    SHARDS_USED = 6,
    SHARD_MAX = 40,
    PACKETS = 6000,
    EVENTS_MAX = 4 * PACKETS,
    ROUNDS = 12,
    LIVE_MAX = KEYS + 1,
};

static const struct flow_options options = {
    .conversation_timeout = 100 * NANOS_PER_SECOND,
    .closed_linger = 10 * NANOS_PER_SECOND,
    .active_timeout = 20 * NANOS_PER_SECOND,
    .idle_timeout = 5 * NANOS_PER_SECOND,
    .conversations_max = 4096,
    .shard_max = SHARD_MAX,
};

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

// What came out: a conversation or an interval, in numbers that can be compared.
struct event {
    uint64_t kind, key, first_seen, last_seen, packets, why;
};

struct events {
    struct event list[EVENTS_MAX];
    uint32_t n;
};

static void events_put(struct events *e, struct event event)
{
    assert_true(e->n < EVENTS_MAX);
    e->list[e->n++] = event;
}

static int event_compare(const void *x, const void *y)
{
    return memcmp(x, y, sizeof(struct event));
}

static void note_interval(void *context, struct conversation *c, nanos watermark)
{
    if (!c->metered) return;
    struct conversation_side *s = &c->side[0];
    enum flow_end why = flow_end_at(c, watermark, options.active_timeout, options.idle_timeout);
    events_put(context,
               (struct event){1, c->key.a.lo, (uint64_t)c->metered_from, (uint64_t)c->metered_last,
                              s->packets - s->metered_packets, why});
    s->metered_packets = s->packets;
    c->metered = false;
}

static void note_end(void *context, struct conversation *c, enum conversation_end why,
                     nanos watermark)
{
    note_interval(context, c, watermark);
    events_put(context,
               (struct event){2, c->key.a.lo, (uint64_t)c->first_seen, (uint64_t)c->last_seen,
                              c->side[0].packets, why == CONVERSATION_EVICTED});
}

// ---- packets ------------------------------------------------------------------------------------

static struct packet packet_of(uint32_t key, nanos time)
{
    struct packet p = {.time = time, .watermark = time, .ip_length = 100};
    p.key.a.lo = key;
    p.shard = (uint8_t)(key % SHARDS_USED);
    p.hash = table_hash(&p.key, sizeof p.key, 7) << 8 | p.shard;
    return p;
}

// Mostly forward, at any pace, with pauses longer than every timeout. `tcp_flags` closes.
static void packets_make(struct packet *packets, uint32_t seed)
{
    nanos now = 1000 * NANOS_PER_SECOND, watermark = now;
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint32_t pace = random_next(&seed) % 300;
        now += pace == 0
                   ? 150 * NANOS_PER_SECOND
                   : random_next(&seed) % (pace < 10 ? 20000u : 200u) * 1000 * NANOS_PER_MICRO;
        packets[i] = packet_of(random_next(&seed) % KEYS, now - random_next(&seed) % 5 * 1000000);
        if (packets[i].time > watermark) watermark = packets[i].time;
        packets[i].watermark = watermark;
        packets[i].tcp_flags = random_next(&seed) % 8 == 0 ? TCP_FIN : 0;
    }
}

static void packet_count(struct conversation *c, const struct packet *p)
{
    conversation_count(c, p);
    if (p->tcp_flags & TCP_FIN) c->ended = true;
}

// ---- the table ----------------------------------------------------------------------------------

static void table_play(struct flow_table *t, const struct packet *p)
{
    struct conversation *c = flow_table_find(t, p);
    if (c) {
        flow_table_meter(t, c, p);
    } else {
        c = flow_table_add(t, p);
        assert_non_null(c);
        c->id_hash = p->key.a.lo * 31 % 1009;
    }
    packet_count(c, p);
}

// `tables` share the shards; timers run after every `batch` packets.
static void tables_run(const struct packet *packets, unsigned tables, uint32_t batch,
                       struct events *out)
{
    struct flow_table *t[4];
    struct flow_table_hooks hooks = {out, note_end, note_interval};
    out->n = 0;
    for (unsigned i = 0; i < tables; i++) t[i] = flow_table_create(&options, hooks, NULL);
    for (uint32_t i = 0; i < PACKETS; i++) {
        table_play(t[packets[i].shard % tables], &packets[i]);
        if (i % batch && i != PACKETS - 1) continue;
        for (unsigned k = 0; k < tables; k++) flow_table_run(t[k], packets[i].watermark);
    }
    for (unsigned i = 0; i < tables; i++) {
        flow_table_end_all(t[i]);
        assert_int_equal(flow_table_count(t[i]), 0);
        flow_table_destroy(t[i]);
    }
    qsort(out->list, out->n, sizeof out->list[0], event_compare);
}

// ---- the model ----------------------------------------------------------------------------------

struct model {
    struct conversation live[LIVE_MAX];
    uint32_t n;
    struct events *out;
};

static void model_end(struct model *m, uint32_t i, enum conversation_end why, nanos watermark)
{
    note_end(m->out, &m->live[i], why, watermark);
    m->live[i] = m->live[--m->n];
}

static void model_timers(struct model *m, nanos watermark)
{
    for (uint32_t i = 0; i < m->n;) {
        struct conversation *c = &m->live[i];
        nanos silent = watermark - c->active_at;
        if (silent >= (c->ended ? options.closed_linger : options.conversation_timeout)) {
            model_end(m, i, CONVERSATION_SILENT, watermark);
            continue;
        }
        if (silent >= options.idle_timeout || watermark - c->metered_at >= options.active_timeout)
            note_interval(m->out, c, watermark);
        i++;
    }
}

static bool model_is_older(const struct conversation *a, const struct conversation *b)
{
    if (a->active_at != b->active_at) return a->active_at < b->active_at;
    if (a->first_seen != b->first_seen) return a->first_seen < b->first_seen;
    return a->id_hash < b->id_hash;
}

static void model_make_room(struct model *m, unsigned shard, nanos watermark)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->n; i++) count += m->live[i].shard == shard;
    for (uint32_t gone = 0; count >= SHARD_MAX && gone < count / 16 + 1; gone++) {
        uint32_t oldest = LIVE_MAX;
        for (uint32_t i = 0; i < m->n; i++)
            if (m->live[i].shard == shard &&
                (oldest == LIVE_MAX || model_is_older(&m->live[i], &m->live[oldest])))
                oldest = i;
        model_end(m, oldest, CONVERSATION_EVICTED, watermark);
    }
}

static void model_play(struct model *m, const struct packet *p)
{
    model_timers(m, p->watermark);
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->live[i].key.a.lo != p->key.a.lo) continue;
        packet_count(&m->live[i], p);
        return;
    }
    model_make_room(m, p->shard, p->watermark);
    struct conversation *c = &m->live[m->n++];
    *c = (struct conversation){.key = p->key, .shard = p->shard, .first_seen = p->time};
    c->last_seen = p->time;
    c->id_hash = p->key.a.lo * 31 % 1009;
    packet_count(c, p);
}

static void model_run(const struct packet *packets, struct events *out)
{
    static struct model m;
    m.n = out->n = 0;
    m.out = out;
    for (uint32_t i = 0; i < PACKETS; i++) model_play(&m, &packets[i]);
    while (m.n) model_end(&m, 0, CONVERSATION_LAST, packets[PACKETS - 1].watermark);
    qsort(out->list, out->n, sizeof out->list[0], event_compare);
}

// ---- tests --------------------------------------------------------------------------------------

static void tables_do_as_the_model(void **state)
{
    (void)state;
    static struct packet packets[PACKETS];
    static struct events expected, got;
    static const struct {
        unsigned tables;
        uint32_t batch;
    } ways[] = {{1, 1}, {1, 97}, {2, 97}, {3, 1}, {4, PACKETS}};
    bool evicted = false;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        packets_make(packets, round * 7919);
        model_run(packets, &expected);
        for (uint32_t i = 0; i < expected.n; i++)
            evicted |= expected.list[i].kind == 2 && expected.list[i].why;
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            tables_run(packets, ways[i].tables, ways[i].batch, &got);
            assert_int_equal(got.n, expected.n);
            assert_memory_equal(got.list, expected.list, got.n * sizeof got.list[0]);
        }
    }
    assert_true(evicted);
}

// Equal hashes, which anybody can make, neither mix up conversations nor hide them.
static void equal_hashes_are_told_apart(void **state)
{
    (void)state;
    enum { EQUAL = 3000 };
    struct flow_options large = options;
    large.shard_max = EQUAL;
    static struct events out;
    out.n = 0;
    struct flow_table *t =
        flow_table_create(&large, (struct flow_table_hooks){&out, note_end, note_interval}, NULL);
    for (uint32_t i = 0; i < EQUAL; i++) {
        struct packet p = packet_of(i, NANOS_PER_SECOND);
        p.hash = 0x1234567800;
        p.shard = 0;
        assert_null(flow_table_find(t, &p));
        assert_non_null(flow_table_add(t, &p));
        struct conversation *c = flow_table_find(t, &p);
        assert_int_equal(c->key.a.lo, i);
        if (i % 3 == 0) flow_table_replace(t, c, p.watermark);
    }
    assert_int_equal(flow_table_count(t), EQUAL - EQUAL / 3);
    for (uint32_t i = 0; i < EQUAL; i++) {
        struct packet p = packet_of(i, NANOS_PER_SECOND);
        p.hash = 0x1234567800;
        assert_int_equal(flow_table_find(t, &p) != NULL, i % 3 != 0);
    }
    flow_table_end_all(t);
    assert_int_equal(out.n, EQUAL);
    flow_table_destroy(t);
}

// Ended conversations make room at once: ports that are used again and again fill no table.
static void replaced_conversations_leave_no_trace(void **state)
{
    (void)state;
    static struct events out;
    out.n = 0;
    struct flow_options small = options;
    small.conversations_max = 2;
    struct flow_table *t =
        flow_table_create(&small, (struct flow_table_hooks){&out, note_end, note_interval}, NULL);
    struct packet p = packet_of(1, NANOS_PER_SECOND);
    for (uint32_t i = 0; i < 1000; i++) {
        struct conversation *c = flow_table_find(t, &p);
        if (c) flow_table_replace(t, c, p.watermark);
        assert_non_null(flow_table_add(t, &p));
    }
    assert_int_equal(flow_table_count(t), 1);
    flow_table_destroy(t);
}

// Times that no clock has end nothing early and overflow nowhere.
static void times_may_be_any(void **state)
{
    (void)state;
    static struct events out;
    out.n = 0;
    struct flow_table *t =
        flow_table_create(&options, (struct flow_table_hooks){&out, note_end, note_interval}, NULL);
    const nanos times[] = {INT64_MIN, -5, 0, INT64_MAX - 1, INT64_MAX};
    for (uint32_t i = 0; i < 5; i++) {
        struct packet p = packet_of(i, times[i]);
        table_play(t, &p);
        table_play(t, &p);
        flow_table_run(t, p.watermark);
    }
    flow_table_end_all(t);
    assert_int_equal(flow_table_count(t), 0);
    flow_table_destroy(t);
}

// ---- when silence ends a conversation -----------------------------------------------------------

struct fixture {
    struct flow_table *table;
    unsigned ended;
};

static void count_end(void *context, struct conversation *c, enum conversation_end why,
                      nanos watermark)
{
    (void)c;
    (void)why;
    (void)watermark;
    ((struct fixture *)context)->ended++;
}

static void ignore_interval(void *context, struct conversation *c, nanos watermark)
{
    (void)context;
    (void)watermark;
    c->metered = false;
}

static struct fixture *fixture_create(void)
{
    static struct fixture f;
    struct flow_options few = {.conversation_timeout = 600 * NANOS_PER_SECOND,
                               .closed_linger = 60 * NANOS_PER_SECOND,
                               .active_timeout = 60 * NANOS_PER_SECOND,
                               .idle_timeout = 15 * NANOS_PER_SECOND,
                               .conversations_max = 64,
                               .shard_max = 64};
    f = (struct fixture){0};
    f.table =
        flow_table_create(&few, (struct flow_table_hooks){&f, count_end, ignore_interval}, NULL);
    assert_non_null(f.table);
    return &f;
}

// A packet of the one conversation; whether it still was the one that is there.
static bool goes_on(struct fixture *f, int64_t time, int64_t watermark)
{
    struct packet p = {.time = time * NANOS_PER_SECOND,
                       .watermark = watermark * NANOS_PER_SECOND,
                       .key = {.proto = 17, .port_a = 1, .port_b = 2},
                       .hash = 77,
                       .shard = 77};
    struct conversation *c = flow_table_find(f->table, &p);
    bool found = c;
    if (c) flow_table_meter(f->table, c, &p);
    else c = flow_table_add(f->table, &p);
    conversation_count(c, &p);
    flow_table_run(f->table, p.watermark);
    return found;
}

static void ends_after_silence(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    assert_false(goes_on(f, 1000, 1000));
    assert_true(goes_on(f, 1599, 1599));
    assert_false(goes_on(f, 2199, 2199));
    assert_int_equal(f->ended, 1);
    flow_table_destroy(f->table);
}

// A capture goes on after days: the watermark follows only when several packets say so.
static void a_late_watermark_is_no_silence(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    assert_false(goes_on(f, 900000, 1000));
    assert_true(goes_on(f, 900001, 1000));
    assert_true(goes_on(f, 900002, 900002));
    assert_true(goes_on(f, 900003, 900003));
    assert_false(goes_on(f, 900700, 900700));
    flow_table_destroy(f->table);
}

// One packet with a time far ahead keeps nothing alive.
static void a_stray_time_keeps_nothing_alive(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    assert_false(goes_on(f, 1000, 1000));
    assert_true(goes_on(f, 9000000, 1001));
    assert_true(goes_on(f, 1500, 1500));
    assert_false(goes_on(f, 2200, 2200));
    flow_table_destroy(f->table);
}

static void note_victim(void *context, struct conversation *c, enum conversation_end why,
                        nanos watermark)
{
    (void)watermark;
    uint32_t *ended = context;
    if (why != CONVERSATION_SOURCE) return;
    assert_int_equal(c->key.a.lo, 7);
    ended[0]++;
}

// Who begins more than its share of a shard loses its own, and nobody else any; a third of the
// conversations are seen from their other side first.
static void sources_crowd_out_their_own(void **state)
{
    (void)state;
    enum { SHARE = 64, OTHERS = 20, FLOOD = 1000 };
    uint32_t ended[1] = {0};
    struct flow_options o = options;
    o.source_max = SHARE;
    o.shard_max = SHARE * 2;
    o.accounts = accounts_create((struct budget){1, 1, 1}, 4096, NULL);
    struct flow_table *t =
        flow_table_create(&o, (struct flow_table_hooks){ended, note_victim, ignore_interval}, NULL);
    for (uint32_t i = 0; i < FLOOD; i++) {
        struct packet p = {.time = NANOS_PER_SECOND + i, .watermark = NANOS_PER_SECOND + i};
        p.key.a.lo = i < OTHERS ? 100 + i : 7;
        p.key.b.lo = 1000;
        p.key.port_a = (uint16_t)i;
        p.side = i % 3 == 0 && i < OTHERS;
        p.hash = (uint64_t)i << 32 | i << 8;
        struct conversation *c = flow_table_add(t, &p);
        c->first_seen = p.time;
    }
    assert_true(flow_table_count(t) <= SHARE + OTHERS);
    assert_int_equal(flow_table_count(t) + ended[0], FLOOD);
    flow_table_end_all(t);
    assert_int_equal(o.accounts->pool.used, 0);
    flow_table_destroy(t);
    accounts_destroy(o.accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_do_as_the_model),
        cmocka_unit_test(equal_hashes_are_told_apart),
        cmocka_unit_test(replaced_conversations_leave_no_trace),
        cmocka_unit_test(times_may_be_any),
        cmocka_unit_test(ends_after_silence),
        cmocka_unit_test(a_late_watermark_is_no_silence),
        cmocka_unit_test(a_stray_time_keeps_nothing_alive),
        cmocka_unit_test(sources_crowd_out_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
