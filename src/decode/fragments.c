#include "decode/fragments.h"

#include <assert.h>

#include "base/hash.h"
#include "decode/datagrams.h"

enum {
    UNIT = 8,
    COVERED_SIZE = DATAGRAM_UNITS / 8,
    PAYLOAD_MAX = 65535,
};

// A piece on its way into its datagram.
struct placing {
    struct walk *walk;
    const struct fragment *fragment;
    uint32_t index;
    struct datagram *datagram;
    bytes data;           // what is there of it
    uint32_t length, end; // of what is taken of it
    uint32_t sent;        // of it
    uint32_t check;
};

// ---- bytes --------------------------------------------------------------------------------------

static bool unit_is_covered(const struct datagram *g, uint32_t unit)
{
    return g->image[unit / 8] >> unit % 8 & 1;
}

static uint8_t *payload_of(const struct datagram *g)
{
    return g->image + COVERED_SIZE;
}

// Up to AMBIGUITIES_MAX times a datagram; it is marked in any case.
static void placing_tell(const struct placing *pl, uint32_t from, uint32_t to, bool is_length)
{
    struct datagram *g = pl->datagram;
    const struct packet *p = pl->walk->packet;
    const struct decode_hooks *hooks = &pl->walk->decoder->hooks;
    if (g->ambiguities == UINT8_MAX || g->ambiguities++ >= AMBIGUITIES_MAX) return;
    if (!hooks->ambiguous) return;
    struct fragment_ambiguity a = {
        .src = g->key.src,
        .dst = g->key.dst,
        .scope = g->key.scope,
        .proto = g->key.is_v6 ? pl->fragment->proto : g->key.proto,
        .identification = g->key.identification,
        .offset = from,
        .length = to - from,
        .is_length = is_length,
        .time = p->time,
        .frame = {p->ordinal, p->capture},
    };
    size_t shown = to - from < AMBIGUITY_BYTES_MAX ? to - from : AMBIGUITY_BYTES_MAX;
    a.other = bytes_first(bytes_after(pl->data, from - pl->fragment->offset), shown);
    if (!is_length) a.taken = bytes_of(payload_of(g) + from, shown);
    hooks->ambiguous(hooks->context, &a);
}

// Compares what came before with what is there of the piece, and takes what did not come before.
static void placing_copy(struct placing *pl)
{
    struct datagram *g = pl->datagram;
    uint32_t offset = pl->fragment->offset, there = (uint32_t)pl->data.n;
    uint32_t differs_from = UINT32_MAX, differs_to = 0;
    for (uint32_t at = offset; at < pl->end; at += UNIT) {
        uint32_t unit = at / UNIT, left = offset + there > at ? offset + there - at : 0;
        uint32_t n = left < UNIT ? left : UNIT;
        if (!unit_is_covered(g, unit)) {
            g->image[unit / 8] = (uint8_t)(g->image[unit / 8] | 1u << unit % 8);
            g->units++;
            if (n) memcpy(payload_of(g) + at, pl->data.p + (at - offset), n);
            bool is_cut = n < UNIT && at + n < pl->end;
            if (is_cut && at + n < g->cut_from) g->cut_from = at + n;
            continue;
        }
        if (at + n > g->cut_from) continue;
        for (uint32_t i = 0; i < n; i++) {
            if (payload_of(g)[at + i] == pl->data.p[at - offset + i]) continue;
            if (differs_from == UINT32_MAX) differs_from = at + i;
            differs_to = at + i + 1;
        }
    }
    if (differs_to) placing_tell(pl, differs_from, differs_to, false);
}

// Whether the piece fits what is known of the datagram's end.
static bool placing_fits(const struct placing *pl)
{
    const struct datagram *g = pl->datagram;
    if (pl->fragment->more) return !g->total || pl->end <= g->total;
    return g->total ? pl->end == g->total : pl->end >= g->end;
}

static void placing_header(const struct placing *pl)
{
    struct datagram *g = pl->datagram;
    const struct packet *p = pl->walk->packet;
    bytes header = bytes_first(pl->fragment->header, DATAGRAM_HEADER_MAX);
    memcpy(g->header, header.p, header.n);
    g->header_size = (uint8_t)header.n;
    g->proto = pl->fragment->proto;
    g->tos = p->tos;
    g->ttl = p->ttl;
}

static void placing_bytes(struct placing *pl)
{
    struct datagram *g = pl->datagram;
    bool fits = placing_fits(pl);
    if (!fits) placing_tell(pl, pl->fragment->offset, pl->end, true);
    if (g->total && pl->end > g->total) {
        if (pl->fragment->offset >= g->total) return;
        pl->end = g->total;
        pl->length = pl->end - pl->fragment->offset;
        pl->data = bytes_first(pl->data, pl->length);
    }
    if (!pl->fragment->more && fits) g->total = pl->end;
    if (pl->end > g->end) g->end = pl->end;
    // The header of the piece that begins the datagram is its header; until that came, any is.
    bool begins = pl->fragment->offset == 0 && !(g->units && unit_is_covered(g, 0));
    if (begins || !g->header_size) placing_header(pl);
    placing_copy(pl);
}

// ---- room ---------------------------------------------------------------------------------------

static bool placing_room(struct placing *pl)
{
    struct datagram *g = pl->datagram;
    struct decoder *d = pl->walk->decoder;
    uint32_t need = COVERED_SIZE + pl->end, used = COVERED_SIZE + g->end;
    if (need > g->image_size) {
        bool is_first = !g->image;
        uint8_t *image = datagram_resize(d, pl->index, g->image, &g->image_size, used, need);
        if (!image) return false;
        g->image = image;
        if (is_first) memset(g->image, 0, COVERED_SIZE);
    }
    struct datagram_frame frame = {
        .check = pl->check,
        .offset = (uint16_t)pl->fragment->offset,
        .length = (uint16_t)pl->sent,
        .is_last = !pl->fragment->more,
    };
    return datagram_note(d, pl->index, pl->walk->packet, frame);
}

// ---- joining ------------------------------------------------------------------------------------

static void packet_becomes(struct packet *p, const struct datagram *g, struct packet_buffer *b,
                           const struct packet_frame *frames)
{
    uint32_t there = g->total < g->cut_from ? g->total : g->cut_from;
    p->data = b->data;
    p->length = g->header_size + g->total;
    p->captured = g->header_size + there;
    p->tos = g->tos;
    p->ttl = g->ttl;
    p->network_offset = 0;
    p->ip_length = g->ip_length;
    p->pieces = g->piece_count;
    p->frames = frames;
    p->frame_count = (uint16_t)(g->frame_count - 1);
    p->shared_count = g->shared_count;
    p->is_ambiguous |= g->ambiguities != 0;
}

static enum layer_result placing_join(struct placing *pl)
{
    struct walk *w = pl->walk;
    struct packet *p = w->packet;
    struct datagram *g = pl->datagram;
    const struct packet_frame *frames;
    struct packet_buffer *b = datagram_buffer(g, bytes_of(g->header, g->header_size),
                                              bytes_of(payload_of(g), g->total), &frames);
    bool kept = walk_keep(w, b);
    packet_buffer_unref(b);
    if (!kept) { // only datagrams in one another get here
        datagram_forget(g, p);
        datagram_drop(w->decoder, pl->index, REASON_FRAGMENT_CAP);
        return layer_end(w, REASON_FRAGMENT_CAP);
    }
    packet_becomes(p, g, b, frames);
    w->r = reader_of(bytes_of(p->data, p->captured));
    w->sent_end = p->length;
    read_bytes(&w->r, g->header_size);
    uint8_t proto = g->proto;
    g->is_joined = true;
    datagram_empty(w->decoder->fragments, g);
    struct fragments *f = w->decoder->fragments;
    f->joined[w->joined++] = (struct datagram_name){pl->index, g->serial};
    return layer_next_proto(w, proto);
}

// ---- pieces of what was joined ------------------------------------------------------------------

static bool datagram_had(const struct placing *pl)
{
    const struct datagram *g = pl->datagram;
    for (uint32_t i = 0; i < g->frame_count; i++) {
        const struct datagram_frame *f = &g->frames[i];
        if (f->length == pl->sent && f->offset == pl->fragment->offset &&
            f->is_last == !pl->fragment->more && f->check == pl->check)
            return true;
    }
    return false;
}

static enum layer_result layer_end_again(struct walk *w, const struct datagram *g)
{
    struct packet *p = w->packet;
    p->is_fragment = true;
    p->key = g->conversation;
    p->side = g->side;
    return layer_end(w, REASON_FRAGMENT_AGAIN);
}

// ---- the step -----------------------------------------------------------------------------------

// The datagram that the piece belongs to; begun if there is none. False when there is no room.
static bool placing_find(struct placing *pl)
{
    struct walk *w = pl->walk;
    struct decoder *d = w->decoder;
    struct datagram_key key = {
        .src = w->src,
        .dst = w->dst,
        .scope = w->scope,
        .identification = pl->fragment->identification,
        .proto = w->is_v6 ? 0 : pl->fragment->proto,
        .is_v6 = w->is_v6,
    };
    if (!d->fragments) d->fragments = fragments_create();
    if (!d->fragments) return false;
    pl->index = datagram_find(d->fragments, &key);
    if (pl->index && datagram_is_due(datagram_at(d->fragments, pl->index), w->packet->watermark)) {
        datagram_drop(d, pl->index, REASON_FRAGMENT_TIMEOUT);
        pl->index = 0;
    }
    if (pl->index) {
        pl->datagram = datagram_at(d->fragments, pl->index);
        const struct datagram *g = pl->datagram;
        if (!g->is_joined || (g->has_conversation && datagram_had(pl))) return true;
        datagram_drop(d, pl->index, REASON_FRAGMENT_JOINED); // another one of the same name begins
    }
    pl->index = datagram_add(d, &key, w->packet);
    if (pl->index) pl->datagram = datagram_at(d->fragments, pl->index);
    return pl->index;
}

static bool fragment_is_possible(const struct walk *w, const struct fragment *f, uint64_t length)
{
    if (!length) return false;
    uint64_t header = w->is_v6 ? 0 : f->header.n;
    return f->offset + length + header <= PAYLOAD_MAX;
}

enum layer_result walk_fragment(struct walk *w, const struct fragment *f)
{
    uint64_t length = walk_sent_left(w);
    if (f->more) length -= length % UNIT;
    if (!fragment_is_possible(w, f, length)) return layer_end(w, REASON_BAD_FRAGMENT);
    struct placing pl = {.walk = w, .fragment = f, .data = bytes_first(reader_rest(&w->r), length)};
    pl.length = pl.sent = (uint32_t)length;
    pl.end = f->offset + pl.length;
    pl.check = (uint32_t)table_hash(pl.data.p, pl.data.n, 0);
    if (w->joined >= LAYERS_DEEP_MAX) return layer_end(w, REASON_TOO_MANY_LAYERS);
    if (!placing_find(&pl)) return layer_end(w, REASON_FRAGMENT_CAP);
    struct datagram *g = pl.datagram;
    if (g->is_joined) return layer_end_again(w, g);
    if (!placing_room(&pl)) {
        datagram_drop(w->decoder, pl.index, REASON_FRAGMENT_CAP);
        return layer_end(w, REASON_FRAGMENT_CAP);
    }
    placing_bytes(&pl);
    bool is_whole = g->total && g->units == (g->total + UNIT - 1) / UNIT;
    return is_whole ? placing_join(&pl) : layer_end(w, REASON_FRAGMENT_HELD);
}

// ---- counting -----------------------------------------------------------------------------------

static void joined_remember(struct walk *w, struct datagram_name name)
{
    const struct packet *p = w->packet;
    struct datagram *g = datagram_at(w->decoder->fragments, name.index);
    if (g->serial != name.serial) return; // given up meanwhile
    if (p->class_ != PACKET_IP && p->class_ != PACKET_HELD) {
        datagram_drop(w->decoder, name.index, REASON_FRAGMENT_JOINED);
        return;
    }
    g->has_conversation = p->class_ == PACKET_IP;
    g->conversation = p->key;
    g->side = p->side;
}

void fragments_settle(struct walk *w)
{
    struct decoder *d = w->decoder;
    const struct packet *p = w->packet;
    for (uint32_t i = 0; i < w->joined; i++) joined_remember(w, d->fragments->joined[i]);
    if (!p->frame_count || p->class_ == PACKET_HELD) return;
    enum decode_reason reason =
        p->class_ == PACKET_IP ? REASON_FRAGMENT_JOINED : (enum decode_reason)p->reason;
    uint32_t frames = (uint32_t)p->frame_count - p->shared_count;
    d->reasons[REASON_FRAGMENT_HELD] -= frames;
    d->classes[PACKET_HELD] -= frames;
    d->reasons[reason] += frames;
    d->classes[p->class_] += frames;
}
