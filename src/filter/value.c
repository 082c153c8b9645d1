#include "filter/value.h"

#include <math.h>
#include <stdlib.h>

#include "base/mac.h"
#include "filter/aliases.h"

enum { NUMBER_TEXT_MAX = 64 };

#define SIGN_BIT (UINT64_C(1) << 63)

enum value_type value_type_for(enum field_type type)
{
    switch (type) {
    case FIELD_TIME:
        return VALUE_TIME;
    case FIELD_DURATION:
        return VALUE_DURATION;
    case FIELD_UINT:
    case FIELD_UINTS:
        return VALUE_UINT;
    case FIELD_REAL:
        return VALUE_REAL;
    case FIELD_BOOL:
        return VALUE_BOOL;
    case FIELD_MAC:
        return VALUE_MAC;
    case FIELD_ADDRESS:
    case FIELD_ADDRESSES:
        return VALUE_ADDRESS;
    case FIELD_ID:
        return VALUE_ID;
    case FIELD_TEXT:
    case FIELD_TEXTS:
        return VALUE_TEXT;
    case FIELD_HASH:
    case FIELD_BLOB:
        return VALUE_HASH;
    }
    return VALUE_TEXT;
}

// Signed numbers and doubles as unsigned ones in the same order. -0.0 is 0.0.
static uint64_t signed_key(int64_t v)
{
    return (uint64_t)v ^ SIGN_BIT;
}

static uint64_t real_key(double v)
{
    uint64_t word;
    if (v == 0) v = 0;
    memcpy(&word, &v, sizeof word);
    return word & SIGN_BIT ? ~word : word | SIGN_BIT;
}

struct address value_key(enum field_type type, uint64_t word)
{
    double real;
    if (type == FIELD_TIME || type == FIELD_DURATION) return (struct address){0, word ^ SIGN_BIT};
    if (type == FIELD_BOOL) return (struct address){0, word != 0};
    if (type != FIELD_REAL) return (struct address){0, word};
    memcpy(&real, &word, sizeof real);
    return (struct address){0, real_key(real)};
}

static bool read_hex(bytes text, uint64_t *v)
{
    *v = 0;
    if (text.n == 0 || text.n > 16) return false;
    for (size_t i = 0; i < text.n; i++) {
        int digit = text_hex_value(text.p[i]);
        if (digit < 0) return false;
        *v = *v << 4 | (uint64_t)digit;
    }
    return true;
}

static uint64_t size_unit(bytes text)
{
    if (text.n == 0) return 1;
    if (text.n > 1) return 0;
    switch (text.p[0]) {
    case 'k':
        return UINT64_C(1000);
    case 'M':
        return UINT64_C(1000000);
    case 'G':
        return UINT64_C(1000000000);
    case 'T':
        return UINT64_C(1000000000000);
    default:
        return 0;
    }
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

// 80, 0x1bb, 1M, 1.5k; a fraction must come out whole.
static bool read_uint(bytes text, uint64_t *v)
{
    if (bytes_start_with(text, "0x")) return read_hex(bytes_after(text, 2), v);
    size_t whole = 0;
    *v = 0;
    for (; whole < text.n && is_digit(text.p[whole]); whole++)
        if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, text.p[whole] - '0', v))
            return false;
    size_t end = whole;
    if (end < text.n && text.p[end] == '.')
        while (++end < text.n && is_digit(text.p[end])) {
        }
    uint64_t unit = size_unit(bytes_after(text, end));
    if (whole == 0 || unit == 0 || end == whole + 1 || __builtin_mul_overflow(*v, unit, v))
        return false;
    for (size_t i = whole + 1; i < end; i++) {
        uint64_t digit = (uint64_t)(text.p[i] - '0');
        if (unit % 10 && digit) return false;
        unit /= 10;
        if (__builtin_add_overflow(*v, digit * unit, v)) return false;
    }
    return true;
}

static bool read_real(bytes text, double *v)
{
    char copy[NUMBER_TEXT_MAX], *end;
    if (text.n == 0 || text.n >= sizeof copy) return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    *v = strtod(copy, &end);
    return *end == 0 && end == copy + text.n && isfinite(*v);
}

static bool read_bool(bytes text, uint64_t *v)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!bytes_equal(text, bytes_text(words[i]))) continue;
        *v = i & 1;
        return true;
    }
    return false;
}

bool value_place(enum value_type type, bytes text, nanos now, struct address *place)
{
    struct record_id id;
    nanos time;
    double real;
    uint8_t protocol;
    *place = (struct address){0, 0};
    switch (type) {
    case VALUE_TIME:
        if (!time_parse(text, now, &time)) return false;
        place->lo = signed_key(time);
        return true;
    case VALUE_DURATION:
        if (!duration_parse(text, &time)) return false;
        place->lo = signed_key(time);
        return true;
    case VALUE_REAL:
        if (!read_real(text, &real)) return false;
        place->lo = real_key(real);
        return true;
    case VALUE_PROTOCOL:
        if (!protocol_named(text, &protocol)) return read_uint(text, &place->lo);
        place->lo = protocol;
        return true;
    case VALUE_UINT:
        return read_uint(text, &place->lo);
    case VALUE_BOOL:
        return read_bool(text, &place->lo);
    case VALUE_MAC:
        return mac_parse(text, &place->lo);
    case VALUE_ADDRESS:
        return address_parse(text, place);
    case VALUE_ID:
        if (!record_id_parse(text, &id)) return false;
        *place = (struct address){id.time_us, id.hash};
        return true;
    case VALUE_TEXT:
    case VALUE_HASH:
    case VALUE_TYPES:
        break;
    }
    return false;
}

void value_ends(enum value_type type, struct address *lowest, struct address *highest)
{
    *lowest = (struct address){0, 0};
    *highest = (struct address){0, UINT64_MAX};
    if (type == VALUE_ADDRESS || type == VALUE_ID) highest->hi = UINT64_MAX;
    if (type == VALUE_BOOL) highest->lo = 1;
    if (type != VALUE_REAL) return;
    lowest->lo = real_key(-INFINITY);
    highest->lo = real_key(INFINITY);
}
