#include "truth.h"

static bool is_udp(const struct carrier *c)
{
    return c->form == FORM_VXLAN || c->form == FORM_GENEVE;
}

// Tunnels in UDP have a source port of their own in each direction, so these are two.
static struct truth_carrier *carrier_truth(struct truth *t, const struct datagram *d)
{
    uint8_t from = is_udp(d->carrier) ? d->side : 0;
    for (uint32_t i = 0; i < t->carrier_count; i++) {
        struct truth_carrier *c = &t->carriers[i];
        if (c->of == d->carrier && c->from == from && c->proto == d->proto) return c;
    }
    struct truth_carrier *c = &t->carriers[t->carrier_count++];
    *c = (struct truth_carrier){.of = d->carrier, .from = from, .proto = d->proto};
    return c;
}

static void carrier_count(struct truth *t, const struct datagram *d, const struct frame *f,
                          const struct arrival *a)
{
    struct truth_carrier *c = carrier_truth(t, d);
    if (!c->begun) {
        c->begun = true;
        c->first_seen = f->time;
    }
    c->packets[d->side] += a->pieces;
    c->bytes[d->side] += a->ip_length;
}

static void talk_count(struct truth *t, const struct message *m, const struct frame *f,
                       uint32_t packets, uint32_t ip_length)
{
    struct truth_talk *talk = m->talk->truth;
    struct truth_side *s = &talk->side[m->side];
    if (!talk->begun) {
        talk->begun = true;
        talk->first_seen = f->time;
        talk->first_side = m->side;
        talk->first_flags = m->flags;
        t->talks++;
    }
    if (f->time > talk->last_seen) talk->last_seen = f->time;
    s->packets += packets;
    s->bytes += ip_length;
}

static void talk_datagram(struct truth *t, const struct message *m, const struct frame *f,
                          const struct arrival *a, bytes payload)
{
    struct truth_talk *talk = m->talk->truth;
    struct truth_side *s = &talk->side[m->side];
    uint32_t length = (uint32_t)m->payload.n;
    if (!length) return;
    struct truth_payload *p = arena_take(t->scene->arena, sizeof *p);
    *p = (struct truth_payload){payload, s->payload_bytes};
    list_add(t->scene->arena, &s->datagrams, p);
    if (a->is_ambiguous) {
        struct truth_ambiguity *both = arena_take(t->scene->arena, sizeof *both);
        *both = (struct truth_ambiguity){.time = f->time,
                                         .end = m->side,
                                         .of_fragments = true,
                                         .position = (uint32_t)s->payload_bytes,
                                         .length = length,
                                         .policy = "first"};
        list_add(t->scene->arena, &talk->ambiguities, both);
    }
    s->payload_bytes += length;
}

static void talk_message(struct truth *t, const struct datagram *d, const struct frame *f,
                         const struct arrival *a)
{
    const struct message *m = d->message;
    talk_count(t, m, f, a->pieces, a->ip_length);
    bytes payload = bytes_after(a->content, d->header);
    struct segment g = {m, payload, (uint32_t)m->payload.n, f->time, a->is_ambiguous};
    if (m->talk->is_tcp) truth_segment(t, m->talk->truth, &g);
    else talk_datagram(t, m, f, a, payload);
}

static const struct datagram *innermost(const struct piece *p)
{
    const struct datagram *d = p->of;
    while (d->inner) d = d->inner->of;
    return d;
}

static void truth_frame(struct truth *t, const struct frame *f)
{
    const struct piece *p = f->piece;
    uint32_t header = (uint32_t)(f->wire.n - p->data.n), there = f->captured - header;
    struct arrival a = {.frames = 1};
    enum arrived arrived;
    while ((arrived = truth_piece(t, f, p, there, &a)) == ARRIVED_WHOLE && p->of->carrier) {
        carrier_count(t, p->of, f, &a);
        header = (uint32_t)(p->of->content.n - p->of->inner->data.n);
        there = (uint32_t)a.content.n - header;
        p = p->of->inner;
    }
    bool is_known = arrived != ARRIVED_HELD;
    for (const struct piece *q = f->piece; q; q = q == p ? NULL : q->of->inner)
        if (!q->whole && (q != p || arrived == ARRIVED_WHOLE)) truth_settle(q->of, is_known);
    if (!is_known) {
        t->held++;
        return;
    }
    // Frames that waited are known now.
    t->held -= a.frames - 1;
    t->joined += a.frames - 1;
    if (arrived == ARRIVED_AGAIN) {
        t->again++;
        talk_count(t, innermost(p)->message, f, 1, piece_ip_length(p));
        return;
    }
    t->done++;
    talk_message(t, p->of, f, &a);
}

void truth_make(struct truth *t, struct scene *s)
{
    *t = (struct truth){.scene = s};
    for (uint32_t i = 0; i < s->talk_count; i++)
        s->talks[i].truth = arena_take(s->arena, sizeof *s->talks[i].truth);
    for (uint32_t i = 0; i < s->frames.count; i++) truth_frame(t, s->frames.items[i]);
    t->incomplete = t->held;
    for (uint32_t i = 0; i < s->talk_count; i++)
        if (s->talks[i].is_tcp && s->talks[i].truth->has_stream) truth_close(s->talks[i].truth);
}
