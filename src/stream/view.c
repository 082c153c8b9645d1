// What the consumer is shown: the packet's own bytes where it takes them whole, otherwise a block
// that collects what it left, until there is as much as it wants.
#include "stream/side.h"

#include <assert.h>

enum { VIEW_MIN = 2048 - (int)sizeof(struct view) };

static size_t view_block(const struct view *v)
{
    return block_size(sizeof *v + v->size);
}

void view_drop(struct streams *s, struct stream_side *side)
{
    if (!side->view) return;
    blocks_give(s->blocks, side->view, sizeof *side->view + side->view->size);
    side->view = NULL;
}

static void view_forget(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    if (side->view) turn_release(turn, view_block(side->view));
    view_drop(turn->s, side);
}

static uint64_t view_position(const struct stream_side *side)
{
    return side->next - (side->view ? side->view->used : 0);
}

nanos view_time_at(const struct stream_side *side, uint64_t position)
{
    nanos time = side->direct_time;
    if (!side->view || (position >= side->direct_at && side->direct_at >= view_position(side)))
        return time;
    const struct view *v = side->view;
    for (uint32_t i = 0; i < v->mark_count && v->marks[i].position <= position; i++)
        time = v->marks[i].time;
    return time;
}

static void view_mark(struct view *v, uint64_t position, nanos time)
{
    if (v->mark_count && v->marks[v->mark_count - 1].time == time) return;
    // When there are too many, later bytes count as of the last time that is kept.
    if (v->mark_count == STREAM_MARKS_MAX) return;
    v->marks[v->mark_count++] = (struct mark){position, time};
}

// Marks of bytes that are gone, but for the one in force.
static void view_unmark(struct view *v, uint64_t position)
{
    uint32_t gone = 0;
    while (gone + 1 < v->mark_count && v->marks[gone + 1].position <= position) gone++;
    if (!gone) return;
    v->mark_count -= gone;
    memmove(v->marks, v->marks + gone, v->mark_count * sizeof v->marks[0]);
}

// A view with room for n more bytes; NULL when the largest is too small, or the lane's blocks are
// used up.
static struct view *view_room(struct turn *turn, size_t n)
{
    struct stream_side *side = &turn->st->side[turn->side];
    struct view *v = side->view;
    if (v && v->from + v->used + n <= v->size) return v;
    if (v && v->used + n <= v->size) {
        memmove(v->data, v->data + v->from, v->used);
        v->from = 0;
        return v;
    }
    size_t need = (v ? v->used : 0) + n, size = VIEW_MIN;
    if (need > STREAM_VIEW_SIZE) return NULL;
    while (size < need) size = size * 2 + sizeof(struct view);
    if (size > STREAM_VIEW_SIZE) size = STREAM_VIEW_SIZE;
    struct view *larger = NULL;
    if (turn_has_room(turn, block_size(sizeof *larger + size)))
        larger = blocks_take(turn->s->blocks, sizeof *larger + size);
    if (!larger) return NULL;
    *larger = (struct view){.size = (uint32_t)size};
    if (v) {
        memcpy(larger->marks, v->marks, sizeof v->marks);
        larger->mark_count = v->mark_count;
        larger->used = v->used;
        memcpy(larger->data, v->data + v->from, v->used);
        view_forget(turn);
    }
    turn_charge(turn, view_block(larger));
    return side->view = larger;
}

// Shows `data`, which begins at `position`, as long as the consumer gets on; returns how many bytes
// are done with. What it skips beyond `data` is remembered.
static size_t view_show(struct turn *turn, bytes data, uint64_t position, bool last, bool closed)
{
    struct stream_side *side = &turn->st->side[turn->side];
    size_t done = 0;
    for (;;) {
        bytes rest = bytes_after(data, done);
        if (!rest.n && !last) break;
        struct stream_view view = {
            rest, position + done, view_time_at(side, position + done), turn->side, last, closed};
        struct stream_consumed c = turn->s->hooks.show(turn->s->hooks.context, turn->owner, &view);
        assert(c.used <= rest.n);
        side->want = c.want > STREAM_VIEW_SIZE ? STREAM_VIEW_SIZE : (uint32_t)c.want;
        if (c.ignore) {
            side->ignore = true;
            return data.n;
        }
        done += c.used;
        uint64_t skip = c.skip, there = data.n - done;
        if (skip > there) side->skip = skip - there;
        done += skip > there ? there : (size_t)skip;
        bool stuck = !c.used && !c.skip;
        if (stuck || done == data.n || data.n - done < side->want) break;
    }
    return done;
}

// Shows what the view holds, and takes away what was used.
static void view_show_held(struct turn *turn, bool last, bool closed)
{
    struct stream_side *side = &turn->st->side[turn->side];
    struct view *v = side->view;
    if (!last && v->used < side->want) return;
    size_t done =
        view_show(turn, bytes_of(v->data + v->from, v->used), view_position(side), last, closed);
    v->from += (uint32_t)done;
    v->used -= (uint32_t)done;
    if (!v->used) {
        view_forget(turn);
    } else {
        view_unmark(v, view_position(side));
    }
}

// Adds bytes to the view; those are the last of what is before side->next.
static bool view_append(struct turn *turn, bytes data, uint64_t position, nanos time)
{
    struct view *v = view_room(turn, data.n);
    if (!v) return false;
    memcpy(v->data + v->from + v->used, data.p, data.n);
    v->used += (uint32_t)data.n;
    view_mark(v, position, time);
    return true;
}

// The consumer wants more than can be kept for it: what it has not read, up to `next`, is a gap to
// it, and it may go on behind.
static void view_give_up(struct turn *turn, uint64_t position)
{
    struct stream_side *side = &turn->st->side[turn->side];
    const struct stream_hooks *hooks = &turn->s->hooks;
    view_forget(turn);
    side->want = 0;
    uint64_t length = side->next - position;
    enum gap_kind kind = length > STREAM_VIEW_SIZE ? GAP_UNREAD : GAP_UNKEPT;
    if (!hooks->gap(hooks->context, turn->owner, turn->side, position, length, kind))
        side->ignore = true;
}

static void view_deliver_held(struct turn *turn, bytes data, nanos time)
{
    struct stream_side *side = &turn->st->side[turn->side];
    uint64_t end = side->next;
    while (data.n && !side->ignore) {
        if (!side->view) {
            // The view was used up: the rest of the packet is shown as it lies.
            size_t done = view_show(turn, data, end - data.n, false, false);
            data = bytes_after(data, done);
            if (data.n && !side->ignore && !view_append(turn, data, end - data.n, time))
                view_give_up(turn, end - data.n);
            break;
        }
        size_t room = STREAM_VIEW_SIZE - side->view->used;
        bytes part = bytes_first(data, room);
        data = bytes_after(data, part.n);
        side->next = end - data.n;
        if (!part.n || !view_append(turn, part, side->next - part.n, time)) {
            uint64_t unread = view_position(side) - part.n;
            side->next = end;
            view_give_up(turn, unread);
            break;
        }
        if (side->view->used >= side->want) view_show_held(turn, false, false);
        if (side->skip) {
            size_t n = side->skip < data.n ? (size_t)side->skip : data.n;
            side->skip -= n;
            data = bytes_after(data, n);
        }
    }
    side->next = end;
    if (side->ignore) view_forget(turn);
}

void view_deliver(struct turn *turn, bytes data, nanos time)
{
    struct stream_side *side = &turn->st->side[turn->side];
    side->direct_time = time;
    if (side->ignore) return;
    if (side->skip) {
        size_t n = side->skip < data.n ? (size_t)side->skip : data.n;
        side->skip -= n;
        data = bytes_after(data, n);
        if (!data.n) return;
    }
    side->direct_at = side->next - data.n;
    if (side->view) {
        view_deliver_held(turn, data, time);
        return;
    }
    size_t done = view_show(turn, data, side->direct_at, false, false);
    bytes rest = bytes_after(data, done);
    if (rest.n && !side->ignore && !view_append(turn, rest, side->next - rest.n, time))
        view_give_up(turn, side->next - rest.n);
}

void view_show_last(struct turn *turn, bool closed)
{
    struct stream_side *side = &turn->st->side[turn->side];
    if (side->ignore || (!side->started && !closed)) {
        view_forget(turn);
        return;
    }
    side->skip = 0;
    if (side->view) view_show_held(turn, true, closed);
    else view_show(turn, bytes_of(NULL, 0), side->next, true, closed);
    view_forget(turn);
}

void view_gap(struct turn *turn, uint64_t length, enum gap_kind kind)
{
    struct stream_side *side = &turn->st->side[turn->side];
    if (side->ignore) return;
    uint64_t skipped = side->skip < length ? side->skip : length;
    side->skip -= skipped;
    if (skipped == length) return;
    // What is unread before the gap will never be continued: it is dropped.
    side->want = 0;
    uint64_t position = side->next + skipped;
    bool on = turn->s->hooks.gap(turn->s->hooks.context, turn->owner, turn->side, position,
                                 length - skipped, kind);
    view_forget(turn);
    if (!on) side->ignore = true;
}
