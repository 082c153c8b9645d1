// Frames that hold several packets.
#include "decode/decode_test.h"
#include "decode/layer.h"

static struct trial trial;

static int setup(void **state)
{
    (void)state;
    trial = trial_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trial_destroy(&trial);
    return 0;
}

static const struct packet *more_of(uint32_t index)
{
    assert_true(index < trial.batch->more_count);
    const struct packet *p = &trial.batch->more[index].packet;
    assert_int_equal(trial.batch->more[index].after, 0);
    assert_true(p->is_more);
    packet_check(p);
    return p;
}

// ---- IEEE 802.11 aggregates ---------------------------------------------------------------------

static void put_quality_data(struct frame *f)
{
    frame_hex(f, "8802 0000 020000000001 020000000002 020000000003 1000 8000");
}

// One frame of an aggregate with a datagram to `port`, filled up to four bytes where not the last.
static void put_part(struct frame *f, uint16_t port, size_t payload, bool last)
{
    size_t from = f->n;
    frame_hex(f, "020000000004 020000000005");
    frame_be(f, 8 + 28 + payload, 2);
    frame_hex(f, "aaaa03000000 0800");
    frame_ipv4(f, 0x0a000001, 0x0a000002, IP_UDP, 8 + payload);
    frame_udp(f, 1000, port, payload);
    while (!last && (f->n - from) % 4) frame_fill(f, 0, 1);
}

static void parts_of_an_aggregate_are_packets(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_quality_data(&f);
    put_part(&f, 2000, 5, false), put_part(&f, 2001, 6, false), put_part(&f, 2002, 7, true);
    uint64_t before = trial.decoder->more;
    const struct packet *p = trial_decode_all(&trial, LINK_WLAN, &f);
    assert_int_equal(p->key.port_b, 2000);
    assert_int_equal(p->payload_length, 5);
    assert_false(p->is_more);
    assert_int_equal(trial.batch->more_count, 2);
    assert_int_equal(trial.decoder->more - before, 2);
    assert_int_equal(more_of(0)->key.port_b, 2001);
    assert_int_equal(more_of(0)->payload_length, 6);
    assert_int_equal(more_of(1)->key.port_b, 2002);
    assert_int_equal(more_of(1)->payload_captured, 7);
    packet_batch_clear(trial.batch);
}

static void parts_are_counted_where_nothing_can_be_made_of_them(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_quality_data(&f);
    put_part(&f, 2000, 5, false);
    size_t at = f.n;
    put_part(&f, 2001, 6, true);
    f.bytes[at + 14 + 8] = 0x65; // no version of IP
    assert_int_equal(trial_decode_all(&trial, LINK_WLAN, &f)->reason, REASON_OK);
    assert_int_equal(more_of(0)->class_, PACKET_UNDECODABLE);
    packet_batch_clear(trial.batch);
    // Cut anywhere, all sums hold.
    for (size_t n = 0; n < f.n; n++) {
        trial_decode(&trial, LINK_WLAN, &f, n, f.n);
        packet_batch_clear(trial.batch);
    }
}

// What carries them is told for each, but counts once: those behind the first say so.
static unsigned told, told_more;

static void carried(void *context, struct packet *p, const struct packet *carriers, unsigned n)
{
    (void)context;
    assert_int_equal(n, 1);
    assert_int_equal(carriers[0].key.proto, IP_GRE);
    told++;
    told_more += p->is_more;
}

static void their_tunnel_is_one(void **state)
{
    (void)state;
    struct frame inside = {.n = 0}, f = {.n = 0};
    put_quality_data(&inside);
    put_part(&inside, 2000, 5, false), put_part(&inside, 2001, 6, true);
    frame_ipv4(&f, 0x33640001, 0x33640002, IP_GRE, 4 + inside.n);
    frame_hex(&f, "0000 8200"); // an ethertype of Aruba's
    frame_put(&f, inside.bytes, inside.n);
    trial.decoder->hooks = (struct decode_hooks){.carried = carried};
    const struct packet *p = trial_decode_all(&trial, 228, &f);
    assert_int_equal(p->tunnel_depth, 1);
    assert_int_equal(more_of(0)->tunnel_depth, 1);
    assert_int_equal(told, 2);
    assert_int_equal(told_more, 1);
    trial.decoder->hooks = (struct decode_hooks){0};
    packet_batch_clear(trial.batch);
}

// A frame may say that it holds more than is followed: the rest is one packet of its own.
static void how_many_is_bounded(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_quality_data(&f);
    for (unsigned i = 0; i < FRAME_PACKETS_MAX + 20; i++)
        frame_hex(&f, "020000000004 020000000005 0000 0000");
    uint64_t before = trial.decoder->reasons[REASON_TOO_MANY_LAYERS];
    trial_decode_all(&trial, LINK_WLAN, &f);
    assert_int_equal(trial.batch->more_count, FRAME_PACKETS_MAX - 1);
    assert_int_equal(trial.decoder->reasons[REASON_TOO_MANY_LAYERS], before + 1);
    packet_batch_clear(trial.batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_an_aggregate_are_packets),
        cmocka_unit_test(parts_are_counted_where_nothing_can_be_made_of_them),
        cmocka_unit_test(their_tunnel_is_one),
        cmocka_unit_test(how_many_is_bounded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
