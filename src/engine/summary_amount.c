#include "engine/summary_amount.h"

#include <stdio.h>

struct amount amount_count(uint64_t n)
{
    if (n >= 100000000) return amount_scaled((double)n, "");
    struct amount a;
    unsigned low = (unsigned)(n % 1000), middle = (unsigned)(n / 1000 % 1000),
             high = (unsigned)(n / 1000000);
    if (high) snprintf(a.text, sizeof a.text, "%u,%03u,%03u", high, middle, low);
    else if (middle) snprintf(a.text, sizeof a.text, "%u,%03u", middle, low);
    else snprintf(a.text, sizeof a.text, "%u", low);
    return a;
}

struct amount amount_scaled(double n, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    unsigned scale = 0;
    while (n >= 999.5 && scale < 6) {
        n /= 1000;
        scale++;
    }
    struct amount a;
    const char *space = scale || *unit ? " " : "";
    int digits = scale && n < 99.95 ? 1 : 0;
    snprintf(a.text, sizeof a.text, "%.*f%s%s%.16s", digits, n, space, prefixes[scale], unit);
    return a;
}

struct amount amount_share(uint64_t part, uint64_t whole)
{
    struct amount a;
    double share = whole ? 100 * (double)part / (double)whole : 0;
    if (part && share < 0.1) snprintf(a.text, sizeof a.text, "< 0.1 %%");
    else if (part < whole && share > 99.9) snprintf(a.text, sizeof a.text, "> 99.9 %%");
    else snprintf(a.text, sizeof a.text, "%.*f %%", share < 9.95 && part ? 1 : 0, share);
    return a;
}

// Two units at most: what comes behind them is not what a person asks for.
struct amount amount_span(nanos span)
{
    struct amount a;
    long long s = span / NANOS_PER_SECOND;
    long long minutes = s / 60, hours = s / 3600, days = s / 86400;
    if (span < NANOS_PER_SECOND / 1000)
        snprintf(a.text, sizeof a.text, "%lld us", (long long)(span / NANOS_PER_MICRO));
    else if (s < 1)
        snprintf(a.text, sizeof a.text, "%lld ms", (long long)(span / (NANOS_PER_SECOND / 1000)));
    else if (s < 60)
        snprintf(a.text, sizeof a.text, "%.1f s", (double)span / (double)NANOS_PER_SECOND);
    else if (minutes < 60) snprintf(a.text, sizeof a.text, "%lld min %02lld s", minutes, s % 60);
    else if (hours < 48) snprintf(a.text, sizeof a.text, "%lld h %02lld min", hours, minutes % 60);
    else snprintf(a.text, sizeof a.text, "%lld days %lld h", days, hours % 24);
    return a;
}
