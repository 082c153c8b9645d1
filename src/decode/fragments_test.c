#include "decode/fragments.h"

#include "base/random.h"
#include "decode/datagrams.h"
#include "decode/decode_test.h"

// What a decoder does with a sequence of fragments, given in batches of any size.

enum { LINK_IPV4 = 228, LINK_IPV6 = 229, SRC = 0x0a000001, DST = 0x0a000002, IDENT = 77 };
enum { PIECES_MAX = 64, DATAGRAM_MAX = 4096 };

struct piece {
    uint32_t offset, length;
    bool more;
};

struct scene {
    struct decoder *decoder;
    struct packet_batch *batch;
    uint32_t batch_size;
    uint64_t frames; // so far; the ordinal of the next
    nanos time;
    bool is_v6;
    uint32_t src, ident;
    uint8_t datagram[DATAGRAM_MAX];
    uint32_t length;

    // What came out.
    uint64_t joined, joined_frames, ambiguities, again;
    struct packet last;
    uint8_t last_bytes[DATAGRAM_MAX + 64];
    uint64_t last_frames[PIECES_MAX];
};

static void note_ambiguity(void *context, const struct fragment_ambiguity *a)
{
    struct scene *s = context;
    assert_true(a->taken.n <= AMBIGUITY_BYTES_MAX && a->other.n <= AMBIGUITY_BYTES_MAX);
    if (!a->is_length) assert_true(a->taken.n == a->other.n && a->taken.p[0] != a->other.p[0]);
    s->ambiguities++;
}

static struct scene *scene_create(void)
{
    struct scene *s = memory_get(sizeof *s);
    s->decoder = memory_get(sizeof *s->decoder);
    decoder_init(s->decoder);
    s->decoder->hooks = (struct decode_hooks){s, NULL, note_ambiguity};
    s->batch = packet_batch_create();
    s->batch_size = 1;
    s->src = SRC;
    s->ident = IDENT;
    return s;
}

static void scene_flush(struct scene *s)
{
    decode_batch(s->decoder, s->batch);
    for (uint32_t i = 0; i < s->batch->count; i++) {
        const struct packet *p = &s->batch->packets[i];
        packet_check(p);
        s->again += p->reason == REASON_FRAGMENT_AGAIN;
        if (p->class_ != PACKET_IP || !p->frame_count) continue;
        s->joined++;
        s->joined_frames += p->frame_count;
        s->last = *p;
        assert_true(p->captured <= sizeof s->last_bytes);
        memcpy(s->last_bytes, p->data, p->captured);
        for (unsigned k = 0; k < p->frame_count && k < PIECES_MAX; k++)
            s->last_frames[k] = p->frames[k].ordinal;
    }
    packet_batch_clear(s->batch);
}

// All counts hold, and nothing is held at the end.
static void scene_end(struct scene *s)
{
    scene_flush(s);
    decoder_end(s->decoder);
    struct trial t = {s->decoder, s->batch};
    trial_check_sums(&t);
    assert_int_equal(s->decoder->classes[PACKET_HELD], 0);
    assert_int_equal(s->decoder->packets, s->frames);
    if (s->decoder->fragments) {
        assert_int_equal(s->decoder->fragments->datagrams.used, 0);
        assert_int_equal(s->decoder->fragments->sources.used, 0);
        assert_int_equal(s->decoder->fragments->blocks.bytes_used, 0);
        assert_int_equal(s->decoder->fragments->bytes, 0);
    }
    decoder_deinit(s->decoder);
    memory_free(s->decoder);
    packet_batch_destroy(s->batch);
    memory_free(s);
}

static void frame_piece(struct frame *f, const struct scene *s, const struct piece *piece)
{
    if (s->is_v6) {
        frame_ipv6(f, 1, 2, 44, 8 + piece->length);
        frame_hex(f, "11 00");
        frame_be(f, piece->offset | piece->more, 2);
        frame_be(f, s->ident, 4);
    } else {
        frame_ipv4(f, s->src, DST, IP_UDP, piece->length);
        f->bytes[4] = (uint8_t)(s->ident >> 8), f->bytes[5] = (uint8_t)s->ident;
        uint32_t field = piece->offset / 8 | (piece->more ? 0x2000u : 0);
        f->bytes[6] = (uint8_t)(field >> 8), f->bytes[7] = (uint8_t)field;
    }
}

static void scene_put(struct scene *s, const struct piece *piece, const uint8_t *data)
{
    struct frame f = {.n = 0};
    frame_piece(&f, s, piece);
    frame_put(&f, data, piece->length);
    struct packet_buffer *buffer = packet_buffer_create((uint32_t)f.n);
    memcpy(buffer->data, f.bytes, f.n);
    struct packet *p = &s->batch->packets[s->batch->count++];
    memset(p, 0xa5, sizeof *p);
    *p = (struct packet){.data = buffer->data,
                         .captured = (uint32_t)f.n,
                         .length = (uint32_t)f.n,
                         .link_type = s->is_v6 ? LINK_IPV6 : LINK_IPV4,
                         .time = s->time,
                         .ordinal = s->frames++};
    assert_true(packet_batch_keep(s->batch, buffer));
    packet_buffer_unref(buffer);
    if (s->batch->count >= s->batch_size) scene_flush(s);
}

static void scene_piece(struct scene *s, struct piece piece)
{
    scene_put(s, &piece, s->datagram + piece.offset);
}

// UDP of `length` bytes, header and all.
static void scene_datagram(struct scene *s, uint32_t length, uint64_t *random)
{
    s->length = length;
    for (uint32_t i = 0; i < length; i++) s->datagram[i] = (uint8_t)random_next(random);
    static const uint8_t ports[] = {0x03, 0xe8, 0x03, 0xe9};
    memcpy(s->datagram, ports, sizeof ports);
    s->datagram[4] = (uint8_t)(length >> 8), s->datagram[5] = (uint8_t)length;
}

static void check_whole(const struct scene *s, uint32_t frames)
{
    const struct packet *p = &s->last;
    uint32_t header = s->is_v6 ? 40 : 20;
    assert_int_equal(p->length, header + s->length);
    assert_memory_equal(s->last_bytes + header, s->datagram, s->length);
    assert_int_equal(p->key.port_a, 1000);
    assert_int_equal(p->payload_length, s->length - 8);
    assert_int_equal(p->frame_count, frames - 1);
    assert_int_equal(p->pieces, frames);
    assert_int_equal(p->network_offset, 0);
}

// ---- tests --------------------------------------------------------------------------------------

// Cut at random into pieces of multiples of 8, some of them twice, some overlapping with equal
// bytes, in any order.
static size_t random_pieces(const struct scene *s, struct piece *pieces, uint64_t *random)
{
    size_t n = 0;
    for (uint32_t at = 0; at < s->length;) {
        uint32_t length = (uint32_t)(1 + random_below(random, 40)) * 8;
        if (length > s->length - at || n == PIECES_MAX / 2) length = s->length - at;
        pieces[n++] = (struct piece){at, length, at + length < s->length};
        at += length;
    }
    size_t cuts = n;
    for (size_t extra = random_below(random, 4); extra > 0; extra--) {
        struct piece again = pieces[random_below(random, cuts)];
        if (random_below(random, 2) && again.offset >= 16) again.offset -= 16, again.length += 16;
        pieces[n++] = again;
    }
    for (size_t i = n; i > 1; i--) {
        size_t k = random_below(random, i);
        struct piece swap = pieces[k];
        pieces[k] = pieces[i - 1], pieces[i - 1] = swap;
    }
    return n;
}

static void any_order_gives_the_datagram(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        uint64_t random = seed * 7919;
        struct scene *s = scene_create();
        s->is_v6 = seed & 1;
        s->batch_size = (uint32_t)(1 + random_below(&random, 5));
        scene_datagram(s, (uint32_t)(17 + random_below(&random, 1400)), &random);
        struct piece pieces[PIECES_MAX];
        size_t n = random_pieces(s, pieces, &random);
        if (n < 2) pieces[0].more = true; // whole in one piece: that is no fragment
        for (size_t i = 0; i < n; i++) scene_piece(s, pieces[i]);
        scene_flush(s);
        if (n >= 2 && s->joined) {
            assert_int_equal(s->ambiguities, 0);
            check_whole(s, s->last.pieces);
            assert_int_equal(s->decoder->reasons[REASON_FRAGMENT_JOINED], s->joined_frames);
        }
        bool has_cuts = false;
        for (size_t i = 0; i < n; i++) has_cuts |= pieces[i].offset != 0;
        if (has_cuts) assert_true(s->joined >= 1);
        scene_end(s);
    }
}

static void frames_are_named(void **state)
{
    (void)state;
    uint64_t random = 5;
    struct scene *s = scene_create();
    scene_datagram(s, 40, &random);
    scene_piece(s, (struct piece){16, 24, false});
    scene_piece(s, (struct piece){8, 8, true});
    scene_piece(s, (struct piece){8, 8, true});
    scene_piece(s, (struct piece){0, 8, true});
    assert_int_equal(s->joined, 1);
    check_whole(s, 4);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(s->last_frames[i], i);
    assert_int_equal(s->last.ordinal, 3);
    assert_int_equal(s->last.ip_length, 4 * 20 + 24 + 8 + 8 + 8);
    // One more that came again belongs to the same conversation; another content begins anew.
    scene_piece(s, (struct piece){8, 8, true});
    assert_int_equal(s->again, 1);
    s->datagram[9] ^= 1;
    scene_piece(s, (struct piece){8, 8, true});
    assert_int_equal(s->again, 1);
    assert_int_equal(s->decoder->reasons[REASON_FRAGMENT_HELD], 1);
    scene_end(s);
}

static void first_bytes_are_taken(void **state)
{
    (void)state;
    uint64_t random = 9;
    struct scene *s = scene_create();
    scene_datagram(s, 48, &random);
    scene_piece(s, (struct piece){0, 24, true});
    uint8_t other[32];
    memset(other, 0xee, sizeof other);
    scene_put(s, &(struct piece){16, 16, true}, other);
    assert_int_equal(s->ambiguities, 1);
    memset(s->datagram + 24, 0xee, 8);
    scene_piece(s, (struct piece){32, 16, false});
    assert_int_equal(s->joined, 1);
    assert_true(s->last.is_ambiguous);
    check_whole(s, 3);
    scene_end(s);
}

static void first_end_is_taken(void **state)
{
    (void)state;
    uint64_t random = 11;
    struct scene *s = scene_create();
    scene_datagram(s, 40, &random);
    scene_piece(s, (struct piece){32, 8, false});
    scene_piece(s, (struct piece){24, 32, true}); // beyond the end
    assert_int_equal(s->ambiguities, 1);
    scene_piece(s, (struct piece){48, 8, false}); // another end
    assert_int_equal(s->ambiguities, 2);
    scene_piece(s, (struct piece){0, 24, true});
    assert_int_equal(s->joined, 1);
    check_whole(s, 4);
    scene_end(s);
}

static void impossible_pieces_are_refused(void **state)
{
    (void)state;
    struct scene *s = scene_create();
    scene_put(s, &(struct piece){8, 0, false}, s->datagram);
    scene_put(s, &(struct piece){8, 7, true}, s->datagram);
    scene_put(s, &(struct piece){65528, 8, false}, s->datagram);
    assert_int_equal(s->decoder->reasons[REASON_BAD_FRAGMENT], 3);
    scene_end(s);
}

static void time_ends_waiting(void **state)
{
    (void)state;
    uint64_t random = 13;
    struct scene *s = scene_create();
    scene_datagram(s, 40, &random);
    scene_piece(s, (struct piece){0, 16, true});
    s->time = FRAGMENT_TIMEOUT_V4 - 1;
    s->is_v6 = true;
    scene_piece(s, (struct piece){0, 16, true});
    s->is_v6 = false;
    assert_int_equal(s->decoder->reasons[REASON_FRAGMENT_TIMEOUT], 0);
    s->time = FRAGMENT_TIMEOUT_V4;
    scene_piece(s, (struct piece){16, 24, false});
    assert_int_equal(s->decoder->reasons[REASON_FRAGMENT_TIMEOUT], 1);
    assert_int_equal(s->joined, 0);
    s->time = FRAGMENT_TIMEOUT_V4 - 1 + FRAGMENT_TIMEOUT_V6;
    scene_piece(s, (struct piece){0, 8, true});
    assert_int_equal(s->decoder->reasons[REASON_FRAGMENT_TIMEOUT], 3);
    scene_end(s);
}

// A sender of endless first pieces loses its own, and nobody else's.
static void floods_are_bounded(void **state)
{
    (void)state;
    uint64_t random = 17;
    struct scene *s = scene_create();
    s->batch_size = PACKETS_MAX;
    scene_datagram(s, 48, &random);
    s->src = SRC + 1;
    scene_piece(s, (struct piece){0, 24, true});
    s->src = SRC;
    for (uint32_t i = 0; i < 40000; i++) {
        s->ident = i & 0xffff;
        scene_piece(s, (struct piece){0, 16, true});
        const struct fragments *f = s->decoder->fragments;
        if (!f) continue;
        assert_true(f->bytes <= FRAGMENT_SOURCE_BYTES_MAX + 8192);
        assert_true(f->datagrams.used <= FRAGMENT_DATAGRAMS_MAX);
    }
    s->src = SRC + 1;
    s->ident = IDENT;
    scene_piece(s, (struct piece){24, 24, false});
    scene_flush(s);
    assert_int_equal(s->joined, 1);
    assert_true(s->decoder->reasons[REASON_FRAGMENT_CAP] > 30000);
    scene_end(s);
}

static void many_senders_are_bounded(void **state)
{
    (void)state;
    uint64_t random = 19;
    struct scene *s = scene_create();
    s->batch_size = PACKETS_MAX;
    scene_datagram(s, 1400, &random);
    for (uint32_t i = 0; i < 40000; i++) {
        s->src = SRC + i;
        scene_piece(s, (struct piece){8, 1368, true});
        const struct fragments *f = s->decoder->fragments;
        if (f) assert_true(f->bytes <= FRAGMENT_BYTES_MAX);
    }
    scene_flush(s);
    assert_true(s->decoder->reasons[REASON_FRAGMENT_CAP] > 0);
    scene_end(s);
}

static void one_datagram_is_bounded(void **state)
{
    (void)state;
    uint64_t random = 23;
    struct scene *s = scene_create();
    s->batch_size = PACKETS_MAX;
    scene_datagram(s, 1400, &random);
    for (uint32_t i = 0; i < 3 * FRAGMENT_FRAMES_MAX; i++)
        scene_piece(s, (struct piece){8, 8, true});
    scene_flush(s);
    assert_true(s->decoder->reasons[REASON_FRAGMENT_CAP] > FRAGMENT_FRAMES_MAX);
    scene_end(s);
}

// What the snap length cut off is missing from there on, and the datagram is whole all the same.
static void cut_pieces_are_joined(void **state)
{
    (void)state;
    struct scene *s = scene_create();
    struct frame first = {.n = 0}, last = {.n = 0};
    frame_piece(&first, s, &(struct piece){0, 64, true});
    frame_udp(&first, 1000, 1001, 88);
    frame_piece(&last, s, &(struct piece){64, 32, false});
    frame_fill(&last, 'x', 32);
    const struct frame *frames[] = {&last, &first};
    for (unsigned i = 0; i < 2; i++)
        s->batch->packets[s->batch->count++] = (struct packet){.data = frames[i]->bytes,
                                                               .captured = 20 + 30,
                                                               .length = 20 + (i ? 64 : 32),
                                                               .link_type = LINK_IPV4,
                                                               .ordinal = s->frames++};
    scene_flush(s);
    assert_int_equal(s->joined, 1);
    assert_int_equal(s->last.payload_length, 88);
    assert_int_equal(s->last.payload_captured, 22);
    scene_end(s);
}

// A piece that was cut takes nothing away from what came before it.
static void a_cut_piece_again_hides_nothing(void **state)
{
    (void)state;
    struct scene *s = scene_create();
    struct frame pieces[3] = {{.n = 0}};
    frame_piece(&pieces[0], s, &(struct piece){0, 32, true});
    frame_udp(&pieces[0], 1000, 1001, 88);
    pieces[0].n = 20 + 32;
    frame_piece(&pieces[1], s, &(struct piece){8, 64, true});
    frame_fill(&pieces[1], 'u', 64);
    frame_piece(&pieces[2], s, &(struct piece){72, 24, false});
    frame_fill(&pieces[2], 'u', 24);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t length = (uint32_t)pieces[i].n;
        s->batch->packets[s->batch->count++] =
            (struct packet){.data = pieces[i].bytes,
                            .captured = i == 1 ? 20 + 10 : length,
                            .length = length,
                            .link_type = LINK_IPV4,
                            .ordinal = s->frames++};
    }
    scene_flush(s);
    assert_int_equal(s->joined, 1);
    assert_int_equal(s->last.payload_length, 88);
    assert_int_equal(s->last.payload_captured, 32 - 8);
    assert_int_equal(s->ambiguities, 0);
    scene_end(s);
}

// A fragmented tunnel whose inside is a fragment, too: all frames are named.
static void fragments_within_fragments(void **state)
{
    (void)state;
    uint64_t random = 29;
    struct scene *s = scene_create();
    scene_datagram(s, 40, &random);
    for (unsigned half = 0; half < 2; half++) {
        struct piece inner = half ? (struct piece){24, 16, false} : (struct piece){0, 24, true};
        struct frame carried = {.n = 0};
        s->ident = IDENT;
        frame_piece(&carried, s, &inner);
        frame_put(&carried, s->datagram + inner.offset, inner.length);
        s->ident = IDENT + 1 + half;
        for (uint32_t at = 0; at < carried.n; at += 16) {
            uint32_t n = carried.n - at < 16 ? (uint32_t)(carried.n - at) : 16;
            struct frame f = {.n = 0};
            frame_piece(&f, s, &(struct piece){at, n, at + n < carried.n});
            f.bytes[9] = IP_IN_IP;
            frame_put(&f, carried.bytes + at, n);
            uint8_t *copy = s->last_bytes; // only for the call
            memcpy(copy, f.bytes, f.n);
            s->batch->packets[s->batch->count++] = (struct packet){.data = copy,
                                                                   .captured = (uint32_t)f.n,
                                                                   .length = (uint32_t)f.n,
                                                                   .link_type = LINK_IPV4,
                                                                   .ordinal = s->frames++};
            scene_flush(s);
        }
    }
    assert_int_equal(s->joined, 1);
    assert_int_equal(s->frames, 6);
    assert_int_equal(s->last.frame_count, 5);
    assert_int_equal(s->last.pieces, 2);
    assert_int_equal(s->last.tunnel_depth, 1);
    assert_memory_equal(s->last_bytes + 20, s->datagram, 40);
    for (unsigned i = 0; i < 5; i++) assert_int_equal(s->last_frames[i], i);
    scene_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_datagram),
        cmocka_unit_test(frames_are_named),
        cmocka_unit_test(first_bytes_are_taken),
        cmocka_unit_test(first_end_is_taken),
        cmocka_unit_test(impossible_pieces_are_refused),
        cmocka_unit_test(time_ends_waiting),
        cmocka_unit_test(floods_are_bounded),
        cmocka_unit_test(many_senders_are_bounded),
        cmocka_unit_test(one_datagram_is_bounded),
        cmocka_unit_test(cut_pieces_are_joined),
        cmocka_unit_test(a_cut_piece_again_hides_nothing),
        cmocka_unit_test(fragments_within_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
