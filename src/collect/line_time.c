// Times in lines. Most of those that follow each other are in a minute that was there before: its
// beginning is kept, so that only seconds are left to read.
#include "collect/line_digits.h"
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

// ---- minutes that were met ----------------------------------------------------------------------

// Minutes that follow each other have different places.
static inline struct line_minute *minute_of(struct lines *l, const uint8_t *p, size_t n)
{
    size_t hour = p[12], ten = p[14], one = p[15];
    return &l->minutes[(ten * 10 + one - 4 * hour + 8 * n) % LINE_MINUTES];
}

static inline uint64_t eight_before(const uint8_t *end)
{
    uint64_t word;
    memcpy(&word, end - sizeof word, sizeof word);
    return word;
}

// The last `count` of eight bytes.
static uint64_t last_bytes(size_t count)
{
    return count ? UINT64_MAX << (64 - 8 * count) : 0;
}

// Seconds and their fraction of a time of this form; a leap second goes the other way.
static inline nanos seconds_parse(const struct line_minute *m, const uint8_t *p)
{
    unsigned ten = p[MINUTE_SIZE + 1] - '0', one = p[MINUTE_SIZE + 2] - '0';
    uint64_t word = digits_load(p + SECONDS_END + m->fraction_size - DIGITS_WORD) & m->is_fraction;
    if (p[MINUTE_SIZE] != ':' || ten > 5 || one > 9 || digits_count(word) < DIGITS_WORD ||
        (m->fraction_size && p[SECONDS_END] != '.'))
        return LINE_NO_TIME;
    return (nanos)(ten * 10 + one) * NANOS_PER_SECOND + (nanos)digits_number(word) * m->fraction;
}

static inline bool minute_is(const struct line_minute *m, const uint8_t *p, size_t n)
{
    return n == m->size && memcmp(m->text, p, MINUTE_SIZE) == 0 &&
           (eight_before(p + n) & m->is_zone) == m->zone;
}

// Reads a time by the general way, and keeps its minute when such times can be read by the other.
static APART nanos new_time(struct lines *l, bytes text)
{
    nanos t;
    if (!slow_time(l, text, &t)) return LINE_NO_TIME;
    if (text.n < SECONDS_END) return t;
    size_t end = zone_at(text), zone = text.n - end, fraction = end - SECONDS_END;
    if (zone > ZONE_MAX || fraction == 1 || fraction > DIGITS_WORD + 1) return t;
    struct line_minute m = {.size = (uint8_t)text.n, .fraction_size = (uint8_t)fraction};
    memcpy(m.text, text.p, MINUTE_SIZE);
    m.is_zone = last_bytes(zone);
    m.zone = eight_before(text.p + text.n) & m.is_zone;
    m.is_fraction = last_bytes(fraction ? fraction - 1 : 0);
    m.fraction = fraction ? NANOS_PER_SECOND / (nanos)digits_scale((unsigned)fraction - 1) : 0;
    nanos within = seconds_parse(&m, text.p);
    if (within == LINE_NO_TIME) return t;
    m.start = t - within;
    *minute_of(l, text.p, text.n) = m;
    return t;
}

nanos line_time(struct lines *l, bytes text)
{
    if (text.n < SECONDS_END) return new_time(l, text);
    const struct line_minute *m = minute_of(l, text.p, text.n);
    nanos t, within = minute_is(m, text.p, text.n) ? seconds_parse(m, text.p) : LINE_NO_TIME;
    bool is_known = within != LINE_NO_TIME && !__builtin_add_overflow(m->start, within, &t);
    return is_known ? t : new_time(l, text);
}
