// Addresses in lines: those of IPv4 that are written as usual, at once; all else as everywhere.
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "collect/line_inside.h"

#ifdef __SSE2__
enum { V4_SIZE_MIN = 8, V4_SIZE_MAX = 15 };

// Where the four numbers are among `n` bytes, of which `dots` and `digits` are these and `zeros`
// some of the digits, as bits. False when there are not four, or one is empty, has more than three
// digits or zeros in front.
static inline bool v4_starts(unsigned n, unsigned dots, unsigned digits, unsigned zeros,
                             unsigned starts[5])
{
    unsigned begins = dots << 1 | 1, two = dots & (dots - 1), three = two & (two - 1);
    unsigned wrong = (dots | digits) ^ ((1u << n) - 1);
    wrong |= begins & ~digits;                                // empty
    wrong |= begins & zeros & digits >> 1;                    // zero in front
    wrong |= digits & digits >> 1 & digits >> 2 & digits >> 3; // too long
    if (wrong || !three || (three & (three - 1))) return false;
    starts[0] = 0;
    starts[1] = (unsigned)__builtin_ctz(dots) + 1;
    starts[2] = (unsigned)__builtin_ctz(two) + 1;
    starts[3] = (unsigned)__builtin_ctz(three) + 1;
    starts[4] = n + 1;
    return true;
}

// The digits of a number, the last one on top and zeros in front.
static inline int v4_digits(const uint8_t *text, unsigned start, unsigned behind)
{
    uint32_t word;
    memcpy(&word, text + start, sizeof word);
    return (int)(word << 8 * (start + sizeof word + 1 - behind));
}

// All bytes at once, without a branch for each digit: how many there are is different each time.
static bool v4_parse(bytes text, struct address *a)
{
    _Alignas(16) uint8_t plain[16];
    unsigned starts[5];
    uint64_t first, last;
    memcpy(&first, text.p, sizeof first);
    memcpy(&last, text.p + text.n - sizeof last, sizeof last);
    last = text.n > sizeof last ? last >> (128 - 8 * text.n) : 0;
    __m128i v = _mm_set_epi64x((int64_t)last, (int64_t)first);
    __m128i d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
    unsigned dots = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
    unsigned zeros = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('0')));
    if (!v4_starts((unsigned)text.n, dots, (unsigned)_mm_movemask_epi8(is_digit), zeros, starts))
        return false;
    _mm_store_si128((__m128i *)(void *)plain, d);
    v = _mm_set_epi32(
        v4_digits(plain, starts[0], starts[1]), v4_digits(plain, starts[1], starts[2]),
        v4_digits(plain, starts[2], starts[3]), v4_digits(plain, starts[3], starts[4]));
    // Of each four bytes the second counts hundreds, the third tens, and the last is one more.
    __m128i even = _mm_and_si128(v, _mm_set1_epi16(0xff)), odd = _mm_srli_epi16(v, 8);
    v = _mm_add_epi32(_mm_madd_epi16(even, _mm_set1_epi32(10 << 16)),
                      _mm_madd_epi16(odd, _mm_set1_epi32(1 << 16 | 100)));
    if (_mm_movemask_epi8(_mm_cmpgt_epi32(v, _mm_set1_epi32(UINT8_MAX)))) return false;
    v = _mm_packs_epi32(v, v);
    *a = address_v4((uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(v, v)));
    return true;
}
#endif

bool line_address(bytes text, struct address *a)
{
#ifdef __SSE2__
    if (text.n >= V4_SIZE_MIN && text.n <= V4_SIZE_MAX && v4_parse(text, a)) return true;
#endif
    return address_parse(text, a);
}
