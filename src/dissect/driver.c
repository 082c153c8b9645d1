// Choosing and feeding dissectors.
#include "dissect/driver.h"

#include <assert.h>

#include "dissect/inside.h"
#include "flow/tcp.h"

enum {
    LOOKS_MAX = 32, // views of a side, or datagrams, that may tell nothing before we stop looking
    RECOGNISE_BYTES = 512 // more than this no recogniser may want
};

struct dissect_stage *dissect_stage_create(uint32_t dissections_max, struct blocks *blocks,
                                           struct record_writer *writer, struct body_hooks bodies,
                                           struct err *err)
{
    assert(dissector_count <= 64);
    struct dissect_stage *g = memory_get(sizeof *g);
    g->blocks = blocks;
    g->writer = writer;
    g->bodies = bodies;
    if (pool_init(&g->pool, sizeof(struct dissect), dissections_max, err)) return g;
    memory_free(g);
    return NULL;
}

void dissect_stage_destroy(struct dissect_stage *g)
{
    if (!g) return;
    pool_deinit(&g->pool);
    memory_free(g);
}

void dissect_stage_streams(struct dissect_stage *g, struct streams *streams)
{
    g->streams = streams;
}

void dissect_stage_charge(struct dissect_stage *g, struct dissect_budget budget)
{
    g->budget = budget;
}

const struct dissect_counters *dissect_stage_counters(const struct dissect_stage *g)
{
    return &g->counters;
}

static struct dissect *dissect_of(struct dissect_stage *g, struct conversation *c)
{
    if (c->dissect) return pool_at(&g->pool, c->dissect);
    bool has_room = g->pool.used + g->away < g->pool.items_max;
    c->dissect = has_room ? pool_take(&g->pool) : 0;
    if (!c->dissect) {
        c->undissected = true;
        g->counters.given_up++;
        return NULL;
    }
    struct dissect *d = pool_at(&g->pool, c->dissect);
    d->stage = g;
    d->conversation = c;
    d->first_side = c->src_side;
    return d;
}

static bool port_says(const struct dissector *dissector, const struct conversation *c)
{
    for (unsigned i = 0; i < 8 && dissector->ports[i]; i++)
        if (dissector->ports[i] == c->key.port_a || dissector->ports[i] == c->key.port_b)
            return true;
    return false;
}

// What a recogniser is shown of a stream: never more than RECOGNISE_BYTES, so that what it says
// does not depend on how many came at once.
static struct piece first_bytes(const struct piece *piece, enum transport transport)
{
    struct piece first = *piece;
    if (transport == TRANSPORT_UDP || piece->data.n <= RECOGNISE_BYTES) return first;
    first.data = bytes_first(piece->data, RECOGNISE_BYTES);
    first.last = first.closed = false;
    return first;
}

// What the first bytes are. `more` is set when a dissector wants to see more of them before it
// decides; those behind it in the list wait for it.
static const struct dissector *recognise(const struct dissect *d, const struct piece *piece,
                                         enum transport transport, bool *more)
{
    const struct dissector *found = NULL, *by_port = NULL;
    struct piece first = first_bytes(piece, transport);
    *more = false;
    for (uint32_t i = 0; i < dissector_count && !found; i++) {
        const struct dissector *candidate = dissectors[i];
        if (!(candidate->transports & transport) || d->failed >> i & 1) continue;
        enum recognition r = candidate->recognise(&first, transport);
        if (r == RECOGNISE_YES) found = candidate;
        if (r == RECOGNISE_MORE) *more = true;
        if (r == RECOGNISE_PORT && !by_port && port_says(candidate, d->conversation))
            by_port = candidate;
    }
    *more = *more && transport == TRANSPORT_TCP && first.data.n < RECOGNISE_BYTES && !first.last;
    if (*more) return NULL;
    return found ? found : by_port;
}

static void note_service(struct conversation *c, const char *name)
{
    for (unsigned i = 0; i < SERVICES_MAX; i++) {
        if (c->services[i] == name) return;
        if (c->services[i]) continue;
        c->services[i] = name;
        return;
    }
}

static bool dissect_begin(struct dissect *d, const struct dissector *dissector)
{
    void *state = NULL;
    if (dissector->state_size) {
        state = dissect_block_take(d, dissector->state_size);
        if (!state) return false;
        memset(state, 0, dissector->state_size);
    }
    d->state = state;
    d->state_size = dissector->state_size;
    d->dissector = dissector;
    d->accepted = false;
    return true;
}

// The dissector says the conversation is not its own: others may try.
static void dissect_reject(struct dissect *d)
{
    for (uint32_t i = 0; i < dissector_count; i++)
        if (dissectors[i] == d->dissector) d->failed |= UINT64_C(1) << i;
    dissect_forget(d);
}

static void dissect_accept(struct dissect *d)
{
    if (d->accepted) return;
    d->accepted = true;
    d->stage->counters.recognised++;
    note_service(d->conversation, d->dissector->name);
}

void dissect_packet(struct dissect_stage *g, struct conversation *c, const struct packet *p)
{
    struct dissect *d = dissect_of(g, c);
    if (!d) return;
    uint8_t side = p->side ^ d->first_side;
    struct piece piece = {
        .data = {p->data + p->payload_offset, p->payload_captured},
        .position = d->datagram_bytes[side],
        .time = p->time,
        .side = side,
        .cut = p->payload_captured < p->payload_length,
        .length = p->payload_length,
    };
    d->datagram_bytes[side] += p->payload_length;
    g->datagram_time = p->time;
    uint64_t end = piece.position + p->payload_length;
    if (piece.cut)
        flaws_note(d, p->side, piece.position + p->payload_captured, end, FLAW_INCOMPLETE);
    if (p->is_ambiguous) flaws_note(d, p->side, piece.position, end, FLAW_AMBIGUOUS);
    while (!d->dissector) {
        bool more;
        const struct dissector *found = recognise(d, &piece, TRANSPORT_UDP, &more);
        if (!found || !dissect_begin(d, found)) {
            if (++d->tries[side] >= LOOKS_MAX) c->undissected = true;
            return;
        }
        if (found->datagram(d, &piece) != DISSECT_NOT_MINE) {
            dissect_accept(d);
            return;
        }
        dissect_reject(d);
    }
    if (d->dissector->datagram(d, &piece) == DISSECT_NOT_MINE) dissect_reject(d);
}

static const struct dissector *dissector_named(const char *name)
{
    for (uint32_t i = 0; name && i < dissector_count; i++)
        if (strcmp(dissectors[i]->name, name) == 0) return dissectors[i];
    return NULL;
}

// The stream goes on as something else.
static void dissect_change(struct dissect *d)
{
    const char *name = d->stage->switch_to;
    d->switched = false;
    dissect_forget(d);
    d->failed = 0;
    d->tries[0] = d->tries[1] = 0;
    memset(d->waited, 0, sizeof d->waited);
    d->conversation->undissected = false;
    for (uint8_t side = 0; side < 2; side++)
        stream_attend(d->stage->streams, d->conversation->stream, side);
    const struct dissector *next = dissector_named(name);
    if (next && dissect_begin(d, next)) dissect_accept(d);
}

// More than these bytes of a side is wanted: whatever comes next may begin something of its own.
static void waited_note(struct dissect *d, uint8_t side, size_t n)
{
    uint16_t *waited = d->waited[side];
    for (unsigned i = 0; i < WAITS_MAX; i++) {
        if (waited[i] == n) return;
        if (waited[i]) continue;
        waited[i] = (uint16_t)n;
        return;
    }
}

// How many of n bytes are to be left, since they are no beginning: up to where the next might be.
static size_t waited_leave(struct dissect *d, uint8_t side, size_t n)
{
    uint16_t *waited = d->waited[side];
    uint16_t leave = waited[0];
    for (unsigned i = 0; i + 1 < WAITS_MAX; i++)
        waited[i] = waited[i + 1] > leave ? (uint16_t)(waited[i + 1] - leave) : 0;
    waited[WAITS_MAX - 1] = 0;
    return leave && leave < n ? leave : n;
}

// Looks for the dissector of a stream in one view. True when one was begun; else *answer is what to
// tell the stream.
static bool view_recognise(struct dissect *d, const struct piece *piece,
                           struct stream_consumed *answer)
{
    bool more;
    const struct dissector *found =
        piece->data.n ? recognise(d, piece, TRANSPORT_TCP, &more) : NULL;
    if (!piece->data.n) {
        *answer = (struct stream_consumed){0};
        return false;
    }
    if (found && dissect_begin(d, found)) {
        memset(d->waited[piece->side], 0, sizeof d->waited[piece->side]);
        uint8_t other = (uint8_t)(piece->side ^ 1 ^ d->first_side);
        stream_attend(d->stage->streams, d->conversation->stream, other);
        return true;
    }
    if (more) {
        waited_note(d, piece->side, piece->data.n);
        *answer = (struct stream_consumed){.want = piece->data.n + 1};
        return false;
    }
    // After STARTTLS comes TLS.
    size_t used = waited_leave(d, piece->side, piece->data.n);
    bool enough = ++d->tries[piece->side] >= LOOKS_MAX;
    if (enough && d->tries[piece->side ^ 1] >= LOOKS_MAX) d->conversation->undissected = true;
    *answer = (struct stream_consumed){.used = used, .ignore = enough};
    return false;
}

// The other side told what the conversation is while more of this one was wanted. What had come of
// it by then may belong to what was before, such as the one byte with which a database agrees to
// TLS. True when *answer is what to tell.
static bool view_leave_waited(struct dissect *d, const struct piece *piece,
                              struct stream_consumed *answer)
{
    if (!d->waited[piece->side][0] || !piece->data.n) return false;
    struct piece first = first_bytes(piece, TRANSPORT_TCP);
    enum recognition r = d->dissector->recognise(&first, TRANSPORT_TCP);
    if (r == RECOGNISE_MORE && piece->data.n < RECOGNISE_BYTES && !piece->last) {
        *answer = (struct stream_consumed){.want = piece->data.n + 1};
        return true;
    }
    if (r == RECOGNISE_NO) {
        size_t leave = waited_leave(d, piece->side, piece->data.n);
        *answer = (struct stream_consumed){.used = leave};
        return leave < piece->data.n;
    }
    memset(d->waited[piece->side], 0, sizeof d->waited[piece->side]);
    return false;
}

struct stream_consumed dissect_view(struct dissect_stage *g, struct conversation *c,
                                    const struct stream_view *view)
{
    struct dissect *d = dissect_of(g, c);
    if (!d) return (struct stream_consumed){.used = view->data.n, .ignore = true};
    struct piece piece = {
        .data = view->data,
        .position = view->position,
        .time = view->time,
        .side = view->side ^ d->first_side,
        .last = view->last,
        .closed = view->closed,
        .length = (uint32_t)view->data.n,
    };
    struct stream_consumed answer;
    g->shown = view->data;
    g->shown_at = view->position;
    for (;;) {
        if (!d->dissector && !view_recognise(d, &piece, &answer)) return answer;
        if (view_leave_waited(d, &piece, &answer)) return answer;
        struct progress p = d->dissector->stream(d, &piece);
        if (p.verdict == DISSECT_NOT_MINE) {
            dissect_reject(d);
            continue;
        }
        dissect_accept(d);
        if (d->switched) {
            dissect_change(d);
            return (struct stream_consumed){.used = p.used};
        }
        if (p.verdict == DISSECT_STOP)
            return (struct stream_consumed){.used = view->data.n, .ignore = true};
        return (struct stream_consumed){.used = p.used, .skip = p.skip, .want = p.want};
    }
}

void dissect_mark(struct dissect_stage *g, struct conversation *c, uint8_t side, uint64_t position,
                  uint64_t length, enum dissect_flaw flaw)
{
    struct dissect *d = c->undissected ? NULL : dissect_of(g, c);
    if (d && length) flaws_note(d, side, position, position + length, flaw);
}

bool dissect_lost(struct dissect_stage *g, struct conversation *c, uint8_t side, uint64_t position,
                  uint64_t length)
{
    dissect_mark(g, c, side, position, length, FLAW_INCOMPLETE);
    if (!c->dissect) return true;
    struct dissect *d = pool_at(&g->pool, c->dissect);
    memset(d->waited[side ^ d->first_side], 0, sizeof d->waited[0]);
    if (!d->dissector) return true;
    g->lost_at = position;
    bool on = d->dissector->gap(d, side ^ d->first_side, position, length);
    if (!d->switched) return on;
    dissect_change(d);
    return true;
}

void dissect_close(struct dissect_stage *g, struct conversation *c)
{
    if (!c->dissect) return;
    struct dissect *d = pool_at(&g->pool, c->dissect);
    if (d->dissector) d->dissector->end(d);
    dissect_forget(d);
    flaws_give(d);
    pool_give(&g->pool, c->dissect);
    c->dissect = 0;
}
