// Addresses of IPv4 in lines, all bytes at once.
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "collect/line_inside.h"

#ifdef __SSE2__
enum { V4_SIZE_MIN = 8, V4_SIZE_MAX = 15 };

// The four bytes that begin, or end, at `at`: digits are 0 to 9 in it.
static inline uint32_t digits_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word ^ 0x30303030;
}

// What is no four numbers of one to three digits without zeros in front, as bits; the arguments
// are the dots, digits and zeros among the bytes of which `all` are in the text.
static inline unsigned wrong_bytes(unsigned dots, unsigned digits, unsigned zeros, unsigned all)
{
    unsigned begins = dots << 1 | 1;
    unsigned is_empty = begins & ~digits, has_zero = begins & zeros & digits >> 1;
    unsigned is_long = digits & digits >> 1 & digits >> 2 & digits >> 3;
    return ((dots | digits) ^ all) | is_empty | has_zero | is_long;
}

static inline __m128i sixteen(bytes text)
{
    uint64_t first, last;
    memcpy(&first, text.p, sizeof first);
    memcpy(&last, text.p + text.n - sizeof last, sizeof last);
    last = text.n > sizeof last ? last >> (128 - 8 * text.n) : 0;
    return _mm_set_epi64x((int64_t)last, (int64_t)first);
}

int64_t line_v4(bytes text)
{
    if (text.n < V4_SIZE_MIN || text.n > V4_SIZE_MAX) return -1;
    __m128i v = sixteen(text), d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
    d = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
    unsigned digits = (unsigned)_mm_movemask_epi8(d), n = (unsigned)text.n;
    unsigned zeros = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('0')));
    unsigned dots = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
    unsigned dots2 = dots & (dots - 1), dots3 = dots2 & (dots2 - 1);
    bool are_three = dots3 && !(dots3 & (dots3 - 1));
    if (wrong_bytes(dots, digits, zeros, (1u << n) - 1) || !are_three) return -1;
    unsigned one = (unsigned)__builtin_ctz(dots), two = (unsigned)__builtin_ctz(dots2);
    unsigned three = (unsigned)__builtin_ctz(dots3);
    // The last digit of each on top, with zeros in front; nothing outside of the text is read.
    uint32_t a = digits_at(text.p) << 8 * (4 - one);
    uint32_t b = digits_at(text.p + one + 1) << 8 * (5 + one - two);
    uint32_t c = digits_at(text.p + three - 4) & UINT32_MAX << 8 * (5 + two - three);
    uint32_t e = digits_at(text.p + n - 4) & UINT32_MAX << 8 * (5 + three - n);
    // Of each four bytes the second counts hundreds, the third tens.
    v = _mm_set_epi32((int)a, (int)b, (int)c, (int)e);
    __m128i even = _mm_and_si128(v, _mm_set1_epi16(0xff)), odd = _mm_srli_epi16(v, 8);
    v = _mm_add_epi32(_mm_madd_epi16(even, _mm_set1_epi32(10 << 16)),
                      _mm_madd_epi16(odd, _mm_set1_epi32(1 << 16 | 100)));
    if (_mm_movemask_epi8(_mm_cmpgt_epi32(v, _mm_set1_epi32(UINT8_MAX)))) return -1;
    v = _mm_packs_epi32(v, v);
    return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(v, v));
}
#else
int64_t line_v4(bytes text)
{
    (void)text;
    return -1;
}
#endif
