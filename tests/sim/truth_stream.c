// The two directions of a TCP connection, by the rules of stream/stream.h: what was delivered
// stays, between segments that wait the policy decides; a hole is a gap once the other side
// acknowledged it and 32 more packets of the connection came, or at its end; nothing counts behind
// the FIN. What came is compared with what waits, and with what was delivered since the other side
// last had acknowledged all of it.
#include "truth.h"

enum {
    PATIENCE = 32,
    COMPARED_MAX = 24000, // of what was delivered; somewhat beyond it the engine forgets
};

static bool is_there(uint8_t state)
{
    return state == BYTE_SEEN || state == BYTE_CUT;
}

// A FIN ends the direction when just that is acknowledged; who goes on, or has more acknowledged,
// has not ended there.
static bool end_is_known(const struct truth_side *s)
{
    return s->fin && s->acked == (int64_t)s->fin_at + 1;
}

static void check_fin(struct truth_side *s)
{
    if (!s->fin || s->finished) return;
    if (s->next > s->fin_at || s->acked > (int64_t)s->fin_at + 1) s->fin = false;
    else s->finished = s->next == s->fin_at && end_is_known(s);
}

// The end of the bytes from `at` on that stand there since one and the same segment put them there.
static uint32_t run_end(const struct truth_side *s, uint32_t at, uint32_t end)
{
    bool there = is_there(s->states[at]);
    uint32_t to = at + 1;
    while (to < end && is_there(s->states[to]) == there &&
           (!there || s->extents[to] == s->extents[at]))
        to++;
    return to;
}

// What is in order now is delivered, a run at a time.
static void deliver(struct truth_side *s)
{
    check_fin(s);
    while (!s->finished && s->next < s->seen_end && is_there(s->states[s->next])) {
        uint32_t end = run_end(s, s->next, s->seen_end);
        bool is_cut = s->states[end - 1] == BYTE_CUT;
        if (is_cut || s->acked >= end) s->kept_from = end;
        s->next = end;
        s->patience = 0;
        check_fin(s);
    }
    if (s->next - s->kept_from > COMPARED_MAX) s->is_forgetful = true;
}

static void declare_gap(struct truth_side *s, uint32_t end)
{
    for (; s->next < end; s->next++) {
        s->states[s->next] = BYTE_LOST;
        s->missed_bytes++;
        s->patience = 0;
        s->kept_from = end;
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
    if (at == s->next && (s->has_syn || !(m->flags & SYN))) s->confirmed = true;
    if (at < s->next) return;
    if (at > s->acked) s->acked = at;
    s->kept_from = s->next;
    check_fin(s);
}

// ---- readings -----------------------------------------------------------------------------------

// What is at hand: a segment in its direction.
struct coming {
    struct truth *truth;
    struct truth_talk *talk;
    struct truth_side *side;
    const struct segment *g;
    int64_t at; // its position
};

static bytes copy_of(struct truth *t, const uint8_t *p, uint32_t n)
{
    uint8_t *copy = arena_take(t->scene->arena, n);
    memcpy(copy, p, n);
    return bytes_of(copy, n);
}

static void tell(struct coming *c, uint32_t from, uint32_t to, const char *policy, bool wins)
{
    struct truth_ambiguity *a = arena_take(c->truth->scene->arena, sizeof *a);
    bytes old = copy_of(c->truth, c->side->taken + from, to - from);
    bytes new = bytes_first(bytes_after(c->g->data, (size_t)(from - c->at)), to - from);
    *a = (struct truth_ambiguity){.time = c->g->time,
                                  .end = c->g->message->side,
                                  .position = from,
                                  .length = to - from,
                                  .taken = wins ? new : old,
                                  .other = wins ? old : new,
                                  .policy = policy};
    list_add(c->truth->scene->arena, &c->talk->ambiguities, a);
}

static bool is_cut_at(const struct coming *c, uint32_t position)
{
    return (uint64_t)(position - c->at) >= c->g->data.n;
}

// Compares the bytes [from, to), as far as both are there.
static void compare(struct coming *c, uint32_t from, uint32_t to, const char *policy, bool wins)
{
    uint32_t first = UINT32_MAX, last = 0;
    for (uint32_t i = from; i < to; i++) {
        if (c->side->states[i] != BYTE_SEEN || is_cut_at(c, i)) continue;
        if (c->side->taken[i] == c->g->data.p[i - c->at]) continue;
        if (first == UINT32_MAX) first = i;
        last = i + 1;
    }
    if (last) tell(c, first, last, policy, wins);
}

// One byte just before the next one asks whether the other side lives, and is any byte.
static bool asks(const struct coming *c)
{
    return c->at == (int64_t)c->side->next - 1 && c->g->length == 1;
}

static void compare_delivered(struct coming *c)
{
    const char *policy = c->truth->scene->policy;
    int64_t end = c->at + c->g->length;
    uint32_t from = c->at > c->side->kept_from ? (uint32_t)c->at : c->side->kept_from;
    uint32_t to = end < c->side->next ? (uint32_t)(end < 0 ? 0 : end) : c->side->next;
    if (from < to && !asks(c))
        compare(c, from, to, !strcmp(policy, "first") ? policy : "delivered", false);
}

// ---- what waits ---------------------------------------------------------------------------------

static uint32_t count_there(const struct coming *c, uint32_t from, uint32_t to, bool of_new)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += of_new ? !is_cut_at(c, i) : c->side->states[i] == BYTE_SEEN;
    return n;
}

// Whether the segment takes the place of what waits at [from, to), which one segment brought.
static bool wins_over(struct coming *c, uint32_t from, uint32_t to)
{
    struct truth_side *s = c->side;
    const struct extent *old = s->all_extents.items[s->extents[from]];
    struct extent new = {c->at < 0 ? 0 : c->at, c->at + c->g->length};
    bool wins = truth_later_wins(c->truth->scene->policy, *old, new);
    // Who has fewer of the bytes, since the snap length cut them, does not win.
    if (count_there(c, from, to, true) < count_there(c, from, to, false)) wins = false;
    compare(c, from, to, c->truth->scene->policy, wins);
    return wins;
}

static void put(struct coming *c, uint32_t from, uint32_t to)
{
    struct truth_side *s = c->side;
    struct extent *extent = arena_take(c->truth->scene->arena, sizeof *extent);
    *extent = (struct extent){c->at < 0 ? 0 : c->at, c->at + c->g->length};
    list_add(c->truth->scene->arena, &s->all_extents, extent);
    for (uint32_t i = from; i < to; i++) {
        bool is_cut = is_cut_at(c, i);
        s->states[i] = is_cut ? BYTE_CUT : BYTE_SEEN;
        s->taken[i] = is_cut ? 0 : c->g->data.p[i - c->at];
        s->times[i] = c->g->time;
        s->extents[i] = s->all_extents.count - 1;
    }
    if (to > s->seen_end) s->seen_end = to;
}

static void tell_fragments(struct coming *c, uint32_t from, uint32_t to)
{
    tell(c, from, from, "first", false);
    struct list *all = &c->talk->ambiguities;
    struct truth_ambiguity *a = all->items[all->count - 1];
    a->length = to - from;
    a->of_fragments = true;
}

static void take_payload(struct coming *c)
{
    struct truth_side *s = c->side;
    int64_t end = c->at + c->g->length;
    uint32_t from = c->at > s->next ? (uint32_t)c->at : s->next, more = 0;
    // What stands before the first byte seen has no position.
    uint32_t before = c->at < 0 && !asks(c) ? (uint32_t)-c->at : 0;
    s->strayed += before < c->g->length ? before : c->g->length;
    if (from < end && c->g->is_ambiguous) tell_fragments(c, from, (uint32_t)end);
    for (uint32_t at = from, to; at < end; at = to) {
        bool there = is_there(s->states[at]);
        to = run_end(s, at, (uint32_t)end);
        if (!there || wins_over(c, at, to)) put(c, at, to);
        if (!there) more += to - at;
    }
    s->payload_bytes += more;
    if (!more && !asks(c) && end > 0) s->retransmits++;
    deliver(s);
}

static void take_behind(struct truth_side *s, const struct segment *g, int64_t end)
{
    uint64_t behind = end > s->next ? (uint64_t)(end - s->next) : 0;
    if (g->length && !behind) s->retransmits++;
    s->strayed += behind < g->length ? behind : g->length;
}

static void take(struct coming *c)
{
    struct truth_side *s = c->side;
    const struct segment *g = c->g;
    const struct message *m = g->message;
    bool nothing_yet = !s->next && !s->seen_end && !s->fin && !s->confirmed;
    if (m->flags & (SYN | FIN) || g->length) start(s, m->at);
    if (m->flags & SYN && nothing_yet) s->origin = m->at;
    if (m->flags & SYN) s->has_syn = true;
    if (!s->started) return;
    c->at = m->at - s->origin;
    int64_t end = c->at + g->length;
    if (g->length) compare_delivered(c);
    if (s->finished) {
        take_behind(s, g, end);
        return;
    }
    if (m->flags & FIN && end >= s->next && !(s->fin && s->fin_at <= end)) {
        s->fin = true;
        s->fin_at = (uint32_t)end;
    }
    if (g->length) take_payload(c);
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
    s->taken = arena_take(t->scene->arena, s->size);
    s->extents = arena_take(t->scene->arena, s->size * sizeof *s->extents);
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
    struct coming coming = {t, talk, &talk->side[m->side], g, 0};
    if (!(m->flags & RST)) take(&coming);
    for (unsigned i = 0; i < 2; i++) lose_patience(&talk->side[i]);
}

static void close_side(struct truth_side *s)
{
    for (uint32_t held; !s->finished && (held = first_held(s)) != UINT32_MAX;)
        declare_gap(s, end_is_known(s) && s->fin_at < held ? s->fin_at : held);
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
