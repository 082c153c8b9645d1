#include <assert.h>

#include "base/memory.h"
#include "dissect/harness_inside.h"

// ---- life cycle ---------------------------------------------------------------------------------

struct harness *harness_create(const struct dissector *dissector, enum transport transport)
{
    assert(dissector->state_size <= DISSECT_STATE_MAX);
    struct harness *h = memory_get(sizeof *h);
    h->d.dissector = dissector;
    h->d.transport = transport;
    h->d.ports[0] = 40000;
    h->d.ports[1] = dissector->ports[0];
    h->d.now = NANOS_PER_SECOND;
    h->d.state_size = dissector->state_size;
    h->d.state = memory_get(dissector->state_size);
    h->d.lines = memory_get(LINES_MAX * sizeof *h->d.lines);
    h->d.bodies = memory_get(BODIES_MAX * sizeof *h->d.bodies);
    for (size_t i = 0; i < 2; i++) {
        h->d.directions[i].segments = memory_get(SEGMENTS_MAX * sizeof(struct segment));
    }
    return h;
}

static void line_free(struct line *line)
{
    for (unsigned i = 0; line->kind && i < line->kind->field_count; i++)
        memory_free(line->values[i]);
    memory_free(line->values);
    memory_free(line->text);
}

void harness_destroy(struct harness *h)
{
    if (!h) return;
    struct dissect *d = &h->d;
    for (size_t i = 0; i < 2; i++) {
        text_deinit(&d->directions[i].unread);
        memory_free(d->directions[i].segments);
    }
    for (size_t i = 0; i < KINDS_MAX; i++) batch_destroy(d->batches[i]);
    for (size_t i = 0; i < DISSECT_HELD_MAX; i++) {
        if (d->held[i].used) memory_free(d->held[i].row.buf.p);
    }
    for (size_t i = 0; i < d->body_count; i++) {
        text_deinit(&d->bodies[i].data);
        text_deinit(&d->bodies[i].line);
    }
    for (size_t i = 0; i < d->line_count; i++) line_free(&d->lines[i]);
    text_deinit(&d->joined);
    memory_free(d->bodies);
    memory_free(d->lines);
    memory_free(d->state);
    memory_free(h);
}

void harness_ports(struct harness *h, uint16_t src_port, uint16_t dst_port)
{
    h->d.ports[0] = src_port;
    h->d.ports[1] = dst_port;
}

void harness_time(struct harness *h, nanos now)
{
    h->d.now = now;
}

// ---- calls --------------------------------------------------------------------------------------

// A view in memory of its own, exactly as large as it is; freed by view_give.
static bytes view_take(bytes data)
{
    uint8_t *p = memory_get(data.n);
    if (data.n) memcpy(p, data.p, data.n);
    return bytes_of(p, data.n);
}

static void view_give(bytes view)
{
    memory_free((void *)(uintptr_t)view.p);
}

// The state moves, as it may in the program.
static void call_done(struct dissect *d, enum verdict verdict, struct direction *direction)
{
    dissect_state_resize(d, d->state_size);
    if (verdict == DISSECT_STOP) direction->stopped = true;
    if (verdict != DISSECT_NOT_MINE) return;
    assert(!d->emitted);
    d->not_mine = true;
}

static bool is_over(const struct dissect *d, uint8_t side)
{
    return d->directions[side].stopped || d->not_mine || d->switched;
}

static void segment_add(struct dissect *d, struct direction *direction, uint64_t position)
{
    assert(direction->segment_count < SEGMENTS_MAX);
    direction->segments[direction->segment_count++] = (struct segment){position, d->now};
}

enum recognition harness_recognise(const struct dissector *dissector, enum transport transport,
                                   bytes first)
{
    struct piece piece = {
        .data = view_take(first), .length = (uint32_t)first.n, .time = NANOS_PER_SECOND};
    enum recognition recognition = dissector->recognise(&piece, transport);
    view_give(piece.data);
    return recognition;
}

// ---- datagrams ----------------------------------------------------------------------------------

enum verdict harness_datagram_cut(struct harness *h, uint8_t side, bytes data, uint32_t length)
{
    struct dissect *d = &h->d;
    struct direction *direction = &d->directions[side];
    assert(d->transport == TRANSPORT_UDP && !d->ended && data.n <= length);
    if (is_over(d, side)) return DISSECT_STOP;
    segment_add(d, direction, direction->position);
    struct piece piece = {
        .data = view_take(data),
        .position = direction->position,
        .time = d->now,
        .side = side,
        .cut = data.n < length,
        .length = length,
    };
    direction->shown_from = piece.position;
    enum verdict verdict = d->dissector->datagram(d, &piece);
    view_give(piece.data);
    direction->position += length;
    call_done(d, verdict, direction);
    return verdict;
}

enum verdict harness_datagram(struct harness *h, uint8_t side, bytes data)
{
    return harness_datagram_cut(h, side, data, (uint32_t)data.n);
}

// ---- streams ------------------------------------------------------------------------------------

static void unread_consume(struct direction *direction, size_t n)
{
    struct text *unread = &direction->unread;
    assert(n <= unread->n);
    if (n) memmove(unread->p, unread->p + n, unread->n - n);
    unread->n -= n;
    direction->position += n;
}

static void unread_skip(struct direction *direction)
{
    size_t n =
        direction->skip < direction->unread.n ? (size_t)direction->skip : direction->unread.n;
    unread_consume(direction, n);
    direction->skip -= n;
}

// Shows what is unread once; true when the dissector got further.
static bool direction_show(struct dissect *d, uint8_t side, bool last)
{
    struct direction *direction = &d->directions[side];
    bytes unread = bytes_of(direction->unread.p, direction->unread.n);
    struct piece piece = {
        .data = view_take(bytes_first(unread, STREAM_VIEW_MAX)),
        .position = direction->position,
        .side = side,
        .last = last,
        .closed = last && direction->closed,
        .length = (uint32_t)bytes_first(unread, STREAM_VIEW_MAX).n,
    };
    direction->shown_from = piece.position;
    piece.time = dissect_time_at(d, side, piece.position);
    struct progress progress = d->dissector->stream(d, &piece);
    view_give(piece.data);
    assert(progress.used <= piece.data.n && progress.want <= STREAM_VIEW_MAX);
    bool further = progress.used > 0 || progress.skip > 0;
    call_done(d, progress.verdict, direction);
    // A full view of which nothing is used would never change.
    assert(further || last || is_over(d, side) || piece.data.n < STREAM_VIEW_MAX);
    unread_consume(direction, progress.used);
    direction->skip = progress.skip;
    direction->want = progress.want;
    return further;
}

static void direction_run(struct dissect *d, uint8_t side, bool last)
{
    struct direction *direction = &d->directions[side];
    bool told_last = false;
    while (!is_over(d, side)) {
        unread_skip(direction);
        size_t unread = direction->unread.n;
        if (unread == 0 && (!last || told_last)) return;
        if (unread < direction->want && !last) return;
        told_last = last;
        if (!direction_show(d, side, last) && !(last && !told_last)) return;
    }
}

void harness_stream(struct harness *h, uint8_t side, bytes data)
{
    struct dissect *d = &h->d;
    struct direction *direction = &d->directions[side];
    assert(d->transport == TRANSPORT_TCP && !d->ended && !direction->ended);
    segment_add(d, direction, direction->position + direction->unread.n);
    text_put(&direction->unread, data);
    direction_run(d, side, false);
}

void harness_gap(struct harness *h, uint8_t side, uint64_t length)
{
    struct dissect *d = &h->d;
    struct direction *direction = &d->directions[side];
    assert(d->transport == TRANSPORT_TCP && !d->ended && !direction->ended);
    unread_skip(direction);
    uint64_t begin = direction->position + direction->unread.n;
    uint64_t unseen = direction->skip < length ? direction->skip : length;
    direction->skip -= unseen;
    if (unseen < length && !is_over(d, side)) {
        bool on = d->dissector->gap && d->dissector->gap(d, side, begin + unseen, length - unseen);
        call_done(d, on ? DISSECT_GO : DISSECT_STOP, direction);
        direction->want = 0;
    }
    direction->unread.n = 0;
    direction->position = begin + length;
}

void harness_last(struct harness *h, uint8_t side)
{
    struct dissect *d = &h->d;
    assert(d->transport == TRANSPORT_TCP && !d->ended && !d->directions[side].ended);
    d->directions[side].ended = true;
    direction_run(d, side, true);
}

void harness_close(struct harness *h, uint8_t side)
{
    h->d.directions[side].closed = true;
    harness_last(h, side);
}

void harness_end(struct harness *h)
{
    struct dissect *d = &h->d;
    assert(!d->ended);
    for (uint8_t side = 0; side < 2 && d->transport == TRANSPORT_TCP; side++) {
        if (!d->directions[side].ended) harness_last(h, side);
    }
    if (!d->not_mine && !d->switched) {
        if (d->dissector->end) d->dissector->end(d);
        for (size_t i = 0; i < DISSECT_HELD_MAX; i++) assert(!d->held[i].used);
    }
    d->ended = true;
    for (size_t i = 0; i < d->body_count; i++) {
        if (d->bodies[i].handle) harness_body_left(d, &d->bodies[i]);
    }
}
