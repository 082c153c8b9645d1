// Digits eight bytes at a time, so that it depends on no branch how many there are.
#pragma once

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit is the lowest byte");

enum { DIGITS_WORD = 8 };

// The next eight bytes: '0' to '9' are 0 to 9 in it.
static inline uint64_t digits_load(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word ^ UINT64_C(0x3030303030303030);
}

// How many bytes in front are digits.
static inline unsigned digits_count(uint64_t word)
{
    // Up to the first byte that is no digit there is no carry.
    uint64_t others = (word | (word + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0);
    return others ? (unsigned)__builtin_ctzll(others) / 8 : DIGITS_WORD;
}

// The first `count` bytes, at least one, with zeros in front.
static inline uint64_t digits_first(uint64_t word, unsigned count)
{
    return word << (64 - 8 * count);
}

// The number of eight digits.
static inline uint64_t digits_number(uint64_t word)
{
    word = word * 10 + (word >> 8);
    return ((word & UINT64_C(0xff000000ff)) * UINT64_C(0xf424000000064) +
            (word >> 16 & UINT64_C(0xff000000ff)) * UINT64_C(0x271000000001)) >>
           32;
}

static inline uint64_t digits_scale(unsigned count)
{
    static const uint32_t scale[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    return scale[count];
}
