// Datagrams joined from pieces: of bytes that came twice the first count; a datagram is whole when
// all its bytes were sent; a piece that comes again behind that is known if it is one of those that
// it was made of, and begins another datagram if not (decode/fragments.h).
#include "truth.h"

enum { DIFFERENCES_TOLD = 4, CONTENT_MAX = 65536 };

struct truth_datagram {
    bool is_joined, is_known;
    uint8_t *have; // 0, BYTE_SEEN, BYTE_CUT
    uint8_t *image;
    uint32_t total, covered, differences;
    struct list pieces;
    uint32_t frames, ip_length;
};

// A piece as it was captured: as much of it as was there.
struct come {
    const struct piece *piece;
    uint32_t there;
};

static bool had(const struct truth_datagram *g, const struct piece *p, uint32_t there)
{
    for (uint32_t i = 0; i < g->pieces.count; i++) {
        const struct come *c = g->pieces.items[i];
        const struct piece *q = c->piece;
        if (q->offset == p->offset && q->more == p->more && c->there == there &&
            bytes_equal(q->data, p->data))
            return true;
    }
    return false;
}

static struct truth_datagram *datagram_truth(struct truth *t, const struct piece *p, uint32_t there)
{
    struct datagram *d = p->of;
    if (d->truth && !(d->truth->is_joined && !(d->truth->is_known && had(d->truth, p, there))))
        return d->truth;
    struct truth_datagram *g = d->truth = arena_take(t->scene->arena, sizeof *g);
    g->have = arena_take(t->scene->arena, d->content.n);
    g->image = arena_take(t->scene->arena, d->content.n);
    return g;
}

static void tell_difference(struct truth *t, struct truth_datagram *g, const struct piece *p,
                            const struct frame *f, uint32_t from, uint32_t to)
{
    if (g->differences++ >= DIFFERENCES_TOLD) return;
    struct truth_difference *d = arena_take(t->scene->arena, sizeof *d);
    *d = (struct truth_difference){p->of->identification, from, to - from, f->time, false};
    list_add(t->scene->arena, &t->differences, d);
}

static void place(struct truth *t, struct truth_datagram *g, const struct frame *f,
                  const struct piece *p, uint32_t there)
{
    uint32_t from = UINT32_MAX, to = 0;
    for (uint32_t i = 0; i < p->data.n; i++) {
        uint32_t at = p->offset + i;
        if (!g->have[at]) {
            g->have[at] = i < there ? BYTE_SEEN : BYTE_CUT;
            g->image[at] = p->data.p[i];
            g->covered++;
        } else if (g->have[at] == BYTE_SEEN && i < there && g->image[at] != p->data.p[i]) {
            if (from == UINT32_MAX) from = at;
            to = at + 1;
        }
    }
    if (to) tell_difference(t, g, p, f, from, to);
    if (!p->more) g->total = p->offset + (uint32_t)p->data.n;
}

enum arrived truth_piece(struct truth *t, const struct frame *f, const struct piece *p,
                         uint32_t there, struct arrival *a)
{
    if (p->whole) {
        a->content = bytes_first(p->data, there);
        a->pieces = 1;
        a->ip_length = piece_ip_length(p);
        return ARRIVED_WHOLE;
    }
    struct truth_datagram *g = datagram_truth(t, p, there);
    if (g->is_joined) return ARRIVED_AGAIN;
    place(t, g, f, p, there);
    struct come *come = arena_take(t->scene->arena, sizeof *come);
    *come = (struct come){p, there};
    list_add(t->scene->arena, &g->pieces, come);
    g->frames += a->frames;
    g->ip_length += piece_ip_length(p);
    if (!g->total || g->covered < g->total) return ARRIVED_HELD;
    g->is_joined = true;
    uint32_t n = 0;
    while (n < g->total && g->have[n] == BYTE_SEEN) n++;
    a->content = bytes_of(g->image, n);
    a->pieces = g->pieces.count;
    a->ip_length = g->ip_length;
    a->frames = g->frames;
    a->is_ambiguous = g->differences;
    return ARRIVED_WHOLE;
}

void truth_settle(struct datagram *d, bool is_known)
{
    if (d->truth && d->truth->is_joined) d->truth->is_known = is_known;
}
