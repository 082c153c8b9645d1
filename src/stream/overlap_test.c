// What comes twice and differs: who wins, what is told of it, and what is not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "stream/stream.h"

enum { BYTES_MAX = 120000, TOLD_MAX = 400, HEADER_MAX = 60, PAYLOAD_MAX = 2000, TCP_SIZE = 20 };

struct told {
    struct stream_ambiguity a;
    uint8_t taken[STREAM_AMBIGUITY_BYTES], other[STREAM_AMBIGUITY_BYTES];
};

struct fixture {
    struct blocks blocks;
    struct streams *streams;
    uint32_t id;
    uint8_t bytes[BYTES_MAX];
    size_t delivered;
    struct told told[TOLD_MAX];
    size_t told_count;
};

static struct stream_consumed show(void *context, void *owner, const struct stream_view *view)
{
    struct fixture *f = context;
    (void)owner;
    if (view->side == 0 && view->data.n) {
        assert_int_equal(view->position, f->delivered);
        memcpy(f->bytes + f->delivered, view->data.p, view->data.n);
        f->delivered += view->data.n;
    }
    return (struct stream_consumed){.used = view->data.n};
}

static bool gap(void *context, void *owner, uint8_t side, uint64_t position, uint64_t length,
                enum gap_kind kind)
{
    struct fixture *f = context;
    (void)owner;
    (void)position;
    (void)kind;
    if (side == 0) f->delivered += length;
    return true;
}

static void ambiguous(void *context, void *owner, const struct stream_ambiguity *a)
{
    struct fixture *f = context;
    (void)owner;
    assert_true(f->told_count < TOLD_MAX);
    struct told *t = &f->told[f->told_count++];
    t->a = *a;
    memcpy(t->taken, a->taken.data.p, a->taken.data.n);
    memcpy(t->other, a->other.data.p, a->other.data.n);
    t->a.taken.data.p = t->taken;
    t->a.other.data.p = t->other;
}

static struct fixture *fixture_make(void)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    assert_true(blocks_init(&f.blocks, 256u << 20, NULL));
    struct stream_hooks hooks = {.context = &f, .show = show, .gap = gap, .ambiguous = ambiguous};
    f.streams = streams_create(1000, &f.blocks, hooks, NULL);
    f.id = stream_open(f.streams, 0);
    return &f;
}

static void fixture_end(struct fixture *f)
{
    uint64_t missed[2];
    stream_close(f->streams, f->id, f, missed);
    assert_int_equal(f->blocks.bytes_used, 0);
    streams_destroy(f->streams);
    blocks_deinit(&f->blocks);
}

// ---- packets ------------------------------------------------------------------------------------

// What a packet is made of; zero is the usual.
struct sent {
    uint8_t side, flags, ttl;
    uint32_t seq, ack, time;
    uint16_t window;
    const char *payload;
    size_t size; // of the payload; 0: that of the text
    bytes options;
    bool bad_sum;
};

static void packet_sum(struct packet *p, uint8_t *memory, bool bad)
{
    bytes segment = {memory, p->payload_offset + p->payload_length};
    uint64_t before = 6 + segment.n + 2 * (10 << 8) + 3; // 10.0.0.1 and 10.0.0.2
    uint16_t sum = (uint16_t)~internet_sum(before, segment);
    if (bad) sum ^= 0x1234;
    memory[16] = (uint8_t)(sum >> 8);
    memory[17] = (uint8_t)sum;
}

static void send(struct fixture *f, const struct sent *s)
{
    static uint8_t memory[HEADER_MAX + PAYLOAD_MAX];
    size_t header = TCP_SIZE + s->options.n, size = s->size      ? s->size
                                                    : s->payload ? strlen(s->payload)
                                                                 : 0;
    memset(memory, 0, header);
    if (s->options.n) memcpy(memory + TCP_SIZE, s->options.p, s->options.n);
    if (size) memcpy(memory + header, s->payload, size);
    struct packet p = {
        .data = memory,
        .captured = (uint32_t)(header + size),
        .length = (uint32_t)(header + size),
        .time = s->time,
        .side = s->side,
        .ttl = s->ttl ? s->ttl : 64,
        .tcp_flags = s->flags ? s->flags : TCP_ACK,
        .tcp_seq = s->seq,
        .tcp_ack = s->ack,
        .tcp_window = s->window,
        .tcp_options_length = (uint8_t)s->options.n,
        .has_transport = true,
        .payload_offset = (uint32_t)header,
        .payload_captured = (uint32_t)size,
        .payload_length = (uint32_t)size,
        .key = {address_v4(0x0a000001), address_v4(0x0a000002), 1, 2, 6, 0},
    };
    packet_sum(&p, memory, s->bad_sum);
    stream_packet(f->streams, f->id, f, &p);
}

static void say(struct fixture *f, uint32_t seq, const char *text)
{
    send(f, &(struct sent){.seq = seq, .payload = text});
}

// The data of side 0 begin at 100.
static void begin(struct fixture *f)
{
    send(f, &(struct sent){.seq = 99, .flags = TCP_SYN});
}

static void told_is(const struct fixture *f, size_t i, uint64_t position, const char *taken,
                    const char *other)
{
    assert_true(i < f->told_count);
    const struct stream_ambiguity *a = &f->told[i].a;
    assert_int_equal(a->position, position);
    assert_int_equal(a->length, strlen(taken));
    assert_true(bytes_equal(a->taken.data, bytes_text(taken)));
    assert_true(bytes_equal(a->other.data, bytes_text(other)));
}

// ---- who wins -----------------------------------------------------------------------------------

// Figure of Shankar and Paxson, for segments behind a hole of one byte: six of them, the later
// three over the earlier ones.
static void diagram(enum overlap_policy policy, const char *expected)
{
    struct fixture *f = fixture_make();
    begin(f);
    stream_overlap(f->streams, f->id, 0, policy);
    say(f, 101, "111");
    say(f, 105, "22");
    say(f, 107, "333");
    say(f, 102, "4444");
    say(f, 107, "555");
    say(f, 110, "666");
    say(f, 100, "0");
    assert_int_equal(f->delivered, 13);
    assert_memory_equal(f->bytes + 1, expected, 12);
    fixture_end(f);
}

static void the_diagram_of_the_literature(void **state)
{
    (void)state;
    diagram(OVERLAP_BSD, "111442333666");
    diagram(OVERLAP_BSD_RIGHT, "144422555666");
    diagram(OVERLAP_FIRST, "111422333666");
    diagram(OVERLAP_LAST, "144442555666");
    diagram(OVERLAP_LINUX, "111442333666");
    diagram(OVERLAP_OLD_LINUX, "111442555666");
    diagram(OVERLAP_SOLARIS, "144422555666");
}

// ---- a plain model ------------------------------------------------------------------------------

enum { MODEL_BYTES = 3000, MODEL_SEGMENTS = 120 };

// Byte by byte what a direction is.
struct model {
    uint8_t value[MODEL_BYTES];
    bool there[MODEL_BYTES];
    struct overlap_extent by[MODEL_BYTES];
    bool ambiguous[MODEL_BYTES];
    uint32_t next;
};

static void model_take(struct model *m, enum overlap_policy policy, uint32_t from, uint32_t to,
                       const char *data)
{
    struct overlap_extent by = {from, to};
    bool asks = to == m->next && to - from == 1;
    for (uint32_t i = from; i < to; i++) {
        uint8_t value = (uint8_t)data[i - from];
        if (m->there[i] && m->value[i] != value && !asks) m->ambiguous[i] = true;
        bool is_taken = !m->there[i] || (i >= m->next && overlap_later_wins(policy, m->by[i], by));
        if (!is_taken) continue;
        m->value[i] = value;
        m->by[i] = by;
        m->there[i] = true;
    }
    while (m->next < MODEL_BYTES && m->there[m->next]) m->next++;
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void play(enum overlap_policy policy, uint32_t seed)
{
    static struct model m;
    static bool ambiguous_here[MODEL_BYTES];
    memset(&m, 0, sizeof m);
    memset(ambiguous_here, 0, sizeof ambiguous_here);
    struct fixture *f = fixture_make();
    uint32_t isn = seed % 2 ? UINT32_MAX - random_next(&seed) % MODEL_BYTES : 1000;
    send(f, &(struct sent){.seq = isn, .flags = TCP_SYN});
    stream_overlap(f->streams, f->id, 0, policy);
    for (int i = 0; i < MODEL_SEGMENTS; i++) {
        char data[200];
        // Near what is expected next, so that some is delivered, some waits, and much overlaps.
        uint32_t back = random_next(&seed) % 300, from = m.next > back ? m.next - back : 0;
        from += random_next(&seed) % 500;
        uint32_t length = 1 + random_next(&seed) % sizeof data;
        if (from >= MODEL_BYTES) continue;
        if (length > MODEL_BYTES - from) length = MODEL_BYTES - from;
        for (uint32_t k = 0; k < length; k++)
            data[k] = "aaaaaab"[random_next(&seed) % (random_next(&seed) % 2 ? 7 : 6)];
        model_take(&m, policy, from, from + length, data);
        send(f, &(struct sent){.seq = isn + 1 + from, .payload = data, .size = length});
        assert_int_equal(f->delivered, m.next);
        for (size_t t = 0; t < f->told_count; t++) {
            const struct stream_ambiguity *a = &f->told[t].a;
            assert_int_equal(a->taken.data.n, a->length);
            assert_int_not_equal(a->taken.data.p[0], a->other.data.p[0]);
            assert_int_not_equal(a->taken.data.p[a->length - 1], a->other.data.p[a->length - 1]);
            for (uint64_t k = 0; k < a->length; k++)
                ambiguous_here[a->position + k] |= a->taken.data.p[k] != a->other.data.p[k];
        }
        f->told_count = 0;
    }
    assert_memory_equal(f->bytes, m.value, m.next);
    assert_memory_equal(ambiguous_here, m.ambiguous, sizeof ambiguous_here);
    fixture_end(f);
}

static void random_overlaps_are_those_of_the_model(void **state)
{
    (void)state;
    for (unsigned policy = 0; policy < OVERLAP_COUNT; policy++)
        for (uint32_t seed = 1; seed <= 60; seed++) play(policy, seed * 7919 + policy);
}

// ---- what is told -------------------------------------------------------------------------------

static void delivered_bytes_stay_and_both_are_told(void **state)
{
    (void)state;
    struct fixture *f = fixture_make();
    begin(f);
    stream_overlap(f->streams, f->id, 0, OVERLAP_LAST);
    send(f, &(struct sent){.seq = 100, .payload = "GET /good", .time = 5});
    send(f, &(struct sent){.seq = 104, .payload = "/evil and more", .time = 7});
    assert_int_equal(f->told_count, 1);
    told_is(f, 0, 5, "good", "evil");
    assert_string_equal(f->told[0].a.policy, "delivered");
    assert_int_equal(f->told[0].a.taken.time, 5);
    assert_int_equal(f->told[0].a.other.time, 7);
    assert_int_equal(f->told[0].a.time, 7);
    assert_memory_equal(f->bytes, "GET /good and more", 18);
    // Behind a hole the policy decides.
    say(f, 120, "abcd");
    say(f, 121, "XcX");
    assert_int_equal(f->told_count, 2);
    told_is(f, 1, 21, "XcX", "bcd");
    assert_string_equal(f->told[1].a.policy, "last");
    fixture_end(f);
}

static void what_is_the_same_is_not_told(void **state)
{
    (void)state;
    struct fixture *f = fixture_make();
    begin(f);
    say(f, 100, "abcdefghij");
    say(f, 100, "abc");
    say(f, 102, "cdefghijkl");
    say(f, 95, "?????abc"); // from before the first byte
    say(f, 111, "?");       // asks whether the other side lives
    say(f, 120, "uvw");
    say(f, 119, "tuvwx");
    say(f, 110, "klmnopqrstuv");
    assert_int_equal(f->told_count, 0);
    assert_int_equal(f->delivered, 24);
    send(f, &(struct sent){.seq = 124, .payload = "yz", .flags = TCP_ACK | TCP_FIN});
    assert_int_equal(f->told_count, 0);
    // Behind the end it is still compared.
    say(f, 123, "xyZ");
    assert_int_equal(f->told_count, 1);
    told_is(f, 0, 25, "z", "Z");
    fixture_end(f);
}

static void acknowledged_bytes_are_let_go(void **state)
{
    (void)state;
    struct fixture *f = fixture_make();
    begin(f);
    say(f, 100, "abcdefghij");
    send(f, &(struct sent){.side = 1, .seq = 1, .ack = 105});
    say(f, 100, "abcdefgXij");
    assert_int_equal(f->told_count, 1);
    told_is(f, 0, 7, "h", "X");
    send(f, &(struct sent){.side = 1, .seq = 1, .ack = 110});
    assert_int_equal(f->blocks.bytes_used, 0);
    say(f, 100, "XXXXXXXXXX");
    assert_int_equal(f->told_count, 1);
    fixture_end(f);
}

// Nobody acknowledges: what was delivered last is kept, wherever it lies in the ring.
static void a_capture_of_one_direction(void **state)
{
    (void)state;
    enum { SIZE = 700, COUNT = 150 };
    struct fixture *f = fixture_make();
    begin(f);
    char data[SIZE];
    for (uint32_t i = 0; i < COUNT; i++) {
        for (uint32_t k = 0; k < SIZE; k++) data[k] = (char)(i * 31 + k * 7);
        send(f, &(struct sent){.seq = 100 + i * SIZE, .payload = data, .size = SIZE});
        // Twenty segments back, and the first of all, with one other byte.
        for (uint32_t back = 0; back <= 20 && back <= i; back += 20) {
            uint32_t at = i - back;
            for (uint32_t k = 0; k < SIZE; k++) data[k] = (char)(at * 31 + k * 7);
            data[at] ^= 1;
            f->told_count = 0;
            send(f, &(struct sent){.seq = 100 + at * SIZE, .payload = data, .size = SIZE});
            assert_int_equal(f->told_count, 1);
            assert_int_equal(f->told[0].a.position, at * SIZE + at);
            assert_int_equal(f->told[0].a.length, 1);
            assert_int_equal(f->told[0].taken[0] ^ 1, f->told[0].other[0]);
        }
        f->told_count = 0;
        memset(data, 1, SIZE);
        if (i * SIZE > STREAM_RECENT_MAX)
            send(f, &(struct sent){.seq = 100, .payload = data, .size = SIZE});
        assert_int_equal(f->told_count, 0);
    }
    fixture_end(f);
}

static void readings_are_cut(void **state)
{
    (void)state;
    struct fixture *f = fixture_make();
    begin(f);
    char data[1900];
    memset(data, 'a', sizeof data);
    send(f, &(struct sent){.seq = 100, .payload = data, .size = sizeof data});
    memset(data, 'b', sizeof data);
    send(f, &(struct sent){.seq = 100, .payload = data, .size = sizeof data});
    assert_int_equal(f->told[0].a.length, sizeof data);
    assert_int_equal(f->told[0].a.taken.data.n, STREAM_AMBIGUITY_BYTES);
    assert_int_equal(f->told[0].a.other.data.n, STREAM_AMBIGUITY_BYTES);
    fixture_end(f);
}

// What a shard keeps is bounded; what is not kept is counted.
static void a_shard_keeps_no_more(void **state)
{
    (void)state;
    struct fixture *f = fixture_make();
    uint32_t first = f->id, ids[500];
    struct accounts *accounts =
        accounts_create((struct budget){UINT32_MAX, 1, SHARD_RECENT_MAX}, 16, NULL);
    streams_charge(f->streams, accounts);
    char data[1400];
    memset(data, 'a', sizeof data);
    for (unsigned i = 0; i < 500; i++) {
        f->id = ids[i] = stream_open(f->streams, 0);
        f->delivered = 0;
        send(f, &(struct sent){.seq = 100, .payload = data, .size = sizeof data});
        assert_true(f->blocks.bytes_used <= SHARD_RECENT_MAX);
    }
    assert_true(streams_uncompared(f->streams) > 0);
    uint64_t missed[2];
    for (unsigned i = 0; i < 500; i++) stream_close(f->streams, ids[i], f, missed);
    f->id = first;
    fixture_end(f);
    accounts_destroy(accounts);
}

// ---- what speaks against a reading --------------------------------------------------------------

// "abcd" and then "abXd", of which one is `odd`, in order or behind a hole.
static void doubts_are(struct sent odd, bool odd_first, bool in_order, unsigned expected)
{
    struct fixture *f = fixture_make();
    static const uint8_t timestamps[] = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 1};
    bytes usual = odd.options.n ? bytes_of(timestamps, sizeof timestamps) : bytes_of(NULL, 0);
    send(f, &(struct sent){.seq = 99, .flags = TCP_SYN, .options = usual});
    send(f, &(struct sent){.side = 1, .seq = 1, .ack = 100, .flags = TCP_SYN | TCP_ACK});
    send(f, &(struct sent){.side = 1, .seq = 2, .ack = 100, .window = 500});
    struct sent plain = {.seq = in_order ? 100 : 110, .options = usual, .payload = "abXd"};
    odd.seq = plain.seq;
    odd.payload = "abcd";
    send(f, odd_first ? &odd : &plain);
    send(f, odd_first ? &plain : &odd);
    assert_int_equal(f->told_count, 1);
    const struct stream_reading *taken = &f->told[0].a.taken, *other = &f->told[0].a.other;
    assert_int_equal((odd_first ? taken : other)->doubts, expected);
    assert_int_equal((odd_first ? other : taken)->doubts, 0);
    fixture_end(f);
}

static void whatever_order(struct sent odd, unsigned expected)
{
    for (int i = 0; i < 4; i++) doubts_are(odd, i & 1, i & 2, expected);
}

static void doubts_of_either_reading(void **state)
{
    (void)state;
    static const uint8_t old[] = {1, 1, 8, 10, 0, 0, 0, 8, 0, 0, 0, 1};
    static const uint8_t apart[] = {8, 10, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 0};
    whatever_order((struct sent){0}, 0);
    whatever_order((struct sent){.bad_sum = true}, DOUBT_BAD_CHECKSUM);
    whatever_order((struct sent){.ttl = 3}, DOUBT_LOW_TTL);
    whatever_order((struct sent){.ttl = 3, .bad_sum = true}, DOUBT_LOW_TTL | DOUBT_BAD_CHECKSUM);
    whatever_order((struct sent){.options = bytes_of(old, sizeof old)}, DOUBT_OLD_TIMESTAMP);
    whatever_order((struct sent){.options = bytes_of(apart, sizeof apart)}, DOUBT_OLD_TIMESTAMP);
}

// A checksum is told of a delivered segment wherever it lies in the ring, odd lengths and all.
static void a_bad_checksum_in_the_ring(void **state)
{
    (void)state;
    enum { SIZE = 333, COUNT = 300 };
    struct fixture *f = fixture_make();
    begin(f);
    char data[SIZE];
    for (uint32_t i = 0; i < COUNT; i++) {
        for (uint32_t k = 0; k < SIZE; k++) data[k] = (char)(i * 17 + k * 5);
        struct sent s = {.seq = 100 + i * SIZE, .payload = data, .size = SIZE};
        s.bad_sum = i % 2;
        send(f, &s);
        data[3] ^= 4;
        s.bad_sum = false;
        f->told_count = 0;
        send(f, &s);
        assert_int_equal(f->told[0].a.taken.doubts, i % 2 ? DOUBT_BAD_CHECKSUM : 0);
    }
    fixture_end(f);
}

static void doubts_of_the_window(void **state)
{
    (void)state;
    static const uint8_t scale[] = {1, 3, 3, 2};
    for (int scaled = 0; scaled < 2; scaled++) {
        struct fixture *f = fixture_make();
        bytes options = {scale, scaled ? sizeof scale : 0};
        send(f, &(struct sent){.seq = 99, .flags = TCP_SYN, .options = options});
        send(f,
             &(struct sent){
                 .side = 1, .seq = 1, .ack = 100, .flags = TCP_SYN | TCP_ACK, .options = options});
        send(f, &(struct sent){.side = 1, .seq = 2, .ack = 100, .window = 10});
        say(f, 120, "early");
        send(f, &(struct sent){.side = 1, .seq = 2, .ack = 100, .window = 50});
        say(f, 120, "right");
        assert_int_equal(f->told[0].a.taken.doubts, scaled ? 0 : DOUBT_OUT_OF_WINDOW);
        assert_int_equal(f->told[0].a.other.doubts, 0);
        // What was acknowledged already does not count any more.
        say(f, 100, "0123456789");
        send(f, &(struct sent){.side = 1, .seq = 2, .ack = 105, .window = 50});
        say(f, 100, "01X34");
        assert_int_equal(f->told[1].a.other.doubts, DOUBT_OUT_OF_WINDOW);
        fixture_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_diagram_of_the_literature),
        cmocka_unit_test(random_overlaps_are_those_of_the_model),
        cmocka_unit_test(delivered_bytes_stay_and_both_are_told),
        cmocka_unit_test(what_is_the_same_is_not_told),
        cmocka_unit_test(acknowledged_bytes_are_let_go),
        cmocka_unit_test(a_capture_of_one_direction),
        cmocka_unit_test(readings_are_cut),
        cmocka_unit_test(a_shard_keeps_no_more),
        cmocka_unit_test(doubts_of_either_reading),
        cmocka_unit_test(a_bad_checksum_in_the_ring),
        cmocka_unit_test(doubts_of_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
