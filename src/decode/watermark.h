// The greatest believable packet time so far. Timers and windows fire by it, so one packet with a
// broken time must not move it by years.
//
// The rule: the first packet sets it. A packet at most WATERMARK_JUMP ahead moves it to its time,
// an earlier one leaves it. A packet further ahead is a candidate: the watermark stays until
// WATERMARK_CONFIRMATIONS of the WATERMARK_WINDOW packets after it lie within WATERMARK_JUMP of the
// candidate; then it moves to the greatest time of the candidate and those that confirmed it. A
// candidate that is not confirmed in time is forgotten; while one waits, other packets far ahead
// are only compared with it. So the watermark of a packet depends on the packets up to it and on
// nothing else: not on batches, lanes or clocks. It never goes back.
//
// Plain value, no shared state.
#pragma once

#include <stdbool.h>

#include "base/time.h"

#define WATERMARK_JUMP (3600 * NANOS_PER_SECOND)
enum { WATERMARK_WINDOW = 8, WATERMARK_CONFIRMATIONS = 2 };

struct watermark {
    bool started;
    nanos time;
    nanos candidate, candidate_max;  // a jump that waits to be confirmed
    unsigned window_left, confirmed; // window_left 0: there is no candidate
};

// The slow half of watermark_next: a candidate waits, or the packet is far ahead, or it is the
// first one.
nanos watermark_judge(struct watermark *w, nanos time);

// Takes the time of the next packet, returns the watermark up to and including it.
static inline nanos watermark_next(struct watermark *w, nanos time)
{
    bool far = time > w->time && (uint64_t)time - (uint64_t)w->time > (uint64_t)WATERMARK_JUMP;
    if (far || w->window_left || !w->started) return watermark_judge(w, time);
    if (time > w->time) w->time = time;
    return w->time;
}
