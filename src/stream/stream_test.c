// Random conversations with known truth: cut, reordered, repeated, overlapped, lost and cut by a
// snap length; the bytes shown and the gaps told must be those of the truth, however the consumer
// eats.
#include "stream/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STREAM_BYTES = 20000, SEGMENTS = 600, ROUNDS = 400 };

struct receiver {
    uint8_t bytes[STREAM_BYTES + 64];
    uint8_t known[STREAM_BYTES + 64]; // 1 shown, 2 gap
    uint64_t at;                      // end of what was consumed
    uint64_t gap_bytes, cut_bytes, missed_bytes, strayed;
    bool last, closed;
    bool eats_all, ignores, deaf;
    uint64_t skips;
    uint32_t seed;
};

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static struct stream_consumed receiver_show(void *context, void *owner,
                                            const struct stream_view *view)
{
    (void)context;
    struct receiver *r = (struct receiver *)owner + view->side;
    assert_true(view->position >= r->at);
    assert_true(view->data.n <= STREAM_VIEW_SIZE);
    if (r->ignores)
        return (struct stream_consumed){.used = view->data.n, .skip = r->skips, .ignore = r->deaf};
    r->last = view->last;
    r->closed = view->closed;
    size_t eat =
        r->eats_all || view->last ? view->data.n : random_next(&r->seed) % (view->data.n + 1);
    for (size_t i = 0; i < eat; i++) {
        assert_int_equal(r->known[view->position + i], 0);
        r->known[view->position + i] = 1;
        r->bytes[view->position + i] = view->data.p[i];
    }
    r->at = view->position + eat;
    struct stream_consumed c = {.used = eat};
    // Wanting less than the rest must not starve it; wanting more delays it.
    if (!r->eats_all && random_next(&r->seed) % 4 == 0)
        c.want = view->data.n - eat + random_next(&r->seed) % 700;
    return c;
}

static bool receiver_gap(void *context, void *owner, uint8_t side, uint64_t position,
                         uint64_t length, enum gap_kind kind)
{
    (void)context;
    struct receiver *r = (struct receiver *)owner + side;
    for (uint64_t i = 0; i < length && !r->ignores; i++) {
        assert_int_equal(r->known[position + i], 0);
        r->known[position + i] = 2;
    }
    *(kind == GAP_CUT ? &r->cut_bytes : &r->gap_bytes) += length;
    return true;
}

static void receiver_missed(void *context, void *owner, uint8_t side, uint64_t position,
                            uint64_t length, enum gap_kind kind)
{
    (void)context;
    (void)position;
    (void)kind;
    ((struct receiver *)owner + side)->missed_bytes += length;
}

static void receiver_strayed(void *context, void *owner, uint8_t side, uint64_t length)
{
    (void)context;
    ((struct receiver *)owner)[side].strayed += length;
}

struct fixture {
    struct blocks blocks;
    struct streams *streams;
    struct receiver receivers[2];
};

static void fixture_init(struct fixture *f)
{
    memset(f->receivers, 0, sizeof f->receivers);
    f->receivers[0].eats_all = f->receivers[1].eats_all = true;
    assert_true(blocks_init(&f->blocks, 256u << 20, NULL));
    struct stream_hooks hooks = {
        f, receiver_show, receiver_gap, NULL, receiver_missed, receiver_strayed, NULL, NULL};
    f->streams = streams_create(16, &f->blocks, hooks, NULL);
    assert_non_null(f->streams);
}

static void fixture_deinit(struct fixture *f)
{
    assert_int_equal(streams_held(f->streams), 0);
    assert_int_equal(f->blocks.bytes_used, 0);
    streams_destroy(f->streams);
    blocks_deinit(&f->blocks);
}

static struct packet packet_of(uint8_t side, uint32_t seq, uint32_t ack, uint8_t flags,
                               bytes payload)
{
    return (struct packet){
        .data = payload.p,
        .captured = (uint32_t)payload.n,
        .length = (uint32_t)payload.n,
        .side = side,
        .tcp_seq = seq,
        .tcp_ack = ack,
        .tcp_flags = flags,
        .has_transport = true,
        .payload_captured = (uint32_t)payload.n,
        .payload_length = (uint32_t)payload.n,
    };
}

static void truth_fill(uint8_t *truth, uint32_t seed)
{
    for (size_t i = 0; i < STREAM_BYTES; i++) truth[i] = (uint8_t)random_next(&seed);
}

// Segments that cover [0, STREAM_BYTES) and some more that repeat parts of it, in nearly sequential
// order.
struct cut {
    uint32_t from, length;
};

static unsigned cuts_make(struct cut *cuts, uint32_t *seed)
{
    unsigned n = 0;
    for (uint32_t at = 0; at < STREAM_BYTES && n < SEGMENTS / 2;) {
        uint32_t length = 1 + random_next(seed) % 400;
        if (length > STREAM_BYTES - at) length = STREAM_BYTES - at;
        cuts[n++] = (struct cut){at, length};
        at += length;
    }
    unsigned sequential = n;
    for (; n < sequential + 60; n++) {
        uint32_t from = random_next(seed) % STREAM_BYTES, length = 1 + random_next(seed) % 900;
        if (length > STREAM_BYTES - from) length = STREAM_BYTES - from;
        cuts[n] = (struct cut){from, length};
    }
    for (unsigned i = 0; i + 1 < n; i++) {
        unsigned j = i + random_next(seed) % (n - i < 12 ? n - i : 12);
        struct cut t = cuts[i];
        cuts[i] = cuts[j];
        cuts[j] = t;
    }
    return n;
}

static void play(uint32_t seed, unsigned lose_one_in)
{
    static uint8_t truth[STREAM_BYTES], sent[STREAM_BYTES];
    static struct cut cuts[SEGMENTS];
    struct fixture f;
    fixture_init(&f);
    f.receivers[0].eats_all = seed % 2;
    f.receivers[0].seed = seed;
    truth_fill(truth, seed);
    memset(sent, 0, sizeof sent);
    uint32_t isn = seed % 3 ? random_next(&seed) : UINT32_MAX - seed % 15000; // many cross 2^32
    uint32_t id = stream_open(f.streams, 7);
    struct packet syn = packet_of(0, isn, 0, TCP_SYN, bytes_of(truth, 0));
    stream_packet(f.streams, id, f.receivers, &syn);
    unsigned n = cuts_make(cuts, &seed);
    uint64_t new_bytes = 0, missed = 0;
    for (unsigned i = 0; i < n; i++) {
        if (lose_one_in && random_next(&seed) % lose_one_in == 0) continue;
        memset(sent + cuts[i].from, 1, cuts[i].length);
        struct packet p = packet_of(0, isn + 1 + cuts[i].from, 0, TCP_ACK,
                                    bytes_of(truth + cuts[i].from, cuts[i].length));
        struct stream_effect e = stream_packet(f.streams, id, f.receivers, &p);
        new_bytes += e.new_bytes;
        missed += e.missed_bytes;
    }
    struct packet fin =
        packet_of(0, isn + 1 + STREAM_BYTES, 0, TCP_FIN | TCP_ACK, bytes_of(truth, 0));
    stream_packet(f.streams, id, f.receivers, &fin);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    uint64_t there = 0;
    struct receiver *r = &f.receivers[0];
    for (size_t i = 0; i < STREAM_BYTES; i++) {
        there += sent[i];
        if (!sent[i]) assert_int_not_equal(r->known[i], 1);
        if (r->known[i] == 1) assert_int_equal(r->bytes[i], truth[i]);
        if (r->eats_all && sent[i]) assert_int_equal(r->known[i], 1);
    }
    assert_int_equal(new_bytes, there);
    assert_int_equal(missed + rest[0], STREAM_BYTES - there);
    assert_int_equal(r->gap_bytes, STREAM_BYTES - there);
    assert_int_equal(r->missed_bytes, STREAM_BYTES - there);
    assert_true(r->last && r->closed);
    fixture_deinit(&f);
}

static void random_order_gives_the_truth(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= ROUNDS; seed++) play(seed * 7919, 0);
}

static void random_loss_gives_the_truth_and_its_gaps(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= ROUNDS; seed++) play(seed * 104729, 20);
}

// A hole that the receiver acknowledged becomes a gap after GAP_PATIENCE packets, not before and
// not without.
static void acknowledged_hole_becomes_a_gap(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghijklmnopqrstuvwxyz";
    uint32_t id = stream_open(f.streams, 0);
    struct packet first = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
    struct packet later = packet_of(0, 110, 0, TCP_ACK, bytes_of(text + 10, 5));
    stream_packet(f.streams, id, f.receivers, &first);
    stream_packet(f.streams, id, f.receivers, &later);
    struct packet ack = packet_of(1, 1, 115, TCP_ACK, bytes_of(text, 0));
    for (int i = 0; i < GAP_PATIENCE; i++) {
        stream_packet(f.streams, id, f.receivers, &ack);
        assert_int_equal(f.receivers[0].gap_bytes, 0);
    }
    struct stream_effect e = stream_packet(f.streams, id, f.receivers, &ack);
    assert_int_equal(e.missed_other, 5);
    assert_int_equal(f.receivers[0].gap_bytes, 5);
    assert_int_equal(f.receivers[0].at, 15);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(rest[0], 0);
    fixture_deinit(&f);
}

static void keep_alive_is_no_payload(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdef";
    uint32_t id = stream_open(f.streams, 0);
    struct packet first = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
    stream_packet(f.streams, id, f.receivers, &first);
    struct packet alive = packet_of(0, 104, 0, TCP_ACK, bytes_of(text + 5, 1));
    struct stream_effect e = stream_packet(f.streams, id, f.receivers, &alive);
    assert_int_equal(e.new_bytes, 0);
    assert_false(e.retransmit);
    struct packet again = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
    e = stream_packet(f.streams, id, f.receivers, &again);
    assert_true(e.retransmit);
    // So does one before the first byte.
    struct packet syn = packet_of(1, 500, 0, TCP_SYN | TCP_ACK, bytes_of(text, 0));
    struct packet early = packet_of(1, 500, 0, TCP_ACK, bytes_of(text, 1));
    stream_packet(f.streams, id, f.receivers, &syn);
    e = stream_packet(f.streams, id, f.receivers, &early);
    assert_true(!e.new_bytes && !e.retransmit);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(f.receivers[0].at, 5);
    assert_true(f.receivers[0].last && !f.receivers[0].closed);
    fixture_deinit(&f);
}

static void data_in_syn_and_half_close(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet syn = packet_of(0, 100, 0, TCP_SYN, bytes_of(text, 4));
    stream_packet(f.streams, id, f.receivers, &syn);
    struct packet end = packet_of(0, 105, 0, TCP_FIN | TCP_ACK, bytes_of(text + 4, 2));
    stream_packet(f.streams, id, f.receivers, &end);
    assert_int_equal(f.receivers[0].at, 6);
    assert_false(f.receivers[0].last);
    struct packet answer = packet_of(1, 500, 108, TCP_ACK, bytes_of(text, 10));
    stream_packet(f.streams, id, f.receivers, &answer);
    assert_true(f.receivers[0].last && f.receivers[0].closed);
    assert_int_equal(f.receivers[1].at, 10);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(rest[0] + rest[1], 0);
    fixture_deinit(&f);
}

// The server answers a second SYN with another number; its bytes begin behind that.
static void syn_ack_sent_anew(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet first = packet_of(1, 500, 101, TCP_SYN | TCP_ACK, bytes_of(text, 0));
    struct packet anew = packet_of(1, 900000, 101, TCP_SYN | TCP_ACK, bytes_of(text, 0));
    struct packet data = packet_of(1, 900001, 101, TCP_ACK, bytes_of(text, 10));
    stream_packet(f.streams, id, f.receivers, &first);
    stream_packet(f.streams, id, f.receivers, &anew);
    struct packet ack = packet_of(0, 101, 900001, TCP_ACK, bytes_of(text, 0));
    stream_packet(f.streams, id, f.receivers, &ack);
    stream_packet(f.streams, id, f.receivers, &first); // too late to count
    stream_packet(f.streams, id, f.receivers, &data);
    assert_int_equal(f.receivers[1].at, 10);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(rest[0] + rest[1], 0);
    assert_int_equal(f.receivers[1].missed_bytes, 0);
    fixture_deinit(&f);
}

static void snap_length_is_not_loss(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet p = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 4));
    p.payload_length = 100;
    stream_packet(f.streams, id, f.receivers, &p);
    p = packet_of(0, 200, 0, TCP_ACK, bytes_of(text, 10));
    struct stream_effect e = stream_packet(f.streams, id, f.receivers, &p);
    assert_int_equal(e.missed_bytes, 0);
    assert_int_equal(f.receivers[0].cut_bytes, 96);
    assert_int_equal(f.receivers[0].gap_bytes, 0);
    assert_int_equal(f.receivers[0].at, 110);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    fixture_deinit(&f);
}

// What waits behind a hole is bounded, and what the bound costs is a gap.
static void held_bytes_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[1000] = {0};
    f.receivers[0].ignores = true;
    uint32_t id = stream_open(f.streams, 3);
    struct packet first = packet_of(0, 0, 0, TCP_SYN, bytes_of(text, 0));
    stream_packet(f.streams, id, f.receivers, &first);
    uint64_t missed = 0;
    for (uint32_t i = 0; i < 1200; i++) {
        struct packet p = packet_of(0, 11 + i * 1000 % 16000000, 0, TCP_ACK, bytes_of(text, 10));
        missed += stream_packet(f.streams, id, f.receivers, &p).missed_bytes;
        assert_true(streams_held(f.streams) <= STREAM_HELD_MAX + 65536);
    }
    assert_true(missed > 0);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    fixture_deinit(&f);
}

// Whoever keeps the account hears of every gap whole, also where the consumer skips or looks no
// more.
static void account_of_gaps_is_whole(void **state)
{
    (void)state;
    for (uint64_t skips = 0; skips < 2; skips++) {
        struct fixture f;
        fixture_init(&f);
        uint8_t text[] = "abcdefghij";
        f.receivers[0].ignores = true;
        f.receivers[0].skips = skips * 1000;
        f.receivers[0].deaf = !skips;
        uint32_t id = stream_open(f.streams, 0);
        struct packet first = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
        struct packet later = packet_of(0, 125, 0, TCP_ACK, bytes_of(text, 5));
        stream_packet(f.streams, id, f.receivers, &first);
        stream_packet(f.streams, id, f.receivers, &later);
        uint64_t rest[2];
        stream_close(f.streams, id, f.receivers, rest);
        assert_int_equal(rest[0], 20);
        assert_int_equal(f.receivers[0].missed_bytes, 20);
        assert_int_equal(f.receivers[0].gap_bytes, 0);
        fixture_deinit(&f);
    }
}

// Where the FIN was seen, the number it took is no byte that is missing.
static void acknowledged_fin_is_no_byte(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet first = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
    struct packet end = packet_of(0, 110, 0, TCP_ACK | TCP_FIN, bytes_of(text, 0));
    struct packet ack = packet_of(1, 1, 111, TCP_ACK, bytes_of(text, 0));
    stream_packet(f.streams, id, f.receivers, &first);
    stream_packet(f.streams, id, f.receivers, &end);
    stream_packet(f.streams, id, f.receivers, &ack);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(rest[0], 5);
    assert_int_equal(f.receivers[0].gap_bytes, 5);
    assert_true(f.receivers[0].closed);
    fixture_deinit(&f);
}

// One packet that nothing confirms makes no gap of megabytes, before its FIN nor instead of it.
static void a_wild_packet_is_a_stray(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet first = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
    struct packet wild = packet_of(0, 100 + (1u << 30), 0, TCP_ACK | TCP_FIN, bytes_of(text, 5));
    struct packet hole = packet_of(0, 110, 0, TCP_ACK, bytes_of(text + 7, 3));
    struct packet ack = packet_of(1, 1, 110, TCP_ACK, bytes_of(text, 0));
    stream_packet(f.streams, id, f.receivers, &first);
    stream_packet(f.streams, id, f.receivers, &wild);
    for (int i = 0; i <= GAP_PATIENCE; i++) stream_packet(f.streams, id, f.receivers, &ack);
    // Only what was acknowledged is a gap, though what is held lies further ahead.
    assert_int_equal(f.receivers[0].gap_bytes, 5);
    stream_packet(f.streams, id, f.receivers, &hole);
    struct packet end = packet_of(0, 113, 0, TCP_ACK | TCP_FIN, bytes_of(text, 0));
    struct packet taken = packet_of(1, 1, 114, TCP_ACK, bytes_of(text, 0));
    stream_packet(f.streams, id, f.receivers, &end);
    stream_packet(f.streams, id, f.receivers, &taken);
    assert_true(f.receivers[0].closed);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(rest[0], 0);
    assert_int_equal(f.receivers[0].gap_bytes, 5);
    assert_int_equal(f.receivers[0].strayed, 5);
    fixture_deinit(&f);
}

// A capture that lost megabytes shows what came behind: several segments, or one that is
// acknowledged, are believed.
static void a_large_loss_is_believed(void **state)
{
    (void)state;
    for (int confirmed = 0; confirmed < 2; confirmed++) {
        struct fixture f;
        fixture_init(&f);
        f.receivers[0].ignores = true;
        uint8_t text[] = "abcdefghij";
        const uint32_t far = 100 + (1u << 25);
        uint32_t id = stream_open(f.streams, 0);
        struct packet first = packet_of(0, 95, 0, TCP_ACK, bytes_of(text, 5));
        struct packet later = packet_of(0, far, 0, TCP_ACK, bytes_of(text, 5));
        struct packet next = packet_of(0, far + 5, 0, TCP_ACK, bytes_of(text, 5));
        struct packet ack = packet_of(1, 1, far + 5, TCP_ACK, bytes_of(text, 0));
        stream_packet(f.streams, id, f.receivers, &first);
        stream_packet(f.streams, id, f.receivers, &later);
        stream_packet(f.streams, id, f.receivers, confirmed ? &ack : &next);
        uint64_t rest[2];
        stream_close(f.streams, id, f.receivers, rest);
        assert_int_equal(rest[0], 1u << 25);
        assert_int_equal(f.receivers[0].strayed, 0);
        fixture_deinit(&f);
    }
}

// What comes behind the FIN that was acknowledged is counted, and neither a gap nor sent again.
static void data_behind_the_fin_strays(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet behind = packet_of(0, 120, 0, TCP_ACK, bytes_of(text, 4));
    struct packet end = packet_of(0, 105, 0, TCP_ACK | TCP_FIN, bytes_of(text, 5));
    struct packet first = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
    struct packet start = packet_of(0, 99, 0, TCP_SYN, bytes_of(text, 0));
    stream_packet(f.streams, id, f.receivers, &start);
    stream_packet(f.streams, id, f.receivers, &behind);
    stream_packet(f.streams, id, f.receivers, &end);
    assert_int_equal(f.receivers[0].at, 0);
    stream_packet(f.streams, id, f.receivers, &first);
    assert_int_equal(f.receivers[0].at, 10);
    assert_false(f.receivers[0].closed);
    struct packet taken = packet_of(1, 1, 111, TCP_ACK, bytes_of(text, 0));
    stream_packet(f.streams, id, f.receivers, &taken);
    assert_true(f.receivers[0].closed);
    assert_true(stream_packet(f.streams, id, f.receivers, &end).retransmit);
    assert_false(stream_packet(f.streams, id, f.receivers, &behind).retransmit);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(rest[0], 0);
    assert_int_equal(f.receivers[0].strayed, 4 + 4);
    fixture_deinit(&f);
}

// What stands before the first byte seen has no place in the stream, and is counted.
static void data_before_the_first_byte_strays(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet first = packet_of(0, 100, 0, TCP_ACK, bytes_of(text, 5));
    struct packet before = packet_of(0, 90, 0, TCP_ACK, bytes_of(text, 4));
    struct packet across = packet_of(0, 98, 0, TCP_ACK, bytes_of("xyabc", 5));
    stream_packet(f.streams, id, f.receivers, &first);
    assert_false(stream_packet(f.streams, id, f.receivers, &before).retransmit);
    assert_true(stream_packet(f.streams, id, f.receivers, &across).retransmit);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(f.receivers[0].at, 5);
    assert_int_equal(f.receivers[0].strayed, 4 + 2);
    fixture_deinit(&f);
}

// A FIN that its receiver did not take hides nothing; neither does a SYN with other numbers.
static void an_end_that_nobody_took(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint8_t text[] = "abcdefghij";
    uint32_t id = stream_open(f.streams, 0);
    struct packet start = packet_of(0, 99, 0, TCP_SYN, bytes_of(text, 0));
    struct packet answer = packet_of(1, 7, 100, TCP_SYN | TCP_ACK, bytes_of(text, 0));
    struct packet false_start = packet_of(0, 50000, 0, TCP_SYN, bytes_of(text, 0));
    struct packet first = packet_of(0, 100, 8, TCP_ACK, bytes_of(text, 5));
    struct packet false_end = packet_of(0, 105, 8, TCP_ACK | TCP_FIN, bytes_of(text, 0));
    struct packet more = packet_of(0, 105, 8, TCP_ACK, bytes_of(text + 5, 5));
    struct packet end = packet_of(0, 110, 8, TCP_ACK | TCP_FIN, bytes_of(text, 0));
    struct packet taken = packet_of(1, 8, 111, TCP_ACK, bytes_of(text, 0));
    const struct packet *all[] = {&start,     &answer, &false_start, &first,
                                  &false_end, &more,   &end,         &taken};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_false(f.receivers[0].closed);
        stream_packet(f.streams, id, f.receivers, all[i]);
    }
    assert_int_equal(f.receivers[0].at, 10);
    assert_true(f.receivers[0].closed);
    uint64_t rest[2];
    stream_close(f.streams, id, f.receivers, rest);
    assert_int_equal(rest[0] + f.receivers[0].strayed + f.receivers[0].gap_bytes, 0);
    fixture_deinit(&f);
}

// A consumer that wants more than there can be loses what it did not read, hears of it, and goes
// on.
struct glutton {
    uint64_t gaps, shown;
};

static struct stream_consumed glutton_show(void *context, void *owner,
                                           const struct stream_view *view)
{
    (void)context;
    struct glutton *g = owner;
    g->shown = view->position + view->data.n;
    return (struct stream_consumed){.want = view->data.n + 1};
}

static bool glutton_gap(void *context, void *owner, uint8_t side, uint64_t position,
                        uint64_t length, enum gap_kind kind)
{
    (void)context;
    (void)side;
    struct glutton *g = owner;
    assert_int_equal(kind, GAP_UNREAD);
    assert_int_equal(position, g->gaps);
    g->gaps += length;
    return true;
}

static void a_full_view_is_a_gap(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    static uint8_t text[1400];
    struct glutton g = {0};
    struct stream_hooks hooks = {f.receivers, glutton_show, glutton_gap, NULL,
                                 NULL,        NULL,         NULL,        NULL};
    struct streams *streams = streams_create(1, &f.blocks, hooks, NULL);
    uint32_t id = stream_open(streams, 0);
    for (uint32_t i = 0; i < 200; i++) {
        struct packet p = packet_of(0, i * 1400, 0, TCP_ACK, bytes_of(text, sizeof text));
        stream_packet(streams, id, &g, &p);
    }
    uint64_t rest[2];
    stream_close(streams, id, &g, rest);
    assert_true(g.gaps >= 3 * STREAM_VIEW_SIZE);
    assert_int_equal(g.shown, 200 * 1400);
    assert_int_equal(rest[0], 0);
    assert_int_equal(streams_held(streams), 0);
    streams_destroy(streams);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_order_gives_the_truth),
        cmocka_unit_test(random_loss_gives_the_truth_and_its_gaps),
        cmocka_unit_test(acknowledged_hole_becomes_a_gap),
        cmocka_unit_test(keep_alive_is_no_payload),
        cmocka_unit_test(data_in_syn_and_half_close),
        cmocka_unit_test(syn_ack_sent_anew),
        cmocka_unit_test(snap_length_is_not_loss),
        cmocka_unit_test(held_bytes_are_bounded),
        cmocka_unit_test(a_wild_packet_is_a_stray),
        cmocka_unit_test(a_large_loss_is_believed),
        cmocka_unit_test(data_behind_the_fin_strays),
        cmocka_unit_test(data_before_the_first_byte_strays),
        cmocka_unit_test(an_end_that_nobody_took),
        cmocka_unit_test(a_full_view_is_a_gap),
        cmocka_unit_test(account_of_gaps_is_whole),
        cmocka_unit_test(acknowledged_fin_is_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
