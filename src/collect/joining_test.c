// Pairs of one-way flows: by a plain model that compares each row with each, whatever batches they
// come in; what a row of both has; and that all that comes goes.
#include "collect/joining.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "flow/flow_kind.h"

enum {
    ROWS = 20000,
    ROUNDS = 12,
    SYN = 0x02,
    ACK = 0x10,
    TCP = 6,
    UDP = 17,
    ICMP = 1,
    ICMPV6 = 58
};
#define WINDOW (10 * NANOS_PER_SECOND)
#define BEGAN (1700000000 * NANOS_PER_SECOND)

// A row to be told; `id` stands in its bytes.
struct told {
    uint64_t id, exporter, domain, rate, vlan, proto, src, dst, src_port, dst_port, flags;
    nanos first, last;
    bool is_biflow;
};

// What came out: ids of who began and who answered (0: alone).
struct pair {
    uint64_t first, second;
};

struct shown {
    struct pair pairs[2 * ROWS];
    uint32_t count;
    struct record_batch *last; // a copy of the batch that came last
};

static void put(struct record_batch *b, const struct told *t)
{
    assert_true(batch_begin(b, 0));
    batch_word(b, FLOW_FIRST_SEEN, (uint64_t)t->first);
    batch_word(b, FLOW_LAST_SEEN, (uint64_t)t->last);
    batch_word(b, FLOW_PROTO, t->proto);
    batch_words(b, FLOW_SRC_ADDR, 0, address_v4((uint32_t)t->src).lo);
    batch_words(b, FLOW_DST_ADDR, 0, address_v4((uint32_t)t->dst).lo);
    batch_word(b, FLOW_SRC_PORT, t->src_port);
    batch_word(b, FLOW_DST_PORT, t->dst_port);
    batch_word(b, FLOW_PACKETS, 1);
    batch_word(b, FLOW_BYTES, t->id);
    if (t->is_biflow) batch_word(b, FLOW_REVERSE_BYTES, 0);
    if (t->flags) batch_word(b, FLOW_TCP_FLAGS, t->flags);
    if (t->vlan) batch_word(b, FLOW_VLAN, t->vlan);
    if (t->rate) batch_word(b, FLOW_SAMPLING_RATE, t->rate);
    batch_words(b, FLOW_EXPORTER, 0, address_v4((uint32_t)t->exporter).lo);
    batch_word(b, FLOW_DOMAIN, t->domain);
    batch_end(b);
}

static void show(void *context, const struct record_batch *b)
{
    struct shown *s = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct pair p = {batch_get(b, FLOW_BYTES, row), 0};
        if (batch_has(b, FLOW_REVERSE_BYTES, row)) p.second = batch_get(b, FLOW_REVERSE_BYTES, row);
        assert_true(s->count < 2 * ROWS);
        s->pairs[s->count++] = p;
    }
    batch_clear(s->last);
    for (uint32_t row = 0; row < b->rows; row++) assert_true(batch_copy(s->last, b, row));
}

static struct shown *shown_create(void)
{
    struct shown *s = calloc(1, sizeof *s);
    s->last = batch_create(&flow_kind);
    return s;
}

static void shown_destroy(struct shown *s)
{
    batch_destroy(s->last);
    free(s);
}

static struct joining *begin(struct shown *s, bool elements)
{
    struct joining_options options = {.window = WINDOW, .elements = elements};
    return joining_create(&options, (struct record_sink){s, show}, NULL);
}

static void need_sum(struct joining_counts n, uint64_t taken, uint64_t given)
{
    uint64_t left = n.window + n.full + n.end + n.kept;
    assert_int_equal(n.taken, taken);
    assert_int_equal(n.taken, n.passed + 2 * n.joined + left + n.held);
    assert_int_equal(given, n.passed + n.joined + left);
}

// All rows in batches of `size` rows.
static struct joining_counts run(const struct told *rows, uint32_t count, uint32_t size,
                                 struct shown *s)
{
    struct joining *j = begin(s, true);
    struct record_sink sink = joining_sink(j);
    struct record_batch *b = batch_create(&flow_kind);
    for (uint32_t i = 0; i < count; i++) {
        put(b, &rows[i]);
        if (b->rows < size && i + 1 < count) continue;
        sink.take(sink.context, b);
        batch_clear(b);
    }
    joining_end(j, JOINING_end);
    struct joining_counts n = joining_counts(j);
    need_sum(n, count, s->count);
    assert_int_equal(n.held, 0);
    batch_destroy(b);
    joining_destroy(j);
    return n;
}

// ---- the model ----------------------------------------------------------------------------------

struct model {
    const struct told *rows;
    bool waits[ROWS];
    uint32_t oldest;    // that may wait
    nanos clocks[2][2]; // by exporter and domain
    struct pair pairs[ROWS];
    uint32_t count, joined;
};

static bool are_opposite(const struct told *a, const struct told *b)
{
    if (a->exporter != b->exporter || a->domain != b->domain || a->rate != b->rate ||
        a->vlan != b->vlan || a->proto != b->proto || a->src != b->dst || a->dst != b->src)
        return false;
    if (a->proto != ICMP) return a->src_port == b->dst_port && a->dst_port == b->src_port;
    // Echoes are told as 8, 0; their answers as 0, 8 or as zeros.
    return (a->src_port == 8 && !a->dst_port && !b->src_port) ||
           (b->src_port == 8 && !b->dst_port && !a->src_port);
}

static bool begins(const struct told *a, const struct told *b)
{
    if (a->first != b->first) return a->first < b->first;
    bool opens = (a->flags & (SYN | ACK)) == SYN, other = (b->flags & (SYN | ACK)) == SYN;
    if (opens != other) return opens;
    if (a->src_port != b->src_port) return a->src_port > b->src_port;
    return a->src < b->src;
}

static nanos *clock_of(struct model *m, const struct told *t)
{
    return &m->clocks[t->exporter & 1][t->domain & 1];
}

static bool is_over(struct model *m, const struct told *t)
{
    return *clock_of(m, t) > t->last + WINDOW;
}

static uint32_t model_partner(struct model *m, uint32_t n)
{
    const struct told *t = &m->rows[n];
    uint32_t best = n, seen = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct told *o = &m->rows[i];
        if (!m->waits[i] || !are_opposite(t, o)) continue;
        if (is_over(m, o)) {
            m->waits[i] = false;
            continue;
        }
        if (++seen > JOINING_LOOKED_AT) break;
        if (t->first > o->last + WINDOW || o->first > t->last + WINDOW) continue;
        if (best == n || labs(t->first - o->first) < labs(t->first - m->rows[best].first)) best = i;
    }
    return best;
}

static void model_take(struct model *m, uint32_t n)
{
    const struct told *t = &m->rows[n];
    nanos *clock = clock_of(m, t);
    if (t->is_biflow) return;
    uint32_t partner = model_partner(m, n);
    if (partner == n) {
        m->waits[n] = true;
    } else {
        const struct told *o = &m->rows[partner];
        m->waits[partner] = false;
        m->pairs[m->joined++] =
            begins(t, o) ? (struct pair){t->id, o->id} : (struct pair){o->id, t->id};
    }
    if (t->last > *clock || *clock - t->last > JOINING_BACK) *clock = t->last;
    while (m->oldest <= n && (!m->waits[m->oldest] || is_over(m, &m->rows[m->oldest])))
        m->waits[m->oldest++] = false;
}

// One that nothing hangs on, or the way back of one that was there.
static struct told row_of(uint64_t *r, const struct told *before, uint32_t count)
{
    static const uint16_t ports[] = {53, 80, 2000, 2001};
    struct told t = {.exporter = random_below(r, 2), .domain = random_below(r, 2)};
    if (count && random_below(r, 2)) {
        const struct told *o = &before[count - 1 - random_below(r, count < 40 ? count : 40)];
        t = *o;
        t.src = o->dst, t.dst = o->src, t.src_port = o->dst_port, t.dst_port = o->src_port;
        if (t.proto == ICMP) t.src_port = 8 - o->src_port, t.dst_port = 0;
        return t;
    }
    t.rate = random_below(r, 8) == 0 ? 100 : 0;
    t.vlan = random_below(r, 8) == 0 ? 7 : 0;
    t.proto = (uint64_t[]){TCP, UDP, ICMP}[random_below(r, 3)];
    t.src = 1 + random_below(r, 3);
    t.dst = 1 + (t.src + random_below(r, 2)) % 3;
    t.src_port = ports[random_below(r, 4)];
    t.dst_port = ports[random_below(r, 4)];
    if (t.proto == ICMP) t.src_port = random_below(r, 2) * 8, t.dst_port = 0;
    return t;
}

static void make_rows(struct told *rows, uint32_t count, uint64_t seed)
{
    uint64_t r = seed * 7919;
    nanos now = BEGAN;
    for (uint32_t i = 0; i < count; i++) {
        struct told *t = &rows[i];
        now += (nanos)random_below(&r, 3) * NANOS_PER_SECOND / 4;
        if (random_below(&r, 400) == 0) now += 3 * WINDOW;
        *t = row_of(&r, rows, i);
        t->id = i + 1;
        t->flags = t->proto == TCP ? (uint64_t[]){0, SYN, SYN | ACK, ACK}[random_below(&r, 4)] : 0;
        t->last = now - (nanos)random_below(&r, 8) * NANOS_PER_SECOND;
        t->first = t->last - (nanos)random_below(&r, 4) * NANOS_PER_SECOND;
        t->is_biflow = random_below(&r, 10) == 0;
        // A clock that was wrong for a moment.
        if (random_below(&r, 2000) == 0) t->first = t->last += 100000 * NANOS_PER_SECOND;
    }
}

static int by_first(const void *a, const void *b)
{
    const struct pair *p = a, *o = b;
    return (p->first > o->first) - (p->first < o->first);
}

static void pairs_are_those_of_the_model(void **state)
{
    (void)state;
    struct told *rows = calloc(ROWS, sizeof *rows);
    uint32_t count = ROWS / ROUNDS, least = ROWS;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        make_rows(rows, count, seed);
        struct model *m = calloc(1, sizeof *m);
        m->rows = rows;
        for (uint32_t i = 0; i < count; i++) model_take(m, i);
        struct shown *s = shown_create();
        struct joining_counts n = run(rows, count, 512, s);
        uint32_t found = 0;
        for (uint32_t i = 0; i < s->count; i++)
            if (s->pairs[i].second) s->pairs[found++] = s->pairs[i];
        assert_int_equal(found, m->joined);
        assert_int_equal(n.joined, m->joined);
        qsort(s->pairs, found, sizeof s->pairs[0], by_first);
        qsort(m->pairs, found, sizeof m->pairs[0], by_first);
        assert_memory_equal(s->pairs, m->pairs, found * sizeof m->pairs[0]);
        if (found < least) least = found;
        shown_destroy(s);
        free(m);
    }
    assert_true(least > count / 5);
    free(rows);
}

static void batches_change_nothing(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 7, 100};
    struct told *rows = calloc(ROWS, sizeof *rows);
    struct shown *whole = shown_create();
    make_rows(rows, ROWS, 99);
    struct joining_counts expected = run(rows, ROWS, 512, whole);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct shown *s = shown_create();
        struct joining_counts n = run(rows, ROWS, sizes[i], s);
        assert_memory_equal(&n, &expected, sizeof n);
        assert_int_equal(s->count, whole->count);
        assert_memory_equal(s->pairs, whole->pairs, s->count * sizeof s->pairs[0]);
        shown_destroy(s);
    }
    shown_destroy(whole);
    free(rows);
}

// ---- one pair -----------------------------------------------------------------------------------

static void need_text(const struct record_batch *b, unsigned field, const char *text)
{
    assert_true(batch_has(b, field, 0));
    bytes v = batch_get_bytes(b, field, 0);
    assert_int_equal(v.n, strlen(text));
    assert_memory_equal(v.p, text, v.n);
}

static void need_elements(const struct record_batch *b, const char *const *texts, size_t count)
{
    bytes list = batch_get_bytes(b, FLOW_ELEMENTS, 0), element;
    for (size_t i = 0; i < count; i++) {
        assert_true(list_next_text(&list, &element));
        assert_int_equal(element.n, strlen(texts[i]));
        assert_memory_equal(element.p, texts[i], element.n);
    }
    assert_false(list_next_text(&list, &element));
}

static void put_list(struct record_batch *b, const char *const *texts, uint32_t count)
{
    struct text list = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = (uint32_t)strlen(texts[i]);
        text_put(&list, bytes_of(&n, sizeof n));
        text_add(&list, texts[i]);
    }
    batch_text(b, FLOW_ELEMENTS, bytes_of(list.p, list.n));
    text_deinit(&list);
}

static const struct told client = {.id = 1,
                                   .proto = TCP,
                                   .src = 1,
                                   .dst = 2,
                                   .src_port = 2000,
                                   .dst_port = 80,
                                   .flags = SYN | ACK,
                                   .first = BEGAN,
                                   .last = BEGAN + NANOS_PER_SECOND};
static const struct told server = {.id = 2,
                                   .proto = TCP,
                                   .src = 2,
                                   .dst = 1,
                                   .src_port = 80,
                                   .dst_port = 2000,
                                   .flags = ACK,
                                   .first = BEGAN + 1,
                                   .last = BEGAN + 5 * NANOS_PER_SECOND};

// A row of both as exporters tell them, the answer first.
static struct record_batch *full_rows(void)
{
    static const char *const there[] = {"ipTTL=64", "flowId=1"}, *const back[] = {"ipTTL=64",
                                                                                  "flowId=2"};
    struct record_batch *b = batch_create(&flow_kind);
    put(b, &server);
    b->rows--;
    batch_word(b, FLOW_TOS, 8);
    batch_word(b, FLOW_INPUT, 20);
    batch_word(b, FLOW_OUTPUT, 11);
    batch_word(b, FLOW_SRC_AS, 64500);
    batch_word(b, FLOW_HTTP_STATUS, 200);
    batch_words(b, FLOW_NEXT_HOP, 0, address_v4(0xc0000201).lo);
    put_list(b, back, 2);
    batch_end(b);
    put(b, &client);
    b->rows--;
    batch_word(b, FLOW_INPUT, 10);
    batch_word(b, FLOW_OUTPUT, 20);
    batch_text(b, FLOW_HTTP_METHOD, bytes_text("GET"));
    put_list(b, there, 2);
    batch_end(b);
    return b;
}

static void a_row_of_both_has_what_both_told(void **state)
{
    (void)state;
    static const char *const all[] = {"ipTTL=64",
                                      "flowId=1",
                                      "reverse:ipClassOfService=8",
                                      "reverse:egressInterface=11",
                                      "reverse:ipNextHopIPv6Address=192.0.2.1",
                                      "reverse:flowId=2"};
    struct shown *s = shown_create();
    struct joining *j = begin(s, true);
    struct record_batch *b = full_rows();
    joining_sink(j).take(j, b);
    joining_end(j, JOINING_end);
    assert_int_equal(s->last->rows, 1);
    assert_int_equal(batch_get(s->last, FLOW_BYTES, 0), 1);
    assert_int_equal(batch_get(s->last, FLOW_REVERSE_BYTES, 0), 2);
    assert_int_equal(batch_get(s->last, FLOW_REVERSE_PACKETS, 0), 1);
    assert_int_equal(batch_get(s->last, FLOW_TCP_FLAGS, 0), SYN | ACK);
    assert_int_equal(batch_get(s->last, FLOW_REVERSE_TCP_FLAGS, 0), ACK);
    assert_int_equal(batch_get(s->last, FLOW_FIRST_SEEN, 0), client.first);
    assert_int_equal(batch_get(s->last, FLOW_LAST_SEEN, 0), server.last);
    assert_int_equal(batch_get(s->last, FLOW_INPUT, 0), 10);
    assert_int_equal(batch_get(s->last, FLOW_DST_AS, 0), 64500);
    assert_int_equal(batch_get(s->last, FLOW_HTTP_STATUS, 0), 200);
    assert_false(batch_has(s->last, FLOW_TOS, 0));
    need_text(s->last, FLOW_HTTP_METHOD, "GET");
    need_elements(s->last, all, sizeof all / sizeof all[0]);
    batch_destroy(b);
    joining_destroy(j);
    shown_destroy(s);
}

static void elements_are_left_out_when_asked(void **state)
{
    (void)state;
    static const char *const own[] = {"ipTTL=64", "flowId=1"};
    struct shown *s = shown_create();
    struct joining *j = begin(s, false);
    struct record_batch *b = full_rows();
    joining_sink(j).take(j, b);
    joining_end(j, JOINING_end);
    need_elements(s->last, own, 2);
    batch_destroy(b);
    joining_destroy(j);
    shown_destroy(s);
}

// Of two rows, ids of what comes out first.
static struct pair join_two(struct told one, struct told other)
{
    struct told rows[] = {one, other};
    struct shown *s = shown_create();
    run(rows, 2, 2, s);
    struct pair first = s->pairs[0];
    shown_destroy(s);
    return first;
}

static void need_pair(struct told one, struct told other, uint64_t first, uint64_t second)
{
    struct pair p = join_two(one, other);
    assert_int_equal(p.first, first);
    assert_int_equal(p.second, second);
}

static void what_differs_is_not_joined(void **state)
{
    (void)state;
    struct told late = server, other = server;
    late.first = late.last = client.last + WINDOW;
    need_pair(client, late, 1, 2);
    need_pair(late, client, 1, 2);
    late.first = late.last = client.last + WINDOW + 1;
    need_pair(client, late, 1, 0);
    other.rate = 10;
    need_pair(client, other, 1, 0);
    other = server, other.domain = 7;
    need_pair(client, other, 1, 0);
    other = server, other.vlan = 1;
    need_pair(client, other, 1, 0);
    need_pair(client, client, 1, 0);
}

static void requests_are_answered(void **state)
{
    (void)state;
    struct told request = client, answer = server;
    request.proto = answer.proto = ICMPV6;
    request.first = answer.first = BEGAN;
    request.flags = answer.flags = 0;
    request.src_port = answer.dst_port = 128;
    request.dst_port = answer.src_port = 129;
    need_pair(answer, request, 1, 2);
    request.src_port = 1, request.dst_port = 4; // unreachable: has no answer
    answer.src_port = 4, answer.dst_port = 1;
    need_pair(request, answer, 1, 0);
    request.proto = answer.proto = ICMP;
    request.src_port = 8, request.dst_port = 0;
    answer.src_port = answer.dst_port = 0;
    need_pair(answer, request, 1, 2);
    need_pair(answer, answer, 2, 0);
}

// ---- what does not come, and what is too much ---------------------------------------------------

static void silence_ends_waiting(void **state)
{
    (void)state;
    struct shown *s = shown_create();
    struct joining *j = begin(s, true);
    struct record_batch *b = batch_create(&flow_kind);
    put(b, &client);
    joining_turn(j, BEGAN);
    joining_sink(j).take(j, b);
    joining_turn(j, BEGAN + WINDOW);
    assert_int_equal(joining_counts(j).held, 1);
    joining_turn(j, BEGAN + WINDOW + 1);
    joining_flush(j);
    assert_int_equal(joining_counts(j).window, 1);
    need_sum(joining_counts(j), 1, s->count);
    batch_destroy(b);
    joining_destroy(j);
    shown_destroy(s);
}

static void count_rows(void *context, const struct record_batch *b)
{
    *(uint64_t *)context += b->rows;
}

static void the_oldest_leave_when_it_is_full(void **state)
{
    (void)state;
    enum { MORE = 1000, ALL = JOINING_HELD_MAX + MORE };
    uint64_t rows = 0;
    struct joining_options options = {.window = WINDOW};
    struct joining *j = joining_create(&options, (struct record_sink){&rows, count_rows}, NULL);
    struct record_batch *b = batch_create(&flow_kind);
    struct told t = client;
    for (uint32_t i = 0; i < ALL; i++) {
        t.src = i;
        put(b, &t);
        if (b->rows < BATCH_ROWS_MAX && i + 1 < ALL) continue;
        joining_sink(j).take(j, b);
        batch_clear(b);
    }
    assert_int_equal(joining_counts(j).full, MORE);
    joining_end(j, JOINING_end);
    assert_int_equal(joining_counts(j).end, JOINING_HELD_MAX);
    need_sum(joining_counts(j), ALL, rows);
    batch_destroy(b);
    joining_destroy(j);
}

// Rows of any size: the memory for them has its end, too.
static void large_rows_are_bounded(void **state)
{
    (void)state;
    enum { LARGE = JOINING_ROW_MAX - 200, COUNT = 2 * JOINING_BYTES_MAX / LARGE };
    static char text[JOINING_ROW_MAX];
    uint64_t rows = 0;
    struct joining_options options = {.window = WINDOW};
    struct joining *j = joining_create(&options, (struct record_sink){&rows, count_rows}, NULL);
    struct record_batch *b = batch_create(&flow_kind);
    struct told t = client;
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < COUNT; i++) {
        t.src = i;
        put(b, &t);
        b->rows--;
        batch_text(b, FLOW_HTTP_TARGET, bytes_of(text, i % 8 ? LARGE : JOINING_ROW_MAX));
        batch_end(b);
        joining_sink(j).take(j, b);
        batch_clear(b);
    }
    struct joining_counts n = joining_counts(j);
    assert_true(n.full > COUNT / 3 && n.held > COUNT / 3);
    joining_end(j, JOINING_end);
    need_sum(joining_counts(j), COUNT, rows);
    batch_destroy(b);
    joining_destroy(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_those_of_the_model),
        cmocka_unit_test(batches_change_nothing),
        cmocka_unit_test(a_row_of_both_has_what_both_told),
        cmocka_unit_test(elements_are_left_out_when_asked),
        cmocka_unit_test(what_differs_is_not_joined),
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(silence_ends_waiting),
        cmocka_unit_test(the_oldest_leave_when_it_is_full),
        cmocka_unit_test(large_rows_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
