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

// ---- DVB GSE ------------------------------------------------------------------------------------

enum { WHOLE = 0xc000, FIRST = 0x8000, MIDDLE = 0x0000, LAST = 0x4000, NO_LABEL = 0x2000 };

static void put_gse(struct frame *f, unsigned kind, const char *front, bytes body)
{
    struct frame start = {.n = 0};
    frame_hex(&start, front);
    frame_be(f, kind | NO_LABEL | (start.n + body.n), 2);
    frame_put(f, start.bytes, start.n);
    frame_put(f, body.p, body.n);
}

static bytes inside(uint16_t port)
{
    static struct frame f;
    f.n = 0;
    frame_ipv4(&f, 0x0a000001, 0x0a000002, IP_UDP, 8 + 4);
    frame_udp(&f, 1000, port, 4);
    return bytes_of(f.bytes, f.n);
}

static uint8_t crc8(const uint8_t *p, size_t n)
{
    uint8_t crc = 0;
    for (size_t i = 0; i < 8 * n; i++) {
        bool bit = (crc >> 7 ^ p[i / 8] >> (7 - i % 8)) & 1;
        crc = (uint8_t)(crc << 1 ^ (bit ? 0xd5 : 0));
    }
    return crc;
}

// The field in a base band frame of one input stream, behind `front`, in a datagram between two
// ports that tell nothing.
static struct frame base_band(const char *front, const struct frame *field)
{
    struct frame f = {.n = 0}, head = {.n = 0}, adaptation = {.n = 0};
    frame_hex(&adaptation, front);
    frame_hex(&head, "7200 0000");
    frame_be(&head, 8 * field->n, 2);
    frame_hex(&head, "00 0000");
    frame_be(&head, crc8(head.bytes, head.n), 1);
    size_t size = adaptation.n + head.n + field->n;
    frame_ipv4(&f, 0x33640001, 0x33640002, IP_UDP, 8 + size);
    frame_be(&f, 30000, 2), frame_be(&f, 30001, 2), frame_be(&f, 8 + size, 2), frame_be(&f, 0, 2);
    frame_put(&f, adaptation.bytes, adaptation.n);
    frame_put(&f, head.bytes, head.n);
    frame_put(&f, field->bytes, field->n);
    return f;
}

static const struct packet *decode_field(const struct frame *field)
{
    packet_batch_clear(trial.batch);
    struct frame f = base_band("", field);
    return trial_decode_all(&trial, LINK_RAW, &f);
}

static void packets_of_a_base_band_frame(void **state)
{
    (void)state;
    struct frame field = {.n = 0};
    put_gse(&field, WHOLE, "0800", inside(2000));
    put_gse(&field, WHOLE, "0800", inside(2001));
    frame_fill(&field, 0, 9);
    static const char *const fronts[] = {"", "b801", "b8010203"};
    for (unsigned i = 0; i < 3; i++) {
        packet_batch_clear(trial.batch);
        struct frame f = base_band(fronts[i], &field);
        const struct packet *p = trial_decode_all(&trial, LINK_RAW, &f);
        assert_string_equal(tunnel_name(p->tunnels[0]), "gse");
        assert_int_equal(p->key.port_b, 2000);
        assert_int_equal(trial.batch->more_count, 1);
        assert_int_equal(more_of(0)->key.port_b, 2001);
        assert_int_equal(more_of(0)->payload_captured, 4);
        for (size_t n = 0; n < f.n; n++) {
            packet_batch_clear(trial.batch);
            trial_decode(&trial, LINK_RAW, &f, n, f.n);
        }
    }
    packet_batch_clear(trial.batch);
}

static void what_is_no_base_band_frame_is_left(void **state)
{
    (void)state;
    struct frame field = {.n = 0}, none = {.n = 0};
    put_gse(&field, WHOLE, "0800", inside(2000));
    struct frame f = base_band("", &field);
    for (size_t bit = 0; bit < 80; bit++) { // each of the header's
        f.bytes[28 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(trial_decode_all(&trial, LINK_RAW, &f)->tunnel_depth, 0);
        f.bytes[28 + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(trial_decode_all(&trial, LINK_RAW, &f)->tunnel_depth, 1);
    field.bytes[1]++; // a packet that ends behind the field
    assert_int_equal(decode_field(&field)->tunnel_depth, 0);
    frame_fill(&none, 0, 20); // nothing but padding
    assert_int_equal(decode_field(&none)->tunnel_depth, 0);
}

static void labels_and_extensions_are_skipped(void **state)
{
    (void)state;
    static const struct {
        const char *front;
        enum decode_reason reason;
    } cases[] = {
        {"0100 0800", REASON_OK},
        {"0200 1111 0300 2222 3333 0800", REASON_OK},
        {"0001 020000000001 020000000002 0800", REASON_OK}, // bridged
        {"0081", REASON_TUNNEL_NOT_IP},
        {"0100 0100 0100 0100 0100 0100 0100 0100 0100 0800", REASON_TUNNEL_NOT_IP},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame field = {.n = 0};
        put_gse(&field, WHOLE, cases[i].front, inside(2000));
        assert_int_equal(decode_field(&field)->reason, cases[i].reason);
    }
}

// "0800" and the datagram to port 2000 in three pieces of one identifier.
static const struct packet *decode_piece(unsigned which, uint32_t crc)
{
    struct frame body = {.n = 0}, field = {.n = 0};
    frame_be(&body, ETHERTYPE_IPV4, 2);
    bytes datagram = inside(2000);
    frame_put(&body, datagram.p, datagram.n);
    bytes all = bytes_of(body.bytes, body.n);
    struct frame last = {.n = 0};
    frame_put(&last, body.bytes + 20, body.n - 20);
    frame_be(&last, crc, 4);
    if (which == 0) put_gse(&field, FIRST, "07 0022", bytes_first(all, 10));
    if (which == 1) put_gse(&field, MIDDLE, "07", bytes_first(bytes_after(all, 10), 10));
    if (which == 2) put_gse(&field, LAST, "07", bytes_of(last.bytes, last.n));
    return decode_field(&field);
}

enum { GOOD = 0x5fd10586 }; // by another implementation: tools/record/cases_gse.py

static void pieces_are_joined(void **state)
{
    (void)state;
    assert_int_equal(decode_piece(0, 0)->class_, PACKET_HELD);
    assert_int_equal(decode_piece(1, 0)->class_, PACKET_HELD);
    const struct packet *p = decode_piece(2, GOOD);
    assert_int_equal(p->reason, REASON_OK);
    assert_int_equal(p->key.port_b, 2000);
    assert_int_equal(p->payload_captured, 4);
    assert_int_equal(p->frame_count, 2);
    assert_int_equal(trial.decoder->classes[PACKET_HELD], 0);
}

static void pieces_that_do_not_fit_are_given_up(void **state)
{
    (void)state;
    const uint64_t *reasons = trial.decoder->reasons;
    assert_int_equal(decode_piece(2, GOOD)->reason, REASON_TUNNEL_BROKEN); // an end alone
    decode_piece(0, 0);
    decode_piece(0, 0); // a new start
    assert_int_equal(reasons[REASON_FRAGMENT_REPLACED], 1);
    assert_int_equal(decode_piece(2, GOOD)->reason, REASON_TUNNEL_BROKEN); // the middle is missing
    assert_int_equal(reasons[REASON_BAD_CHECKSUM], 1);
    decode_piece(0, 0), decode_piece(1, 0);
    assert_int_equal(decode_piece(2, GOOD ^ 1)->reason, REASON_TUNNEL_BROKEN);
    assert_int_equal(reasons[REASON_BAD_CHECKSUM], 3);
    decode_piece(0, 0), decode_piece(1, 0), decode_piece(1, 0);
    assert_int_equal(decode_piece(1, 0)->reason, REASON_TUNNEL_BROKEN); // too long
    assert_int_equal(reasons[REASON_BAD_FRAGMENT], 3);
    decode_piece(0, 0);
    decoder_end(trial.decoder);
    assert_int_equal(trial.decoder->classes[PACKET_HELD], 0);
    trial_check_sums(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_an_aggregate_are_packets),
        cmocka_unit_test(parts_are_counted_where_nothing_can_be_made_of_them),
        cmocka_unit_test(their_tunnel_is_one),
        cmocka_unit_test(how_many_is_bounded),
        cmocka_unit_test(packets_of_a_base_band_frame),
        cmocka_unit_test(what_is_no_base_band_frame_is_left),
        cmocka_unit_test(labels_and_extensions_are_skipped),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(pieces_that_do_not_fit_are_given_up),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
