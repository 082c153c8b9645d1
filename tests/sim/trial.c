#include "trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/ambiguity.h"
#include "engine/catalogue.h"
#include "engine/dispatcher.h"
#include "engine/reading.h"
#include "flow/flow.h"
#include "record/kinds.h"

enum { LANES_TRIED = 4, LINK_ETHERNET = 1 };

struct run {
    struct trial *trial;
    struct truth *truth;
    bool compares; // with the truth; else only the digest is made
    uint64_t digest, strayed, conversations, carriers;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct run *r, const char *format, ...)
{
    if (r->trial->wrong[0]) return;
    va_list args;
    va_start(args, format);
    vsnprintf(r->trial->wrong, WRONG_TEXT_MAX, format, args);
    va_end(args);
}

// Tells a difference between numbers, if there is one.
static void same(struct run *r, const char *what, uint64_t expected, uint64_t found)
{
    if (expected == found) return;
    wrong(r, "%s: %llu expected, %llu found", what, (unsigned long long)expected,
          (unsigned long long)found);
}

// ---- who is meant -------------------------------------------------------------------------------

static struct address address_of(const struct endpoint *e)
{
    const uint8_t *b = e->address;
    if (!e->is_v6)
        return address_v4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
    struct reader r = reader_of(bytes_of(b, 16));
    uint64_t hi = read_be64(&r);
    return (struct address){hi, read_be64(&r)};
}

static struct talk *talk_at(struct run *r, nanos first_seen)
{
    struct scene *s = r->truth->scene;
    for (uint32_t i = 0; i < s->talk_count; i++) {
        const struct truth_talk *t = s->talks[i].truth;
        if (t->begun && t->first_seen == first_seen) return &s->talks[i];
    }
    return NULL;
}

// The end of a talk that has this address and port; 2 when neither has.
static unsigned talk_end(const struct talk *t, struct address a, uint64_t port)
{
    for (unsigned i = 0; i < 2; i++)
        if (t->ends[i].port == port && address_equal(address_of(&t->ends[i]), a)) return i;
    return 2;
}

static struct truth_side *side_of(struct run *r, const struct conversation *c, uint8_t side,
                                  const struct talk **talk)
{
    const struct conversation_key *k = &c->key;
    const struct talk *t = *talk = talk_at(r, c->first_seen);
    unsigned end = t ? talk_end(t, side ? k->b : k->a, side ? k->port_b : k->port_a) : 2;
    if (end == 2) {
        wrong(r, "a conversation that nobody had");
        return NULL;
    }
    return &t->truth->side[end];
}

// ---- what is delivered --------------------------------------------------------------------------

static void digest_add(struct run *r, const void *p, size_t n, uint64_t kind)
{
    r->digest += table_hash(p, n, kind);
}

static void compare_piece(struct run *r, unsigned number, struct truth_side *s,
                          const struct stream_delivery *piece)
{
    if (piece->position != s->shown) {
        wrong(r, "talk %u: delivered at %llu, and not at %u", number,
              (unsigned long long)piece->position, s->shown);
        return;
    }
    for (size_t i = 0; i < piece->data.n; i++) {
        uint32_t at = s->shown + (uint32_t)i;
        if (at >= s->next || s->states[at] != BYTE_SEEN)
            wrong(r, "talk %u: byte %u delivered, which was not there", number, at);
        else if (s->taken[at] != piece->data.p[i])
            wrong(r, "talk %u: byte %u is %02x, and not %02x", number, at, piece->data.p[i],
                  s->taken[at]);
        else if (s->times[at] != piece->time)
            wrong(r, "talk %u: byte %u has another time", number, at);
        if (r->trial->wrong[0]) return;
    }
    s->shown += (uint32_t)piece->data.n;
}

static void compare_datagram(struct run *r, unsigned number, struct truth_side *s,
                             const struct stream_delivery *piece)
{
    if (s->shown >= s->datagrams.count) {
        wrong(r, "talk %u: a datagram too many", number);
        return;
    }
    const struct truth_payload *p = s->datagrams.items[s->shown++];
    if (!bytes_equal(p->data, piece->data) || p->position != piece->position)
        wrong(r, "talk %u: datagram %u is another one", number, s->shown - 1);
}

static void watch(void *context, const struct conversation *c, const struct stream_delivery *piece)
{
    struct run *r = context;
    uint64_t name[] = {(uint64_t)c->first_seen, piece->side, piece->position, piece->data.n};
    digest_add(r, name, sizeof name, table_hash(piece->data.p, piece->data.n, 0));
    const struct talk *t;
    struct truth_side *s = r->compares ? side_of(r, c, piece->side, &t) : NULL;
    if (!s) return;
    if (t->is_tcp) compare_piece(r, t->number, s, piece);
    else compare_datagram(r, t->number, s, piece);
}

static void watch_gap(void *context, const struct conversation *c, uint8_t side, uint64_t position,
                      uint64_t length, enum gap_kind kind)
{
    struct run *r = context;
    uint64_t name[] = {(uint64_t)c->first_seen, side, position, length, kind};
    digest_add(r, name, sizeof name, 1);
    const struct talk *t;
    struct truth_side *s = r->compares ? side_of(r, c, side, &t) : NULL;
    if (!s) return;
    enum byte_state state = kind == GAP_CUT ? BYTE_CUT : BYTE_LOST;
    if (position != s->shown || position + length > s->next) {
        wrong(r, "talk %u: gap [%llu, %llu) where %u to %u is expected", t->number,
              (unsigned long long)position, (unsigned long long)(position + length), s->shown,
              s->next);
        return;
    }
    for (; length; length--, s->shown++)
        if (s->states[s->shown] != state)
            wrong(r, "talk %u: byte %u is said to be missing", t->number, s->shown);
}

// ---- records ------------------------------------------------------------------------------------

static void digest_row(struct run *r, const struct record_batch *b, uint32_t row)
{
    const struct record_kind *k = b->kind;
    uint64_t sum = table_hash(k->name, strlen(k->name), 0);
    for (uint32_t i = 0; i < k->field_count; i++) {
        if (!batch_has(b, i, row)) continue;
        enum field_type type = k->fields[i].type;
        unsigned words = field_words(type);
        bool is_heap =
            field_is_list(type) || type == FIELD_TEXT || type == FIELD_HASH || type == FIELD_BLOB;
        bytes v = is_heap ? batch_get_bytes(b, i, row)
                          : bytes_of(b->columns[i].words + (size_t)row * words, words * 8);
        sum = table_hash(v.p, v.n, sum + i);
    }
    r->digest += sum;
}

struct row_at {
    const struct record_batch *batch;
    uint32_t row;
};

static unsigned field_of(struct row_at at, const char *prefix, const char *name)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    int field = kind_field(at.batch->kind, bytes_text(whole));
    assert(field >= 0);
    return (unsigned)field;
}

static uint64_t number_of(struct row_at at, const char *prefix, const char *name)
{
    unsigned field = field_of(at, prefix, name);
    return batch_has(at.batch, field, at.row) ? batch_get(at.batch, field, at.row) : 0;
}

static struct address end_of(struct row_at at, const char *prefix)
{
    return batch_get_address(at.batch, field_of(at, prefix, "addr"), at.row);
}

static void compare_side(struct run *r, const struct talk *t, unsigned end, struct row_at at,
                         const char *prefix)
{
    const struct truth_side *s = &t->truth->side[end];
    struct {
        const char *name;
        uint64_t expected;
        bool tcp_only;
    } rows[] = {
        {"packets", s->packets, false},
        {"bytes", s->bytes, false},
        {"payload_bytes", s->payload_bytes, false},
        {"missed_bytes", s->missed_bytes, true},
        {"retransmits", s->retransmits, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].tcp_only && !t->is_tcp) continue;
        char what[WRONG_TEXT_MAX];
        snprintf(what, sizeof what, "talk %u: %s%s (end %u)", t->number, prefix, rows[i].name, end);
        same(r, what, rows[i].expected, number_of(at, prefix, rows[i].name));
    }
}

static void compare_carrier(struct run *r, struct row_at at)
{
    r->carriers++;
    nanos first_seen = (nanos)number_of(at, "", "first_seen");
    struct address src = end_of(at, "src_");
    for (uint32_t i = 0; i < r->truth->carrier_count; i++) {
        const struct truth_carrier *c = &r->truth->carriers[i];
        if (!c->begun || c->first_seen != first_seen || c->proto != number_of(at, "", "proto"))
            continue;
        bool turned = address_equal(address_of(&c->of->ends[1]), src);
        if (!turned && !address_equal(address_of(&c->of->ends[0]), src)) continue;
        same(r, "carrier: src_packets", c->packets[turned], number_of(at, "src_", "packets"));
        same(r, "carrier: dst_packets", c->packets[!turned], number_of(at, "dst_", "packets"));
        same(r, "carrier: src_bytes", c->bytes[turned], number_of(at, "src_", "bytes"));
        same(r, "carrier: dst_bytes", c->bytes[!turned], number_of(at, "dst_", "bytes"));
        return;
    }
    wrong(r, "a carrier that there was not");
}

static void compare_conversation(struct run *r, struct row_at at)
{
    if (number_of(at, "", "carries")) {
        compare_carrier(r, at);
        return;
    }
    r->conversations++;
    const struct talk *t = talk_at(r, (nanos)number_of(at, "", "first_seen"));
    unsigned src = t ? talk_end(t, end_of(at, "src_"), number_of(at, "src_", "port")) : 2;
    if (src == 2) {
        wrong(r, "a conversation that nobody had");
        return;
    }
    compare_side(r, t, src, at, "src_");
    compare_side(r, t, !src, at, "dst_");
    same(r, "last_seen", (uint64_t)t->truth->last_seen, number_of(at, "", "last_seen"));
    // A SYN tells who began, even if it was not the first packet.
    if (t->truth->first_flags & SYN && !(t->truth->first_flags & ACK))
        same(r, "who began", t->truth->first_side, src);
}

static void compare_difference(struct run *r, struct row_at at)
{
    const struct record_batch *b = at.batch;
    nanos time = (nanos)batch_get(b, COMMON_TS, at.row);
    struct list *all = &r->truth->differences;
    for (uint32_t i = 0; i < all->count; i++) {
        struct truth_difference *d = all->items[i];
        if (d->told || d->time != time ||
            d->identification != batch_get(b, AMBIGUITY_DATAGRAM, at.row))
            continue;
        d->told = true;
        same(r, "offset of a difference", d->offset, batch_get(b, AMBIGUITY_OFFSET, at.row));
        same(r, "length of a difference", d->length, batch_get(b, AMBIGUITY_LENGTH, at.row));
        return;
    }
    wrong(r, "a difference between pieces that there was not");
}

static bool is_reading(struct row_at at, unsigned field, bytes expected)
{
    bytes found = {0};
    if (batch_has(at.batch, field, at.row)) found = batch_get_bytes(at.batch, field, at.row);
    return bytes_equal(found, bytes_first(expected, STREAM_AMBIGUITY_BYTES));
}

// The talk in which a record was made.
static const struct talk *talk_of_record(struct run *r, struct row_at at)
{
    struct record_id id = batch_get_id(at.batch, COMMON_CONVERSATION_ID, at.row);
    for (uint32_t i = 0; i < r->truth->scene->talk_count; i++) {
        const struct talk *t = &r->truth->scene->talks[i];
        uint64_t began = (uint64_t)(t->truth->first_seen / NANOS_PER_MICRO);
        if (t->truth->begun && id.time_us == began &&
            talk_end(t, end_of(at, "src_"), number_of(at, "src_", "port")) < 2)
            return t;
    }
    return NULL;
}

static void compare_reading(struct run *r, struct row_at at, const struct talk *t,
                            const struct truth_ambiguity *a)
{
    bytes policy = batch_get_bytes(at.batch, AMBIGUITY_POLICY, at.row);
    bytes layer = batch_get_bytes(at.batch, AMBIGUITY_LAYER, at.row);
    if (!bytes_equal(layer, bytes_text(a->of_fragments ? "ip" : "tcp")) ||
        !bytes_equal(policy, bytes_text(a->policy)))
        wrong(r, "talk %u: difference at %u: not %s, but %.*s", t->number, a->position, a->policy,
              (int)policy.n, (const char *)policy.p);
    if (!is_reading(at, AMBIGUITY_TAKEN, a->taken) || !is_reading(at, AMBIGUITY_OTHER, a->other))
        wrong(r, "talk %u: difference at %u: other readings", t->number, a->position);
}

static bool talk_is_forgetful(const struct talk *t)
{
    return t->truth->side[0].is_forgetful || t->truth->side[1].is_forgetful;
}

// Records of a talk come in the order in which the differences were found.
static void compare_ambiguity(struct run *r, struct row_at at)
{
    const struct record_batch *b = at.batch;
    const struct talk *t = talk_of_record(r, at);
    if (t && talk_is_forgetful(t)) return;
    if (!t || t->truth->ambiguities_told == t->truth->ambiguities.count) {
        wrong(r, "a difference that there was not");
        return;
    }
    const struct truth_ambiguity *a = t->truth->ambiguities.items[t->truth->ambiguities_told++];
    unsigned end = talk_end(t, end_of(at, "src_"), number_of(at, "src_", "port"));
    if (bytes_equal(batch_get_bytes(b, AMBIGUITY_SIDE, at.row), bytes_text("dst"))) end ^= 1;
    uint64_t position = batch_get(b, AMBIGUITY_OFFSET, at.row);
    uint64_t length = batch_get(b, AMBIGUITY_LENGTH, at.row);
    if (a->position == position && a->length == length && a->end == end &&
        a->time == (nanos)batch_get(b, COMMON_TS, at.row)) {
        compare_reading(r, at, t, a);
        return;
    }
    wrong(r, "talk %u: difference %u is [%u, %u) of end %u, found [%llu, %llu) of end %u",
          t->number, t->truth->ambiguities_told - 1, a->position, a->position + a->length, a->end,
          (unsigned long long)position, (unsigned long long)(position + length), end);
}

static void take_row(struct run *r, struct row_at at)
{
    const struct record_kind *k = at.batch->kind;
    digest_row(r, at.batch, at.row);
    if (!r->compares) return;
    if (k == &conversation_kind) compare_conversation(r, at);
    bool is_datagram = k == &ambiguity_kind && batch_has(at.batch, AMBIGUITY_DATAGRAM, at.row);
    if (is_datagram) compare_difference(r, at);
    else if (k == &ambiguity_kind) compare_ambiguity(r, at);
    if (k == &loss_kind &&
        bytes_equal(batch_get_bytes(at.batch, LOSS_REASON, at.row), bytes_text("out_of_window")))
        r->strayed += batch_get(at.batch, LOSS_BYTES, at.row);
}

static void take(void *context, const struct record_batch *batch)
{
    for (uint32_t i = 0; i < batch->rows; i++) take_row(context, (struct row_at){batch, i});
}

// ---- what must be there -------------------------------------------------------------------------

static void compare_ambiguity_count(struct run *r, const struct talk *t)
{
    uint32_t expected = t->truth->ambiguities.count;
    if (expected > AMBIGUITIES_MAX) expected = AMBIGUITIES_MAX;
    char what[64];
    snprintf(what, sizeof what, "talk %u: differences", t->number);
    if (!talk_is_forgetful(t)) same(r, what, expected, t->truth->ambiguities_told);
}

static void compare_talks(struct run *r)
{
    const struct truth *truth = r->truth;
    uint64_t strayed = 0, carriers = 0;
    for (uint32_t i = 0; i < truth->scene->talk_count; i++) {
        const struct talk *t = &truth->scene->talks[i];
        for (unsigned end = 0; end < 2; end++) {
            const struct truth_side *s = &t->truth->side[end];
            strayed += s->strayed;
            char what[64];
            snprintf(what, sizeof what, "talk %u, end %u: delivered", t->number, end);
            same(r, what, t->is_tcp ? s->next : s->datagrams.count, s->shown);
        }
        compare_ambiguity_count(r, t);
    }
    for (uint32_t i = 0; i < truth->carrier_count; i++) carriers += truth->carriers[i].begun;
    for (uint32_t i = 0; i < truth->differences.count; i++) {
        const struct truth_difference *d = truth->differences.items[i];
        if (!d->told) wrong(r, "a difference in datagram %u was not told", d->identification);
    }
    same(r, "conversations", truth->talks, r->conversations);
    same(r, "carriers", carriers, r->carriers);
    same(r, "bytes out of window", strayed, r->strayed);
}

static void compare_counts(struct run *r, const struct decoder *d)
{
    const struct truth *t = r->truth;
    same(r, "frames", t->scene->frames.count, d->packets);
    same(r, "frames that end a message", t->done, d->reasons[REASON_OK]);
    same(r, "frames joined", t->joined, d->reasons[REASON_FRAGMENT_JOINED]);
    same(r, "frames that came again", t->again, d->reasons[REASON_FRAGMENT_AGAIN]);
    same(r, "frames of incomplete datagrams", t->incomplete, d->reasons[REASON_FRAGMENT_TIMEOUT]);
}

// ---- running ------------------------------------------------------------------------------------

static void batch_fill(struct packet_batch *batch, struct scene *s, uint32_t from, uint32_t count)
{
    packet_batch_clear(batch);
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *f = s->frames.items[from + i];
        batch->packets[i] = (struct packet){.data = f->wire.p,
                                            .captured = f->captured,
                                            .length = (uint32_t)f->wire.n,
                                            .time = f->time,
                                            .ordinal = f->number,
                                            .link_type = LINK_ETHERNET};
    }
    batch->count = count;
}

static void run_frames(struct run *r, struct dispatcher *d, struct lane **lanes, uint32_t count)
{
    struct scene *s = r->truth->scene;
    struct dice dice = {s->seed};
    struct packet_batch *batch = packet_batch_create();
    for (uint32_t at = 0, n; at < s->frames.count; at += n) {
        n = dice_between(&dice, 1, PACKETS_MAX);
        if (n > s->frames.count - at) n = s->frames.count - at;
        batch_fill(batch, s, at, n);
        dispatcher_batch(d, batch);
        for (uint32_t i = 0; i < count; i++) lane_packets(lanes[i], batch);
    }
    for (uint32_t i = 0; i < count; i++) lane_end(lanes[i]);
    dispatcher_end(d);
    packet_batch_destroy(batch);
}

static void run_lanes(struct run *r, uint32_t count)
{
    struct err err = {0};
    struct reading_options options = READING_DEFAULTS;
    struct lane_options *o = &options.lane;
    o->flow.conversations_max = 1024;
    o->dissect = r->truth->scene->seed % 8 == 0;
    o->awake_max = 1; // what rests is packed at once
    o->watcher = r;
    o->watch = watch;
    o->watch_gap = watch_gap;
    o->lanes = count;
    bool is_known = overlap_parse(r->truth->scene->policy, &o->overlap, &err);
    assert(is_known);
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct record_sink sink = {r, take};
    struct lane *lanes[LANES_TRIED];
    struct dispatcher *d = dispatcher_create(o, kinds, kind_count, sink, &err);
    for (o->lane = 0; d && o->lane < count; o->lane++) {
        lanes[o->lane] = lane_create(o, kinds, kind_count, sink, &err);
        if (!lanes[o->lane]) err.code = ERR_MACHINE;
    }
    if (err.code) {
        fprintf(stderr, "sim: %s\n", err.text);
        abort();
    }
    run_frames(r, d, lanes, count);
    if (r->compares) compare_counts(r, dispatcher_decoder(d));
    for (uint32_t i = 0; i < count; i++) lane_destroy(lanes[i]);
    dispatcher_destroy(d);
}

bool trial_run(struct trial *trial, struct truth *truth, bool many_lanes)
{
    *trial = (struct trial){0};
    struct run r = {.trial = trial, .truth = truth, .compares = true};
    run_lanes(&r, 1);
    compare_talks(&r);
    trial->digest = r.digest;
    for (uint32_t count = 2; many_lanes && count <= LANES_TRIED; count *= 2) {
        struct run again = {.trial = trial, .truth = truth};
        run_lanes(&again, count);
        if (again.digest != r.digest) wrong(&r, "%u lanes tell something else than one", count);
    }
    return !trial->wrong[0];
}
