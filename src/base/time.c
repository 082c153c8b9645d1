#include "base/time.h"

#include <assert.h>
#include <stdio.h>

enum {
    SECONDS_PER_DAY = 86400,
    DAYS_PER_ERA = 146097, // 400 years of the Gregorian calendar
    DAYS_TO_1970 = 719468, // from 0000-03-01 to 1970-01-01
};

struct civil {
    int64_t year;
    int month, day;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

// Years are counted from March, so that the leap day is the last of its year and months have a
// regular length: month m (0 = March) begins on day (153 m + 2) / 5.
static struct civil civil_of_day(int64_t day)
{
    int64_t from_era = day + DAYS_TO_1970;
    int64_t era = floor_div(from_era, DAYS_PER_ERA);
    int64_t day_of_era = from_era - era * DAYS_PER_ERA;
    int64_t leap_days = day_of_era / 1460 - day_of_era / 36524 + day_of_era / (DAYS_PER_ERA - 1);
    int64_t year = (day_of_era - leap_days) / 365;
    int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct civil c = {.year = year + era * 400};
    c.day = (int)(day_of_year - (153 * month + 2) / 5) + 1;
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    if (c.month <= 2) c.year++;
    return c;
}

static int64_t day_of_civil(struct civil c)
{
    int64_t year = c.month <= 2 ? c.year - 1 : c.year;
    int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
    int64_t month = c.month > 2 ? c.month - 3 : c.month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + c.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static char *put_digits(char *at, uint64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v /= 10) at[i] = (char)('0' + v % 10);
    return at + digits;
}

int time_format(char text[TIME_TEXT_MAX], nanos t)
{
    int64_t seconds = floor_div(t, NANOS_PER_SECOND);
    // Not t - seconds * 1e9: the product does not fit for the earliest second.
    uint64_t fraction = (uint64_t)(t % NANOS_PER_SECOND + NANOS_PER_SECOND) % NANOS_PER_SECOND;
    int64_t day = floor_div(seconds, SECONDS_PER_DAY);
    uint64_t second = (uint64_t)(seconds - day * SECONDS_PER_DAY);
    struct civil c = civil_of_day(day);
    char *at = put_digits(text, (uint64_t)c.year, 4);
    *at++ = '-';
    at = put_digits(at, (uint64_t)c.month, 2);
    *at++ = '-';
    at = put_digits(at, (uint64_t)c.day, 2);
    *at++ = 'T';
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    if (fraction) {
        *at++ = '.';
        if (fraction % 1000) at = put_digits(at, fraction, 9);
        else if (fraction % 1000000) at = put_digits(at, fraction / 1000, 6);
        else at = put_digits(at, fraction / 1000000, 3);
    }
    *at++ = 'Z';
    *at = 0;
    return (int)(at - text);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool next_is(const struct reader *r, uint8_t c)
{
    return reader_left(r) && r->at[0] == c;
}

static void read_expected(struct reader *r, uint8_t c)
{
    if (read_u8(r) != c) r->bad = true;
}

// Exactly `digits` decimal digits.
static int read_digits(struct reader *r, int digits)
{
    int v = 0;
    for (int i = 0; i < digits; i++) {
        uint8_t c = read_u8(r);
        if (!is_digit(c)) r->bad = true;
        v = v * 10 + (c - '0');
    }
    return r->bad ? 0 : v;
}

// One or more digits; bad when they do not fit into 63 bits.
static int64_t read_whole(struct reader *r)
{
    int64_t v = 0;
    if (!reader_left(r) || !is_digit(r->at[0])) r->bad = true;
    while (!r->bad && reader_left(r) && is_digit(r->at[0])) {
        int digit = read_u8(r) - '0';
        r->bad = __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v);
    }
    return r->bad ? 0 : v;
}

// An optional ".123" as that part of `unit`; what is finer than a nanosecond is cut off.
static int64_t read_fraction(struct reader *r, int64_t unit)
{
    if (!next_is(r, '.')) return 0;
    read_u8(r);
    if (!reader_left(r) || !is_digit(r->at[0])) r->bad = true;
    int64_t v = 0;
    while (reader_left(r) && is_digit(r->at[0])) {
        unit /= 10;
        v += unit * (read_u8(r) - '0');
    }
    return v;
}

// seconds * 1e9 + fraction, where the fraction is from 0 to 1e9 - 1.
static bool nanos_of(int64_t seconds, int64_t fraction, nanos *t)
{
    // Below zero the second above is taken, since that of the earliest time does not fit by itself.
    if (seconds < 0 && fraction > 0) {
        seconds++;
        fraction -= NANOS_PER_SECOND;
    }
    int64_t v;
    if (__builtin_mul_overflow(seconds, NANOS_PER_SECOND, &v)) return false;
    return !__builtin_add_overflow(v, fraction, t);
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

// "Z", "+01:00" or nothing, as seconds east of Greenwich.
static int64_t read_zone(struct reader *r)
{
    if (!reader_left(r)) return 0;
    uint8_t sign = read_u8(r);
    if (sign == 'Z' || sign == 'z') return 0;
    if (sign != '+' && sign != '-') r->bad = true;
    int hours = read_digits(r, 2);
    read_expected(r, ':');
    int minutes = read_digits(r, 2);
    if (hours > 23 || minutes > 59) r->bad = true;
    int64_t east = hours * 3600 + minutes * 60;
    return sign == '-' ? -east : east;
}

// RFC 3339 section 5.6; its note allows a space in place of the T. Second 60 is a leap second and
// equals the next one's 0.
static bool parse_rfc3339(struct reader r, nanos *t)
{
    struct civil c = {.year = read_digits(&r, 4)};
    read_expected(&r, '-');
    c.month = read_digits(&r, 2);
    read_expected(&r, '-');
    c.day = read_digits(&r, 2);
    if (r.bad || c.month < 1 || c.month > 12) return false;
    if (c.day < 1 || c.day > days_in_month(c.year, c.month)) return false;
    int64_t seconds = day_of_civil(c) * SECONDS_PER_DAY;
    if (!reader_left(&r)) return nanos_of(seconds, 0, t);

    uint8_t separator = read_u8(&r);
    if (separator != 'T' && separator != 't' && separator != ' ') return false;
    int hour = read_digits(&r, 2);
    read_expected(&r, ':');
    int minute = read_digits(&r, 2);
    read_expected(&r, ':');
    int second = read_digits(&r, 2);
    int64_t fraction = read_fraction(&r, NANOS_PER_SECOND);
    int64_t east = read_zone(&r);
    if (r.bad || reader_left(&r) || hour > 23 || minute > 59 || second > 60) return false;
    return nanos_of(seconds + hour * 3600 + minute * 60 + second - east, fraction, t);
}

static bool parse_seconds(struct reader r, nanos *t)
{
    bool negative = next_is(&r, '-');
    if (negative) read_u8(&r);
    int64_t seconds = read_whole(&r), fraction = read_fraction(&r, NANOS_PER_SECOND);
    if (r.bad || reader_left(&r)) return false;
    if (negative && fraction) return nanos_of(-seconds - 1, NANOS_PER_SECOND - fraction, t);
    return nanos_of(negative ? -seconds : seconds, fraction, t);
}

static bool parse_relative(bytes text, nanos now, nanos *t)
{
    bytes rest = bytes_after(text, strlen("now"));
    if (!rest.n) {
        *t = now;
        return true;
    }
    nanos distance;
    if (!duration_parse(bytes_after(rest, 1), &distance)) return false;
    if (rest.p[0] == '-') return !__builtin_sub_overflow(now, distance, t);
    return rest.p[0] == '+' && !__builtin_add_overflow(now, distance, t);
}

bool time_parse(bytes text, nanos now, nanos *t)
{
    if (bytes_start_with(text, "now")) return parse_relative(text, now, t);
    if (text.n > 4 && text.p[4] == '-') return parse_rfc3339(reader_of(text), t);
    return parse_seconds(reader_of(text), t);
}

static int64_t unit_length(bytes unit)
{
    static const struct {
        const char *name;
        int64_t length;
    } units[] = {
        {"", NANOS_PER_SECOND},
        {"ns", 1},
        {"us", NANOS_PER_MICRO},
        {"ms", INT64_C(1000000)},
        {"s", NANOS_PER_SECOND},
        {"m", 60 * NANOS_PER_SECOND},
        {"h", 3600 * NANOS_PER_SECOND},
        {"d", SECONDS_PER_DAY * NANOS_PER_SECOND},
        {"w", 7 * SECONDS_PER_DAY * NANOS_PER_SECOND},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (bytes_equal(unit, bytes_text(units[i].name))) return units[i].length;
    return 0;
}

bool duration_parse(bytes text, nanos *d)
{
    struct reader number = reader_of(text);
    int64_t whole = read_whole(&number);
    struct reader fraction = number; // read twice: its weight is known only behind it
    read_fraction(&number, 0);
    if (number.bad) return false;
    int64_t unit = unit_length(reader_rest(&number));
    if (!unit || __builtin_mul_overflow(whole, unit, &whole)) return false;
    return !__builtin_add_overflow(whole, read_fraction(&fraction, unit), d);
}
