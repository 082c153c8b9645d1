// Random numbers from a seed, the same on every machine (splitmix64).
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *d)
{
    uint64_t v = d->state += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

// 0 .. n - 1
static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
    return n ? (uint32_t)((dice_next(d) >> 32) * n >> 32) : 0;
}

static inline uint32_t dice_between(struct dice *d, uint32_t from, uint32_t to)
{
    return from + dice_below(d, to - from + 1);
}

static inline bool dice_percent(struct dice *d, uint32_t percent)
{
    return dice_below(d, 100) < percent;
}
