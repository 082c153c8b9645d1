#include "engine/finder.h"

#include <assert.h>

enum {
    PIECE_MAX = 16384,                      // longer pieces are taken in several
    WHOLE = FINDER_WINDOW + FINDER_CONTEXT, // a window, and what is shown behind a match in it
    KEPT_MAX = FINDER_WINDOW + NEEDLE_BEHIND_MAX + 2 * FINDER_CONTEXT,
    SUBJECT_MAX = KEPT_MAX + PIECE_MAX,
    MARKS_MIN = 4,
    MARKS_MAX =
        4096, // pieces of a track whose frames are known; beyond, the last one stands for all
};
_Static_assert((int)KEPT_MAX <= (int)BLOCK_SIZE_MAX, "what is kept fits into a block");

// Which frame brought the bytes from `position` on.
struct mark {
    uint64_t position;
    nanos time;
    struct packet_frame frame;
};
_Static_assert(MARKS_MAX * sizeof(struct mark) <= BLOCK_SIZE_MAX, "so do the marks");

struct track {
    uint8_t *held;
    struct mark *marks;
    uint64_t position; // of the first held byte
    uint32_t held_count, held_room;
    uint32_t mark_count, mark_room;
    uint32_t from; // in held: matches begin here or behind
    uint32_t want; // not to be searched again below this many held bytes
};

// What is searched: what the track holds and the piece behind it.
struct look {
    struct finder *f;
    struct track *track;
    bytes subject;
    size_t from, want;
    bool last;
};

bool finder_init(struct finder *f, struct needle *needle, void *context,
                 void (*take)(void *context, const struct found *found), struct err *err)
{
    *f = (struct finder){.needle = needle, .context = context, .take = take};
    f->subject = memory_get(SUBJECT_MAX);
    return blocks_init(&f->blocks, FINDER_HELD_MAX, err) &&
           pool_init(&f->tracks, sizeof(struct track), FINDER_TRACKS_MAX, err);
}

void finder_deinit(struct finder *f)
{
    if (f->tracks.items) pool_deinit(&f->tracks);
    if (f->blocks.range) blocks_deinit(&f->blocks);
    memory_free(f->subject);
    *f = (struct finder){0};
}

// ---- which frames -------------------------------------------------------------------------------

static void mark_frame(struct finder *f, struct track *t, struct mark mark)
{
    if (t->mark_count == t->mark_room) {
        uint32_t room = t->mark_room ? t->mark_room * 2 : MARKS_MIN;
        struct mark *more = room > MARKS_MAX ? NULL : blocks_take(&f->blocks, room * sizeof *more);
        if (!more) return;
        if (t->marks) {
            memcpy(more, t->marks, t->mark_count * sizeof *more);
            blocks_give(&f->blocks, t->marks, t->mark_room * sizeof *more);
        }
        t->marks = more;
        t->mark_room = room;
    }
    t->marks[t->mark_count++] = mark;
}

// Where the bytes of mark i end: where the next ones begin that came elsewhere.
static uint64_t mark_end(const struct track *t, uint32_t i)
{
    uint32_t next = i + 1;
    while (next < t->mark_count && t->marks[next].position == t->marks[i].position) next++;
    return next < t->mark_count ? t->marks[next].position : UINT64_MAX;
}

// Forgets the marks whose bytes end before the track's first.
static void marks_drop(struct track *t)
{
    uint32_t gone = 0;
    while (gone < t->mark_count && mark_end(t, gone) <= t->position) gone++;
    t->mark_count -= gone;
    if (gone) memmove(t->marks, t->marks + gone, t->mark_count * sizeof *t->marks);
}

static void report(const struct look *look, size_t begin, size_t end)
{
    const struct track *t = look->track;
    bytes s = look->subject;
    struct packet_frame frames[FINDER_FRAMES_MAX];
    size_t before = begin < FINDER_CONTEXT ? begin : FINDER_CONTEXT;
    struct found found = {
        .position = t->position + begin,
        .text = bytes_of(s.p + begin, end - begin),
        .before = bytes_of(s.p + begin - before, before),
        .behind = bytes_first(bytes_after(s, end), FINDER_CONTEXT),
        .frames = frames,
    };
    for (uint32_t i = 0; i < t->mark_count; i++) {
        if (mark_end(t, i) <= found.position) continue;
        if (t->marks[i].position >= t->position + end) break;
        if (!found.frame_count) found.time = t->marks[i].time;
        found.more_frames = found.frame_count == FINDER_FRAMES_MAX;
        if (found.more_frames) break;
        frames[found.frame_count++] = t->marks[i].frame;
    }
    look->f->take(look->f->context, &found);
}

// ---- looking ------------------------------------------------------------------------------------

// A match that may begin at `begin` and has not ended yet: more is waited for, up to the window;
// then it is what it is by then.
static bool look_open(struct look *look, size_t begin)
{
    bytes s = look->subject;
    size_t end, open = s.n - begin;
    look->from = begin;
    if (open < WHOLE) {
        // Looked at again when there is twice as much, so that all looks together cost twice the
        // bytes.
        look->want = begin + (2 * open < WHOLE ? 2 * open : WHOLE);
        return false;
    }
    enum needle_result r = needle_find(look->f->needle, bytes_first(s, begin + FINDER_WINDOW),
                                       begin, NEEDLE_CUT, &begin, &end);
    if (r == NEEDLE_GIVEN_UP) look->f->given_up++;
    if (r == NEEDLE_FOUND && begin < look->from + FINDER_SPAN) {
        report(look, begin, end);
        look->from = end;
    } else {
        look->from += FINDER_SPAN;
    }
    return true;
}

static bool look_found(struct look *look, size_t begin, size_t end)
{
    size_t shown = end + FINDER_CONTEXT;
    if (end - begin > FINDER_WINDOW) return look_open(look, begin);
    look->from = begin;
    // It is found again once what is shown behind it is there.
    if (!look->last && shown > look->subject.n) {
        look->want = shown;
        return false;
    }
    report(look, begin, end);
    look->from = end;
    return true;
}

// One match, or none; false when there is nothing more to be done with the subject.
static bool look_once(struct look *look, enum needle_end end)
{
    size_t begin = 0, behind = 0, n = look->subject.n;
    if (look->from >= n) return false;
    switch (needle_find(look->f->needle, look->subject, look->from, end, &begin, &behind)) {
    case NEEDLE_FOUND:
        return look_found(look, begin, behind);
    case NEEDLE_OPEN:
        return look_open(look, begin);
    case NEEDLE_GIVEN_UP:
        look->f->given_up++;
        break;
    case NEEDLE_NONE:
        break;
    }
    look->from = n;
    return false;
}

// ---- tracks -------------------------------------------------------------------------------------

// Keeps the last `n` bytes of the subject. False when there is no room for them.
static bool track_hold(struct look *look, size_t n)
{
    struct finder *f = look->f;
    struct track *t = look->track;
    bytes kept = bytes_after(look->subject, look->subject.n - n);
    assert(n <= KEPT_MAX);
    if (n > t->held_room || block_size(t->held_room) > 4 * block_size(n)) {
        uint8_t *other = blocks_take(&f->blocks, n);
        if (!other && n > t->held_room) return false;
        if (other && t->held) blocks_give(&f->blocks, t->held, t->held_room);
        if (other) t->held = other;
        if (other) t->held_room = (uint32_t)block_size(n);
    }
    if (n) memcpy(t->held, kept.p, n);
    t->held_count = (uint32_t)n;
    return true;
}

// Forgets what no match needs any more.
static void track_keep(struct look *look)
{
    struct track *t = look->track;
    size_t behind = needle_behind(look->f->needle);
    if (behind < FINDER_CONTEXT) behind = FINDER_CONTEXT;
    size_t gone = look->from > behind ? look->from - behind : 0;
    if (!track_hold(look, look->subject.n - gone)) {
        look->f->cut++;
        look->last = true;
        while (look_once(look, NEEDLE_LAST)) {
        }
        gone = look->from = look->subject.n;
        t->held_count = 0;
    }
    t->position += gone;
    t->from = (uint32_t)(look->from - gone);
    t->want = (uint32_t)(look->want > gone ? look->want - gone : 0);
    marks_drop(t);
}

static void track_look(struct finder *f, struct track *t, bytes data, bool last)
{
    struct look look = {.f = f, .track = t, .from = t->from, .want = t->want, .last = last};
    if (t->held_count) memcpy(f->subject, t->held, t->held_count);
    if (data.n) memcpy(f->subject + t->held_count, data.p, data.n);
    look.subject = bytes_of(f->subject, t->held_count + data.n);
    // What is certain whatever follows is found first, so that the end of the bytes changes nothing
    // of it.
    if (last || look.subject.n >= look.want)
        while (look_once(&look, NEEDLE_MORE)) {
        }
    if (last)
        while (look_once(&look, NEEDLE_LAST)) {
        }
    if (look.from >= look.subject.n) look.want = 0;
    track_keep(&look);
}

uint32_t finder_open(struct finder *f)
{
    return pool_take(&f->tracks);
}

void finder_end(struct finder *f, uint32_t track)
{
    struct track *t = pool_at(&f->tracks, track);
    if (t->held_count > t->from) track_look(f, t, bytes_of(NULL, 0), true);
    t->position += t->held_count;
    t->held_count = t->from = t->want = t->mark_count = 0;
}

void finder_add(struct finder *f, uint32_t track, const struct finder_piece *piece)
{
    struct track *t = pool_at(&f->tracks, track);
    if (piece->position != t->position + t->held_count) {
        finder_end(f, track);
        t->position = piece->position;
    }
    for (uint32_t i = 0; i < piece->frame_count; i++)
        mark_frame(f, t, (struct mark){piece->position, piece->time, piece->frames[i]});
    for (bytes rest = piece->data; rest.n; rest = bytes_after(rest, PIECE_MAX))
        track_look(f, t, bytes_first(rest, PIECE_MAX), false);
}

void finder_close(struct finder *f, uint32_t track)
{
    struct track *t = pool_at(&f->tracks, track);
    finder_end(f, track);
    if (t->held) blocks_give(&f->blocks, t->held, t->held_room);
    if (t->marks) blocks_give(&f->blocks, t->marks, t->mark_room * sizeof *t->marks);
    pool_give(&f->tracks, track);
}
