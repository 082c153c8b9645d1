// The two directions of a TCP connection, by the rules of stream/stream.h: what was seen first
// stays; a hole is a gap once the other side acknowledged it and 32 more packets of the connection
// came, or at its end; nothing counts behind the FIN.
#include "truth.h"

enum { PATIENCE = 32 };

static bool is_there(uint8_t state)
{
    return state == BYTE_SEEN || state == BYTE_CUT;
}

static void check_fin(struct truth_side *s)
{
    if (s->fin && s->next >= s->fin_at) s->finished = true;
}

// What is in order now is delivered.
static void deliver(struct truth_side *s)
{
    while (s->next < s->seen_end && is_there(s->states[s->next])) {
        s->next++;
        s->patience = 0;
    }
    check_fin(s);
}

static void declare_gap(struct truth_side *s, uint32_t end)
{
    for (; s->next < end; s->next++) {
        s->states[s->next] = BYTE_LOST;
        s->missed_bytes++;
        s->patience = 0;
    }
    deliver(s);
}

// The first byte that waits behind a hole, or UINT32_MAX.
static uint32_t first_held(const struct truth_side *s)
{
    for (uint32_t at = s->next; at < s->seen_end; at++)
        if (is_there(s->states[at])) return at;
    return UINT32_MAX;
}

static void start(struct truth_side *s, int64_t origin)
{
    if (s->started) return;
    s->started = true;
    s->origin = origin;
}

static void note_ack(struct truth_side *s, const struct message *m)
{
    if (!(m->flags & ACK)) return;
    if (m->flags & SYN) start(s, m->ack_at);
    if (!s->started) return;
    int64_t at = m->ack_at - s->origin;
    if (at == s->next && !(m->flags & SYN)) s->confirmed = true;
    if (at > s->next && at > s->acked) s->acked = at;
}

static void take_payload(struct truth_side *s, const struct segment *g, int64_t at)
{
    int64_t end = at + g->length;
    bool asks = at == (int64_t)s->next - 1 && g->length == 1;
    uint32_t more = 0;
    for (int64_t i = at > s->next ? at : s->next; i < end; i++) {
        if (is_there(s->states[i])) continue;
        bool is_cut = (uint64_t)(i - at) >= g->data.n;
        s->states[i] = is_cut ? BYTE_CUT : BYTE_SEEN;
        if (!is_cut) s->first[i] = g->data.p[i - at];
        s->times[i] = g->time;
        if (i >= s->seen_end) s->seen_end = (uint32_t)i + 1;
        more++;
    }
    s->payload_bytes += more;
    if (!more && !asks) s->retransmits++;
    deliver(s);
}

static void take_behind(struct truth_side *s, const struct segment *g, int64_t end)
{
    uint64_t behind = end > s->next ? (uint64_t)(end - s->next) : 0;
    if (g->length && !behind) s->retransmits++;
    s->strayed += behind < g->length ? behind : g->length;
}

static void take(struct truth_side *s, const struct segment *g)
{
    const struct message *m = g->message;
    bool nothing_yet = !s->next && !s->seen_end && !s->fin && !s->confirmed;
    if (m->flags & (SYN | FIN) || g->length) start(s, m->at);
    if (m->flags & SYN && nothing_yet) s->origin = m->at;
    if (!s->started) return;
    int64_t at = m->at - s->origin, end = at + g->length;
    if (s->finished) {
        take_behind(s, g, end);
        return;
    }
    if (m->flags & FIN && end >= s->next && !(s->fin && s->fin_at <= end)) {
        s->fin = true;
        s->fin_at = (uint32_t)end;
    }
    if (g->length) take_payload(s, g, at);
    check_fin(s);
}

static void lose_patience(struct truth_side *s)
{
    if (s->acked <= (int64_t)s->next + 1 || s->finished) return;
    if (++s->patience <= PATIENCE) return;
    int64_t end = s->acked;
    uint32_t held = first_held(s);
    if (held < end) end = held;
    if (s->fin && s->fin_at < end) end = s->fin_at;
    if (end > s->next) declare_gap(s, (uint32_t)end);
}

// Room for all that the messages of a side can show.
static void make_room(struct truth *t, struct truth_side *s, const struct talk *talk, unsigned side)
{
    for (uint32_t i = 0; i < talk->messages.count; i++) {
        const struct message *m = talk->messages.items[i];
        int64_t end = m->side == side ? m->at + (int64_t)m->payload.n : m->ack_at;
        if (end >= s->size) s->size = (uint32_t)end + 1;
    }
    s->size += 2;
    s->states = arena_take(t->scene->arena, s->size);
    s->first = arena_take(t->scene->arena, s->size);
    s->times = arena_take(t->scene->arena, s->size * sizeof *s->times);
}

void truth_segment(struct truth *t, struct truth_talk *talk, const struct segment *g)
{
    const struct message *m = g->message;
    for (unsigned i = 0; i < 2; i++)
        if (!talk->side[i].states) make_room(t, &talk->side[i], m->talk, i);
    if (!g->length && !(m->flags & SYN) && !talk->has_stream) return;
    talk->has_stream = true;
    note_ack(&talk->side[m->side ^ 1], m);
    if (!(m->flags & RST)) take(&talk->side[m->side], g);
    for (unsigned i = 0; i < 2; i++) lose_patience(&talk->side[i]);
}

static void close_side(struct truth_side *s)
{
    for (uint32_t held; !s->finished && (held = first_held(s)) != UINT32_MAX;) declare_gap(s, held);
    for (uint32_t at = s->next; at < s->seen_end; at++)
        if (is_there(s->states[at])) s->strayed++;
    if (s->finished) return;
    // One byte that was acknowledged and never seen is as likely the FIN.
    int64_t end = s->acked > (int64_t)s->next + 1 ? s->acked : s->next;
    if (s->fin) end = s->fin_at;
    declare_gap(s, (uint32_t)end);
}

void truth_close(struct truth_talk *talk)
{
    for (unsigned i = 0; i < 2; i++) close_side(&talk->side[i]);
}
