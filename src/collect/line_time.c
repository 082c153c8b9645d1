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

static struct line_minute *minute_of(struct lines *l, bytes text)
{
    size_t hour = text.p[12], ten = text.p[14], one = text.p[15];
    return &l->minutes[(hour * 60 + ten * 10 + one + text.n * 7) % LINE_MINUTES];
}

static inline uint64_t last_eight(const uint8_t *end)
{
    uint64_t word;
    memcpy(&word, end - sizeof word, sizeof word);
    return word;
}

// Seconds and their fraction, which ends where the zone begins; a leap second goes the other way.
static inline bool seconds_parse(const uint8_t *seconds, unsigned digits, nanos *t)
{
    unsigned ten = seconds[0] - '0', one = seconds[1] - '0';
    *t = (nanos)(ten * 10 + one) * NANOS_PER_SECOND;
    if (ten > 5 || one > 9) return false;
    if (!digits) return true;
    uint64_t word = digits_load(seconds + 3 + digits - DIGITS_WORD);
    word &= UINT64_MAX << (64 - 8 * digits);
    if (seconds[2] != '.' || digits_count(word) < DIGITS_WORD) return false;
    *t += (nanos)(digits_number(word) * digits_scale(DIGITS_WORD - digits) * 10);
    return true;
}

static inline bool minute_time(const struct line_minute *m, bytes text, nanos *t)
{
    if (text.n != m->size || memcmp(m->text, text.p, MINUTE_SIZE + 1) != 0 ||
        (last_eight(text.p + text.n) & m->is_zone) != m->zone ||
        !seconds_parse(text.p + MINUTE_SIZE + 1, m->digits, t))
        return false;
    *t += m->start;
    return true;
}

// Keeps the minute of a time that it would have read.
static void minute_keep(struct line_minute *m, bytes text, nanos t)
{
    nanos within;
    size_t end = zone_at(text), zone = text.n - end;
    size_t digits = end > SECONDS_END ? end - SECONDS_END - 1 : 0;
    bool is_usual = zone <= ZONE_MAX && digits <= DIGITS_WORD && text.p[MINUTE_SIZE] == ':' &&
                    end != SECONDS_END + 1 &&
                    seconds_parse(text.p + MINUTE_SIZE + 1, (unsigned)digits, &within);
    if (!is_usual) return;
    memcpy(m->text, text.p, sizeof m->text);
    m->size = (uint8_t)text.n;
    m->digits = (uint8_t)digits;
    m->is_zone = zone ? UINT64_MAX << (64 - 8 * zone) : 0;
    m->zone = last_eight(text.p + text.n) & m->is_zone;
    m->start = t - within;
}

bool line_time(struct lines *l, bytes text, nanos *t)
{
    if (text.n < SECONDS_END) return slow_time(l, text, t);
    struct line_minute *m = minute_of(l, text);
    if (minute_time(m, text, t)) return true;
    if (!slow_time(l, text, t)) return false;
    minute_keep(m, text, *t);
    return true;
}
