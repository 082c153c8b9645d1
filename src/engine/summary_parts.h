// The parts of the report that stand in files of their own, and what they all write with.
#pragma once

#include "engine/summary_inside.h"
#include "engine/summary_page.h"

enum { FACT_NAME_WIDTH = 32 }; // columns of a name within a phrase

// An argument for %s.
#define COUNT(n) (amount_count(n).text)
#define SIZE(n) (amount_scaled((double)(n), "B").text)
#define SHARE(part, whole) (amount_share(part, whole).text)

static inline const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

// Title, totals, and what is missing.
void summary_head(const struct summary *s, const struct summary_style *style, struct page *p);
// What to ask next: commands that fit what was found.
void summary_suggest(const struct summary *s, const char *case_name, struct page *p);
