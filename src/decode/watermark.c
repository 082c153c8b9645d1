#include "decode/watermark.h"

#include <assert.h>

// Times of packets are the input's: a difference may not fit a signed number.
static uint64_t distance(nanos a, nanos b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static void watermark_confirm(struct watermark *w, nanos time)
{
    w->window_left--;
    if (distance(time, w->candidate) > (uint64_t)WATERMARK_JUMP) return;
    if (time > w->candidate_max) w->candidate_max = time;
    if (++w->confirmed < WATERMARK_CONFIRMATIONS) return;
    if (w->candidate_max > w->time) w->time = w->candidate_max;
    w->window_left = 0;
}

nanos watermark_judge(struct watermark *w, nanos time)
{
    assert(w->window_left <= WATERMARK_WINDOW);
    if (!w->started) {
        *w = (struct watermark){.started = true, .time = time};
        return time;
    }
    bool far = time > w->time && distance(time, w->time) > (uint64_t)WATERMARK_JUMP;
    if (w->window_left) {
        watermark_confirm(w, time);
    } else if (far) {
        w->candidate = w->candidate_max = time;
        w->window_left = WATERMARK_WINDOW;
        w->confirmed = 0;
    }
    if (!far && time > w->time) w->time = time;
    return w->time;
}
