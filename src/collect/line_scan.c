// The fast way through a line of JSON: one flat object of plain strings and whole or decimal
// numbers. What is anything else is refused, never guessed: escapes, bytes beyond ASCII, nested
// values, exponents, signs, more than 64 bits, keys that come twice.
//
// Lines of one input have mostly the same names in the same order: a name is first compared with
// the one that stood at its place in the line before.
#include <emmintrin.h>

#include "collect/line_inside.h"

enum { WIDE = 16, FRACTION_DIGITS = 6, DIGITS_SAFE = 19 };
// Millionths of less come out of the strict parser's doubles as they went in: 0.24 of them is lost
// when such a double is made, and 0.25 when it is multiplied.
#define DECIMAL_WHOLE_MAX (UINT64_C(1) << 32)

struct scan {
    const uint8_t *at, *end;
};

static inline bool scan_is(struct scan *s, uint8_t c)
{
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

static inline void scan_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r')) s->at++;
}

// What stands up to the next quote; false when there is none, or something before it that is not
// plain.
static inline bool scan_text(struct scan *s, bytes *text)
{
    const uint8_t *from = s->at, *at = from;
    for (; s->end - at >= WIDE; at += WIDE) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                   _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        // Signed: bytes beyond ASCII are less than a space, too.
        hit = _mm_or_si128(hit, _mm_cmplt_epi8(v, _mm_set1_epi8(' ')));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (!mask) continue;
        at += __builtin_ctz(mask);
        break;
    }
    while (at < s->end && *at != '"' && *at != '\\' && *at >= ' ' && *at < 0x80) at++;
    if (at == s->end || *at != '"') return false;
    *text = bytes_of(from, (size_t)(at - from));
    s->at = at + 1;
    return true;
}

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

// Up to seven digits at once, as most numbers have: eight bytes as one word, so that it depends on
// no branch how many are digits. False when it takes another way.
static inline bool scan_few_digits(struct scan *s, uint64_t *number)
{
    uint64_t word;
    if ((size_t)(s->end - s->at) < sizeof word || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return false;
    memcpy(&word, s->at, sizeof word);
    word ^= UINT64_C(0x3030303030303030);
    // Up to the first byte that is no digit there is no carry.
    uint64_t others = (word | (word + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0);
    if (!others) return false;
    unsigned digits = (unsigned)__builtin_ctzll(others) / 8;
    if (!digits || (digits > 1 && *s->at == '0')) return false;
    word <<= 64 - 8 * digits; // zeros in front
    word = word * 10 + (word >> 8);
    word = ((word & UINT64_C(0xff000000ff)) * UINT64_C(0xf424000000064) +
            (word >> 16 & UINT64_C(0xff000000ff)) * UINT64_C(0x271000000001)) >>
           32;
    *number = word;
    s->at += digits;
    return true;
}

static inline bool scan_digits(struct scan *s, uint64_t *number)
{
    if (scan_few_digits(s, number)) return true;
    const uint8_t *from = s->at;
    uint64_t n = 0;
    const uint8_t *safe = s->end - from > DIGITS_SAFE ? from + DIGITS_SAFE : s->end;
    while (s->at < safe && is_digit(*s->at)) n = n * 10 + (*s->at++ - '0');
    if (s->at < s->end && is_digit(*s->at)) {
        uint64_t digit = *s->at++ - '0';
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n)) return false;
        if (s->at < s->end && is_digit(*s->at)) return false;
    }
    *number = n;
    return s->at > from && !(*from == '0' && s->at - from > 1);
}

static bool scan_fraction(struct scan *s, struct line_value *v)
{
    if (v->number >= DECIMAL_WHOLE_MAX) return false;
    unsigned digits = 0;
    uint64_t n = v->number;
    for (; s->at < s->end && is_digit(*s->at); digits++) {
        if (digits == FRACTION_DIGITS) return false;
        n = n * 10 + (*s->at++ - '0');
    }
    if (!digits) return false;
    for (; digits < FRACTION_DIGITS; digits++) n *= 10;
    *v = (struct line_value){.shape = VALUE_DECIMAL, .number = n};
    return true;
}

static bool scan_word(struct scan *s, struct line_value *v)
{
    bytes rest = bytes_of(s->at, (size_t)(s->end - s->at));
    *v = (struct line_value){.shape = VALUE_OTHER};
    if (bytes_start_with(rest, "true")) v->text = bytes_first(rest, strlen("true"));
    else if (bytes_start_with(rest, "false")) v->text = bytes_first(rest, strlen("false"));
    else if (bytes_start_with(rest, "null")) {
        v->text = bytes_first(rest, strlen("null"));
        v->shape = VALUE_NONE;
    } else return false;
    s->at += v->text.n;
    return true;
}

static inline bool scan_value(struct scan *s, struct line_value *v)
{
    if (s->at == s->end) return false;
    if (*s->at == '"') {
        s->at++;
        v->shape = VALUE_TEXT;
        return scan_text(s, &v->text);
    }
    if (!is_digit(*s->at)) return scan_word(s, v);
    v->shape = VALUE_NUMBER;
    if (!scan_digits(s, &v->number)) return false;
    return !scan_is(s, '.') || scan_fraction(s, v);
}

// Whether `"name":` stands here. A key's text has zeros behind it, as far as wide loads go.
static inline bool scan_expected(struct scan *s, const struct line_key *key)
{
    size_t n = (size_t)key->name_length + 3;
    if ((size_t)(s->end - s->at) < 2 * WIDE || n > 2 * WIDE) {
        if ((size_t)(s->end - s->at) < n || memcmp(s->at, key->quoted, n) != 0) return false;
        s->at += n;
        return true;
    }
    const __m128i *line = (const __m128i *)(const void *)s->at;
    const __m128i *name = (const __m128i *)(const void *)key->quoted;
    __m128i low = _mm_cmpeq_epi8(_mm_loadu_si128(line), _mm_loadu_si128(name));
    __m128i high = _mm_cmpeq_epi8(_mm_loadu_si128(line + 1), _mm_loadu_si128(name + 1));
    uint64_t equal = (uint32_t)_mm_movemask_epi8(low) | (uint64_t)(uint32_t)_mm_movemask_epi8(high)
                                                            << WIDE;
    uint64_t wanted = (UINT64_C(1) << n) - 1;
    if ((equal & wanted) != wanted) return false;
    s->at += n;
    return true;
}

static struct line_key *scan_name(struct scan *s, struct lines *l, uint32_t place)
{
    bytes name;
    struct line_keys *keys = &l->keys;
    if (!scan_is(s, '"') || !scan_text(s, &name)) return NULL;
    scan_space(s);
    if (!scan_is(s, ':')) return NULL;
    struct line_key *key = line_key(l, name);
    if (key) keys->order[place] = (uint16_t)(key - keys->keys + 1);
    return key;
}

// One member; `place` counts them.
static inline enum scan_result scan_member(struct scan *s, struct lines *l, uint32_t place)
{
    struct line_keys *keys = &l->keys;
    struct line_value v = {0};
    uint32_t expected = place < LINE_KEYS_MAX ? keys->order[place] : 0;
    struct line_key *key = expected ? &keys->keys[expected - 1] : NULL;
    if (!key || !scan_expected(s, key)) {
        if (place >= LINE_KEYS_MAX) return SCAN_REFUSED;
        key = scan_name(s, l, place);
    }
    if (!key || !line_key_see(l, key)) return SCAN_REFUSED;
    scan_space(s);
    if (!scan_value(s, &v)) return SCAN_REFUSED;
    return line_put(l, key, &v) ? SCAN_DONE : SCAN_FAULT;
}

enum scan_result line_scan(struct lines *l, bytes line)
{
    struct scan s = {line.p, line.p + line.n};
    scan_space(&s);
    if (!scan_is(&s, '{')) return SCAN_REFUSED;
    for (uint32_t place = 0;; place++) {
        scan_space(&s);
        enum scan_result r = scan_member(&s, l, place);
        if (r != SCAN_DONE) return r;
        scan_space(&s);
        if (scan_is(&s, ',')) continue;
        if (!scan_is(&s, '}')) return SCAN_REFUSED;
        scan_space(&s);
        return s.at == s.end ? SCAN_DONE : SCAN_REFUSED;
    }
}
