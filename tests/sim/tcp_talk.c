// What the two sides of a TCP connection send: everything that real hosts do, and what nobody
// does but who wants to deceive. What each says is fixed at first; then segments show parts of it.
#include "scene.h"

enum {
    STEPS_MAX = 1200,
    LENGTH_MAX = 100000,
    BEHIND_MAX = 3000, // bytes that a side has to say behind its FIN
    EARLIER_MAX = 16,
    SEGMENT_MAX = 9000,
};

struct range {
    int64_t from, to;
};

struct speaker {
    const uint8_t *bytes;
    int64_t length;
    int64_t sent;  // highest place so far; length + 1 with the FIN
    int64_t heard; // by the other side
    uint32_t segment_min, segment_max;
    struct range earlier[EARLIER_MAX]; // segments that were sent
    uint32_t earlier_count;
    struct range hole; // skipped, to be filled later or never
};

struct exchange {
    struct scene *s;
    struct talk *t;
    struct speaker side[2];
};

static struct message *say(struct exchange *x, unsigned side, uint8_t flags, int64_t at,
                           bytes payload)
{
    struct message *m = arena_take(x->s->arena, sizeof *m);
    *m = (struct message){.talk = x->t,
                          .side = (uint8_t)side,
                          .flags = flags,
                          .window = (uint16_t)dice_between(&x->s->dice, 1, 65535),
                          .at = at,
                          .ack_at = x->side[side ^ 1].heard,
                          .payload = payload};
    list_add(x->s->arena, &x->t->messages, m);
    return m;
}

static bytes said(const struct speaker *p, struct range r)
{
    return bytes_of(p->bytes + r.from, (size_t)(r.to - r.from));
}

static void speaker_note(struct speaker *p, struct range r)
{
    p->earlier[p->earlier_count++ % EARLIER_MAX] = r;
    if (r.to > p->sent) p->sent = r.to;
}

// The other side acknowledges some of what was sent, seen or not.
static void hear(struct exchange *x, unsigned side)
{
    struct speaker *p = &x->side[side];
    uint64_t more = (uint64_t)(p->sent - p->heard);
    if (!more || dice_percent(&x->s->dice, 30)) return;
    bool all = dice_percent(&x->s->dice, 60);
    p->heard += all ? (int64_t)more : dice_below(&x->s->dice, (uint32_t)more + 1);
}

static void say_range(struct exchange *x, unsigned side, struct range r, uint8_t more_flags)
{
    struct speaker *p = &x->side[side];
    uint8_t flags = (uint8_t)(ACK | more_flags | (dice_percent(&x->s->dice, 30) ? PSH : 0));
    if (r.to == p->length && p->sent > p->length) flags |= dice_percent(&x->s->dice, 50) ? FIN : 0;
    struct message *m = say(x, side, flags, r.from, said(p, r));
    if (x->s->tastes.differ && m->payload.n && dice_percent(&x->s->dice, 15)) {
        m->payload = scene_altered(x->s, m->payload, 0);
        m->differs = true;
    }
    speaker_note(p, r);
}

// ---- steps --------------------------------------------------------------------------------------

static void say_next(struct exchange *x, unsigned side)
{
    struct speaker *p = &x->side[side];
    if (p->sent >= p->length) return;
    struct range r = {p->sent, p->sent + dice_between(&x->s->dice, p->segment_min, p->segment_max)};
    if (r.to > p->length) r.to = p->length;
    if (x->s->tastes.resend && dice_percent(&x->s->dice, 6) && p->hole.from == p->hole.to) {
        p->hole = r;
        p->sent = r.to;
        return;
    }
    say_range(x, side, r, 0);
}

// Some range near `r`: the same, longer, shorter, shifted.
static struct range range_near(struct exchange *x, const struct speaker *p, struct range r)
{
    uint32_t n = (uint32_t)(r.to - r.from), form = dice_below(&x->s->dice, 6);
    if (form == 1 || form == 3) r.to += dice_below(&x->s->dice, n + 20);
    if (form == 2 || form == 3) r.from -= dice_below(&x->s->dice, n + 20);
    if (form == 4) r.from += dice_below(&x->s->dice, n);
    if (form == 5) r.to -= dice_below(&x->s->dice, n);
    if (r.from < 0) r.from = 0;
    if (r.to > p->length) r.to = p->length;
    if (r.from > r.to) r.from = r.to;
    if (r.to - r.from > SEGMENT_MAX) r.to = r.from + SEGMENT_MAX;
    return r;
}

static void say_again(struct exchange *x, unsigned side)
{
    struct speaker *p = &x->side[side];
    bool fills = p->hole.from < p->hole.to && dice_percent(&x->s->dice, 70);
    if (!fills && !p->earlier_count) return;
    uint32_t known = p->earlier_count < EARLIER_MAX ? p->earlier_count : EARLIER_MAX;
    struct range r = fills ? p->hole : p->earlier[dice_below(&x->s->dice, known)];
    if (fills) p->hole.from = p->hole.to = 0;
    r = range_near(x, p, r);
    if (r.from < r.to) say_range(x, side, r, 0);
}

// RFC 9293 section 3.8.4: no byte, or one that is worth nothing, just before the next one.
static void ask_whether_alive(struct exchange *x, unsigned side)
{
    struct speaker *p = &x->side[side];
    if (p->sent > p->length) return;
    uint32_t n = dice_below(&x->s->dice, 2);
    struct message *m = say(x, side, ACK, p->sent - 1, bytes_of(scene_bytes(x->s, 1), n));
    m->differs = n;
    hear(x, side);
    say(x, side ^ 1, ACK, x->side[side ^ 1].sent, bytes_of(NULL, 0));
}

// The other side has no room: one byte asks again and again whether it has now.
static void probe_window(struct exchange *x, unsigned side)
{
    struct speaker *p = &x->side[side], *other = &x->side[side ^ 1];
    if (p->sent >= p->length) return;
    uint32_t times = dice_between(&x->s->dice, 1, 3);
    p->heard = p->sent;
    for (uint32_t i = 0; i < times; i++) {
        say(x, side ^ 1, ACK, other->sent, bytes_of(NULL, 0))->window = 0;
        say(x, side, ACK, p->sent, bytes_of(p->bytes + p->sent, 1));
    }
    struct range r = {p->sent, p->sent + 1};
    speaker_note(p, r);
}

static void acknowledge(struct exchange *x, unsigned side)
{
    say(x, side, ACK, x->side[side].sent, bytes_of(NULL, 0));
}

static void finish(struct exchange *x, unsigned side)
{
    struct speaker *p = &x->side[side];
    if (p->sent < p->length) return;
    say(x, side, ACK | FIN, p->length, bytes_of(NULL, 0));
    p->sent = p->length + 1;
}

// Bytes where there can't be any.
static void say_behind(struct exchange *x, unsigned side)
{
    struct speaker *p = &x->side[side];
    int64_t from = p->length + (int64_t)dice_below(&x->s->dice, BEHIND_MAX / 2);
    if (dice_percent(&x->s->dice, 40) && p->length) from = p->length - 1;
    struct range r = {from, from + 1 + dice_below(&x->s->dice, BEHIND_MAX / 2)};
    say(x, side, ACK, r.from, said(p, r));
}

static void reset(struct exchange *x, unsigned side)
{
    bytes words = dice_percent(&x->s->dice, 20) ? bytes_text("reset") : bytes_of(NULL, 0);
    uint8_t flags = dice_percent(&x->s->dice, 50) ? RST | ACK : RST;
    say(x, side, flags, x->side[side].sent, words);
}

// ---- the whole ----------------------------------------------------------------------------------

static uint32_t length_make(struct scene *s)
{
    uint32_t form = dice_below(&s->dice, 100);
    if (form < 8) return 0;
    if (form < 35) return dice_between(&s->dice, 1, 40);
    if (form < 90) return dice_between(&s->dice, 40, 6000);
    return form < 99 ? dice_between(&s->dice, 6000, 30000)
                     : dice_between(&s->dice, 30000, LENGTH_MAX);
}

static void speaker_make(struct exchange *x, unsigned side)
{
    struct scene *s = x->s;
    struct speaker *p = &x->side[side];
    uint32_t length = length_make(s);
    p->bytes = scene_bytes(s, length + BEHIND_MAX * 2);
    p->length = length;
    bool tiny = s->tastes.tiny && length < 1000;
    p->segment_max = tiny ? dice_between(&s->dice, 1, 12) : dice_between(&s->dice, 30, 1460);
    if (dice_percent(&s->dice, 5)) p->segment_max = SEGMENT_MAX;
    if (p->segment_max < length / 200) p->segment_max = length / 200;
    p->segment_min = dice_percent(&s->dice, 50) ? p->segment_max : p->segment_max / 3 + 1;
    // Of a connection before it on the same ports it has the numbers still: others, then.
    uint32_t apart = x->t->earlier ? dice_between(&s->dice, 1 << 20, 1 << 28) : 0;
    if (apart) x->t->isn[side] += x->t->earlier * apart;
    else if (s->tastes.wrap) x->t->isn[side] = 0u - dice_below(&s->dice, length + 3);
    else x->t->isn[side] = (uint32_t)dice_next(&s->dice);
}

static void begin(struct exchange *x)
{
    struct dice *d = &x->s->dice;
    struct speaker *client = &x->side[0], *server = &x->side[1];
    // What follows on the same ports is told by its SYN.
    if (x->s->tastes.midstream && !x->s->tastes.reuse) {
        for (unsigned i = 0; i < 2; i++) {
            struct speaker *p = &x->side[i];
            p->sent = p->heard = dice_below(d, (uint32_t)p->length + 1);
        }
        return;
    }
    struct range early = {0, 0};
    if (x->s->tastes.syn_data && dice_percent(d, 50))
        early.to = dice_below(d, (uint32_t)(client->length < 600 ? client->length : 600) + 1);
    uint32_t times = dice_percent(d, 5) ? 2 : 1;
    for (uint32_t i = 0; i < times; i++)
        say(x, 0, SYN, 0, said(client, early))->pinned = !i && x->s->tastes.reuse;
    speaker_note(client, early);
    client->heard = dice_percent(d, 80) ? client->sent : 0;
    for (uint32_t i = 0; i < times; i++)
        say(x, 1, SYN | ACK, 0, said(server, (struct range){0, 0}));
    acknowledge(x, 0);
}

static void step(struct exchange *x, unsigned side)
{
    const struct tastes *tastes = &x->s->tastes;
    struct dice *d = &x->s->dice;
    uint32_t form = dice_below(d, 100);
    hear(x, side ^ 1);
    if (form < 55) say_next(x, side);
    else if (form < 75 && tastes->resend) say_again(x, side);
    else if (form < 88) acknowledge(x, side);
    else if (form < 91 && tastes->keep_alive) ask_whether_alive(x, side);
    else if (form < 94 && tastes->probe) probe_window(x, side);
    else if (form < 97 && (tastes->half_close || dice_percent(d, 30))) finish(x, side);
    else if (form == 98 && tastes->behind_fin) say_behind(x, side);
    else if (form == 99 && tastes->reset && dice_percent(d, 20)) reset(x, side);
}

static bool is_over(const struct exchange *x)
{
    return x->side[0].sent >= x->side[0].length && x->side[1].sent >= x->side[1].length;
}

static void end(struct exchange *x)
{
    struct dice *d = &x->s->dice;
    for (unsigned i = 0; i < 2; i++)
        if (x->s->tastes.resend && dice_percent(d, 60)) say_again(x, i);
    if (dice_percent(d, 20)) return; // cut in the middle
    for (unsigned i = 0; i < 2; i++) {
        hear(x, i ^ 1);
        if (x->s->tastes.reset && dice_percent(d, 40)) reset(x, i);
        else finish(x, i);
    }
    uint32_t more = dice_percent(d, 30) ? dice_below(d, 60) : dice_below(d, 3);
    for (uint32_t i = 0; i < more; i++) {
        unsigned side = dice_below(d, 2);
        hear(x, side ^ 1);
        if (x->s->tastes.behind_fin && dice_percent(d, 10)) say_behind(x, side);
        else if (x->s->tastes.resend && dice_percent(d, 30)) say_again(x, side);
        else acknowledge(x, side);
    }
}

// Where the ports are used again, a connection ends for all to see.
static void end_for_all(struct exchange *x)
{
    if (dice_percent(&x->s->dice, 40)) {
        say(x, dice_below(&x->s->dice, 2), RST | ACK, x->side[0].sent, bytes_of(NULL, 0))->pinned =
            true;
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        say(x, i, FIN | ACK, x->side[i].length, bytes_of(NULL, 0))->pinned = true;
}

void tcp_talk_fill(struct scene *s, struct talk *t)
{
    struct exchange *x = arena_take(s->arena, sizeof *x);
    x->s = s;
    x->t = t;
    for (unsigned i = 0; i < 2; i++) speaker_make(x, i);
    begin(x);
    uint32_t talkative = dice_between(&s->dice, 10, 90);
    for (uint32_t i = 0; i < STEPS_MAX && !is_over(x); i++)
        step(x, dice_percent(&s->dice, talkative));
    end(x);
    if (s->tastes.reuse) end_for_all(x);
}
