// Times in lines. Most of those that follow each other are in a minute that was there before: its
// beginning is kept, so that only seconds are left to read.
#include "collect/line_inside.h"

enum { MINUTE_SIZE = 16, SECONDS_END = 19, ZONE_MAX = 6, TIME_SIZE_MAX = 64 };

// "+01" and "+0100" as RFC 3339 has them: "+01:00".
static bool zone_put(struct text *t, bytes zone)
{
    bool is_signed = zone.n && (zone.p[0] == '+' || zone.p[0] == '-');
    if (!is_signed || zone.n == ZONE_MAX) {
        text_put(t, zone);
        return true;
    }
    if (zone.n != 3 && zone.n != 5) return false;
    text_put(t, bytes_first(zone, 3));
    text_add(t, ":");
    if (zone.n == 3) text_add(t, "00");
    else text_put(t, bytes_after(zone, 3));
    return true;
}

// How many bytes stand before the zone.
static size_t zone_at(bytes text)
{
    size_t i = SECONDS_END;
    while (i < text.n && (text.p[i] == '.' || (text.p[i] >= '0' && text.p[i] <= '9'))) i++;
    return i;
}

// 2018/12/18 and 2009-11-18+09:00:03 (Argus) as RFC 3339 has them.
static void date_put(struct text *full, bytes text)
{
    text_put(full, text);
    for (size_t i = 4; i <= 7; i += 3)
        if (full->p[i] == '/') full->p[i] = '-';
    if (full->p[10] == '+') full->p[10] = 'T';
}

static bool slow_time(struct lines *l, bytes text, nanos *t)
{
    struct text *full = &l->value;
    if (text.n < MINUTE_SIZE || text.n > TIME_SIZE_MAX) return false;
    if (text.p[4] != '-' && (text.p[4] != '/' || text.p[7] != '/')) return false;
    size_t end = text.n < SECONDS_END ? text.n : zone_at(text);
    text_clear(full);
    date_put(full, bytes_first(text, end));
    return zone_put(full, bytes_after(text, end)) && time_parse(bytes_of(full->p, full->n), 0, t);
}

static inline bool two_digits(const uint8_t *p, unsigned *n)
{
    unsigned high = p[0] - '0', low = p[1] - '0';
    *n = high * 10 + low;
    return high <= 9 && low <= 9;
}

static bool fraction_parse(bytes digits, nanos *t)
{
    static const uint32_t scale[] = {0,     100000000, 10000000, 1000000, 100000,
                                     10000, 1000,      100,      10,      1};
    uint32_t n = 0;
    if (!digits.n || digits.n >= sizeof scale / sizeof scale[0]) return false;
    for (size_t i = 0; i < digits.n; i++) {
        unsigned digit = digits.p[i] - '0';
        if (digit > 9) return false;
        n = n * 10 + digit;
    }
    *t = (nanos)(n * scale[digits.n]);
    return true;
}

static struct line_minute *minute_of(struct lines *l, const uint8_t *p)
{
    unsigned hour = p[12], ten = p[14], one = p[15];
    return &l->minutes[(hour * 60 + ten * 10 + one) % LINE_MINUTES];
}

static bool minute_is(const struct line_minute *m, const uint8_t *p, bytes zone)
{
    return memcmp(m->text, p, MINUTE_SIZE) == 0 && m->zone[sizeof m->zone - 1] == zone.n &&
           memcmp(m->zone, zone.p, zone.n) == 0;
}

static void minute_keep(struct line_minute *m, bytes text, bytes zone, nanos start)
{
    memcpy(m->text, text.p, MINUTE_SIZE);
    memcpy(m->zone, zone.p, zone.n);
    m->zone[sizeof m->zone - 1] = (uint8_t)zone.n;
    m->start = start;
}

bool line_time(struct lines *l, bytes text, nanos *t)
{
    unsigned second;
    if (text.n < SECONDS_END || text.p[MINUTE_SIZE] != ':') return slow_time(l, text, t);
    size_t end = zone_at(text);
    bytes zone = bytes_after(text, end);
    bytes fraction = bytes_of(text.p + SECONDS_END, end - SECONDS_END);
    nanos part = 0;
    // 60 is a leap second; what is finer than nanoseconds is rare: both go the other way.
    bool is_usual =
        two_digits(text.p + MINUTE_SIZE + 1, &second) && second < 60 && zone.n <= ZONE_MAX &&
        (!fraction.n || (fraction.p[0] == '.' && fraction_parse(bytes_after(fraction, 1), &part)));
    if (!is_usual) return slow_time(l, text, t);
    struct line_minute *m = minute_of(l, text.p);
    nanos within = (nanos)second * NANOS_PER_SECOND + part;
    if (minute_is(m, text.p, zone)) {
        *t = m->start + within;
        return true;
    }
    if (!slow_time(l, text, t)) return false;
    minute_keep(m, text, zone, *t - within);
    return true;
}
