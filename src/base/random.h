// Numbers for property tests: the same in every run, so that a failure can be had again. No
// test of randomness passes it, and no product code includes it.
#pragma once

#include <stddef.h>
#include <stdint.h>

// xorshift64; the state must not be 0.
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline size_t random_below(uint64_t *state, size_t n)
{
    return (size_t)(random_next(state) >> 11) % n;
}
