#include "filter/ranges.h"

#include <stdlib.h>

#include "base/memory.h"

enum { RANGES_FIRST = 4 };

void ranges_deinit(struct ranges *r)
{
    memory_free(r->ranges);
    *r = (struct ranges){0};
}

void ranges_add(struct ranges *r, struct address first, struct address last)
{
    if (address_compare(first, last) > 0) return;
    if (r->count == r->size) {
        r->size = r->size ? r->size * 2 : RANGES_FIRST;
        r->ranges = memory_resize(r->ranges, r->size * sizeof *r->ranges);
    }
    r->ranges[r->count++] = (struct prefix){first, last};
}

static int compare_first(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    return address_compare(x->first, y->first);
}

static struct address before(struct address a)
{
    return (struct address){a.hi - (a.lo == 0), a.lo - 1};
}

static struct address behind(struct address a)
{
    return (struct address){a.hi + (a.lo == UINT64_MAX), a.lo + 1};
}

static bool is_highest(struct address a)
{
    return a.hi == UINT64_MAX && a.lo == UINT64_MAX;
}

// Whether b begins in a, or right behind it.
static bool meets(const struct prefix *a, const struct prefix *b)
{
    return is_highest(a->last) || address_compare(b->first, behind(a->last)) <= 0;
}

void ranges_settle(struct ranges *r)
{
    if (r->count == 0) return;
    qsort(r->ranges, r->count, sizeof *r->ranges, compare_first);
    uint32_t kept = 0;
    for (uint32_t i = 1; i < r->count; i++) {
        struct prefix *last = &r->ranges[kept];
        if (!meets(last, &r->ranges[i])) r->ranges[++kept] = r->ranges[i];
        else if (address_compare(last->last, r->ranges[i].last) < 0) last->last = r->ranges[i].last;
    }
    r->count = kept + 1;
}

void ranges_invert(struct ranges *r, struct address lowest, struct address highest)
{
    struct ranges other = {0};
    struct address from = lowest;
    bool more = true;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct prefix *p = &r->ranges[i];
        if (address_compare(from, p->first) < 0) ranges_add(&other, from, before(p->first));
        more = address_compare(p->last, highest) < 0;
        if (more) from = behind(p->last);
    }
    if (more) ranges_add(&other, from, highest);
    ranges_deinit(r);
    *r = other;
}

bool ranges_have(const struct ranges *r, struct address a)
{
    uint32_t low = 0, high = r->count; // the first range that ends at `a` or later
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (address_compare(r->ranges[middle].last, a) < 0) low = middle + 1;
        else high = middle;
    }
    return low < r->count && address_compare(r->ranges[low].first, a) <= 0;
}
