// The fast way through a line of JSON: one flat object of plain strings and whole or decimal
// numbers. What is anything else is refused, never guessed: escapes, bytes beyond ASCII, nested
// values, exponents, signs, more than 64 bits, keys that come twice.
//
// Lines of one input have mostly the same names in the same order: a name is first compared with
// the one that came last behind the name before it.
//
// A byte that stands in no value ends the line, and LINE_SLACK more can be read: so only what moves
// over such bytes asks where the end is.
#include <emmintrin.h>

#include "collect/line_digits.h"
#include "collect/line_inside.h"

enum { WIDE = 16, FRACTION_DIGITS = 6, DIGITS_SAFE = 19 };
// Millionths of less come out of the strict parser's doubles as they went in: 0.24 of them is lost
// when such a double is made, and 0.25 when it is multiplied.
#define DECIMAL_WHOLE_MAX (UINT64_C(1) << 32)

// Of the next bytes those, as bits, that are no plain text, or its end.
static inline unsigned marks(const uint8_t *at)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i hit =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    // Signed: bytes beyond ASCII are less than a space, too.
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(hit, _mm_cmplt_epi8(v, _mm_set1_epi8(' '))));
}

static inline unsigned equal_bytes(const uint8_t *a, const uint8_t *b)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i w = _mm_loadu_si128((const __m128i *)(const void *)b);
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, w));
}

// ---- what moves on: each returns the place behind, or NULL to refuse the line -------------------

static APART const uint8_t *skip_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    return at;
}

static inline const uint8_t *scan_space(const uint8_t *at, const uint8_t *end)
{
    return *at > ' ' ? at : skip_space(at, end);
}

// What stands up to the next quote.
static inline const uint8_t *scan_text(const uint8_t *at, bytes *text)
{
    const uint8_t *from = at;
    unsigned mask = marks(at);
    while (!mask) mask = marks(at += WIDE);
    at += __builtin_ctz(mask);
    if (*at != '"') return NULL;
    *text = bytes_of(from, (size_t)(at - from));
    return at + 1;
}

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

// More than fifteen digits.
static APART const uint8_t *scan_long(const uint8_t *at, uint64_t *number)
{
    uint64_t n = 0;
    const uint8_t *safe = at + DIGITS_SAFE;
    while (at < safe && is_digit(*at)) n = n * 10 + (*at++ - '0');
    if (is_digit(*at)) {
        uint64_t digit = *at++ - '0';
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n)) return NULL;
    }
    *number = n;
    return is_digit(*at) ? NULL : at;
}

static inline const uint8_t *scan_digits(const uint8_t *at, uint64_t *number)
{
    uint64_t word = digits_load(at);
    unsigned digits = digits_count(word);
    if (!digits || (*at == '0' && digits > 1)) return NULL;
    *number = digits_number(digits_first(word, digits));
    if (digits < DIGITS_WORD) return at + digits;
    word = digits_load(at + DIGITS_WORD);
    digits = digits_count(word);
    if (digits == DIGITS_WORD) return scan_long(at, number);
    if (digits)
        *number = *number * digits_scale(digits) + digits_number(digits_first(word, digits));
    return at + DIGITS_WORD + digits;
}

static inline const uint8_t *scan_fraction(const uint8_t *at, struct line_value *v)
{
    uint64_t word = digits_load(at);
    unsigned digits = digits_count(word);
    if (!digits || digits > FRACTION_DIGITS || v->number >= DECIMAL_WHOLE_MAX) return NULL;
    v->shape = VALUE_DECIMAL;
    v->number = v->number * digits_scale(FRACTION_DIGITS) +
                digits_number(digits_first(word, digits)) * digits_scale(FRACTION_DIGITS - digits);
    return at + digits;
}

static APART const uint8_t *scan_word(const uint8_t *at, const uint8_t *end, struct line_value *v)
{
    bytes rest = bytes_of(at, (size_t)(end - at));
    v->shape = VALUE_OTHER;
    if (bytes_start_with(rest, "true")) v->text = bytes_first(rest, strlen("true"));
    else if (bytes_start_with(rest, "false")) v->text = bytes_first(rest, strlen("false"));
    else if (bytes_start_with(rest, "null")) {
        v->text = bytes_first(rest, strlen("null"));
        v->shape = VALUE_NONE;
    } else return NULL;
    return at + v->text.n;
}

static inline const uint8_t *scan_value(const uint8_t *at, const uint8_t *end, struct line_value *v)
{
    if (*at == '"') {
        v->shape = VALUE_TEXT;
        return scan_text(at + 1, &v->text);
    }
    if (!is_digit(*at)) return scan_word(at, end, v);
    v->shape = VALUE_NUMBER;
    at = scan_digits(at, &v->number);
    return at && *at == '.' ? scan_fraction(at + 1, v) : at;
}

// ---- members ------------------------------------------------------------------------------------

// Behind `"name":` when that stands here, else NULL.
static inline const uint8_t *scan_expected(const uint8_t *at, const struct line_key *key)
{
    size_t n = key->quoted_size;
    uint32_t equal = equal_bytes(at, key->quoted) | equal_bytes(at + WIDE, key->quoted + WIDE)
                                                        << WIDE;
    bool is_it = (~equal & key->wanted) == 0 && (n <= 2 * WIDE || memcmp(at, key->quoted, n) == 0);
    return is_it ? at + n : NULL;
}

// Another name than *expected, which it will be; or the same behind space.
static APART const uint8_t *scan_name(struct lines *l, const uint8_t *at, const uint8_t *end,
                                      struct line_key **expected)
{
    bytes name;
    const uint8_t *behind;
    at = scan_space(at, end);
    if (*expected && (behind = scan_expected(at, *expected))) return behind;
    if (*at != '"' || !(at = scan_text(at + 1, &name))) return NULL;
    at = scan_space(at, end);
    if (*at != ':') return NULL;
    struct line_key *key = line_key(l, name);
    if (!key) return NULL;
    *expected = key;
    return at + 1;
}

enum scan_result line_scan(struct lines *l, bytes line)
{
    const uint8_t *end = line.p + line.n, *at = scan_space(line.p, end), *behind;
    struct line_key **expected = &l->keys.first;
    struct line_value v = {0};
    if (*at != '{') return SCAN_REFUSED;
    do {
        behind = *expected ? scan_expected(at + 1, *expected) : NULL;
        if (!behind) behind = scan_name(l, at + 1, end, expected);
        at = behind ? scan_value(scan_space(behind, end), end, &v) : NULL;
        struct line_key *key = *expected;
        if (!at || !line_key_see(l, key)) return SCAN_REFUSED;
        if (!line_put(l, key, &v)) return SCAN_FAULT;
        if (*at != ',') at = scan_space(at, end);
        expected = &key->next;
    } while (*at == ',');
    return *at == '}' && scan_space(at + 1, end) == end ? SCAN_DONE : SCAN_REFUSED;
}
