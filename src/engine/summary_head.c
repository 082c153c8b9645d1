#include <string.h>

#include "engine/summary_parts.h"

enum { LOSSES_MAX = 4, FORMATS_MAX = 4 };

static bytes base_name(bytes path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/') path.n--;
    size_t from = path.n;
    while (from && path.p[from - 1] != '/') from--;
    return from < path.n ? bytes_after(path, from) : path;
}

static void head_title(const struct summary *s, const struct summary_style *style, struct page *p)
{
    const struct count *top[1];
    struct text title = {0};
    bytes path = {0};
    if (style->case_name) path = bytes_text(style->case_name);
    else if (s->captures.captures == 1 && counts_top(&s->captures.paths, top, 1))
        path = counts_name(&s->captures.paths, top[0]);
    if (bytes_equal(path, bytes_text("-"))) path = bytes_text("standard input");
    if (path.n) page_name_within(p, &title, base_name(path), p->width);
    else text_format(&title, "%s captures", COUNT(s->captures.captures));
    page_title(p, &p->head, title.p);
    text_deinit(&title);
}

static void fact_formats(const struct summary *s, const struct page *p, struct text *facts)
{
    const struct count *top[FORMATS_MAX];
    unsigned n = counts_top(&s->captures.formats, top, FORMATS_MAX);
    struct text formats = {0};
    for (unsigned i = 0; i < n; i++) {
        if (i) text_add(&formats, ", ");
        page_name_within(p, &formats, counts_name(&s->captures.formats, top[i]), FACT_NAME_WIDTH);
    }
    facts_add(facts, "%s capture%s (%s)", COUNT(s->captures.captures), plural(s->captures.captures),
              n ? formats.p : "none");
    text_deinit(&formats);
}

// Time to the second; of the end only what differs from the beginning.
static void fact_times(nanos first_seen, nanos last_seen, struct text *facts)
{
    enum { DATE = 10, SECONDS = 19 };
    if (first_seen > last_seen) return;
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    time_format(first, first_seen);
    time_format(last, last_seen);
    first[DATE] = last[DATE] = ' ';
    bool same_day = memcmp(first, last, DATE) == 0;
    facts_add(facts, "%.*s to %.*s UTC", SECONDS, first, same_day ? SECONDS - DATE - 1 : SECONDS,
              last + (same_day ? DATE + 1 : 0));
    facts_add(facts, "%s", amount_span(last_seen - first_seen).text);
}

static void fact_rates(const struct summary_captures *c, struct text *facts)
{
    if (c->last_seen <= c->first_seen) return;
    double seconds = (double)(c->last_seen - c->first_seen) / (double)NANOS_PER_SECOND;
    if (seconds < 0.001 || (double)c->packets < seconds) return;
    facts_add(facts, "%s", amount_scaled((double)c->packets / seconds, "packets/s").text);
    facts_add(facts, "%s", amount_scaled(8 * (double)c->bytes / seconds, "bit/s").text);
}

static void flow_totals(const struct summary_flows *f, struct page *p)
{
    struct text facts = {0};
    facts_add(&facts, "%s flow%s", COUNT(f->flows), plural(f->flows));
    if (f->exporters.used)
        facts_add(&facts, "%s exporter%s", COUNT(f->exporters.used), plural(f->exporters.used));
    facts_add(&facts, "%s packet%s", COUNT(f->packets), plural(f->packets));
    facts_add(&facts, "%s", SIZE(f->bytes));
    if (f->sampled) facts_add(&facts, "%s of sampled packets", COUNT(f->sampled));
    page_facts(p, &p->head, p->width, &facts, PAGE_PLAIN);
    fact_times(f->first_seen, f->last_seen, &facts);
    page_facts(p, &p->head, p->width, &facts, PAGE_PLAIN);
    text_deinit(&facts);
}

static void head_totals(const struct summary *s, struct page *p)
{
    struct text facts = {0};
    if (s->flows.flows) flow_totals(&s->flows, p);
    if (s->flows.flows && !s->captures.captures) return;
    fact_formats(s, p, &facts);
    facts_add(&facts, "%s packet%s", COUNT(s->captures.packets), plural(s->captures.packets));
    facts_add(&facts, "%s", SIZE(s->captures.bytes));
    fact_rates(&s->captures, &facts);
    page_facts(p, &p->head, p->width, &facts, PAGE_PLAIN);
    fact_times(s->captures.first_seen, s->captures.last_seen, &facts);
    page_facts(p, &p->head, p->width, &facts, PAGE_PLAIN);
    text_deinit(&facts);
}

// ---- what is missing ----------------------------------------------------------------------------

static void missing_in_captures(const struct summary_captures *c, struct text *facts)
{
    if (c->cut)
        facts_add(facts, "%s capture%s too early", COUNT(c->cut), c->cut == 1 ? " ends" : "s end");
    if (c->damaged_bytes)
        facts_add(facts, "%s damaged in %s capture%s", SIZE(c->damaged_bytes), COUNT(c->damaged),
                  plural(c->damaged));
    if (c->interface_drops)
        facts_add(facts, "%s packet%s dropped while capturing", COUNT(c->interface_drops),
                  plural(c->interface_drops));
    if (c->captured_bytes < c->bytes)
        facts_add(facts, "packets cut short: %s of their bytes are not there",
                  SHARE(c->bytes - c->captured_bytes, c->bytes));
}

static void missing_by_reason(const struct summary *s, const struct page *p, struct text *facts)
{
    const struct count *top[LOSSES_MAX];
    unsigned n = counts_top(&s->losses, top, LOSSES_MAX);
    for (unsigned i = 0; i < n; i++) {
        struct text name = {0};
        page_name_within(p, &name, counts_name(&s->losses, top[i]), FACT_NAME_WIDTH);
        uint64_t packets = top[i]->sums[LOST_PACKETS], lost = top[i]->sums[LOST_BYTES];
        uint64_t told = top[i]->sums[LOST_TOLD];
        if (told) facts_add(facts, "%s told as lost: %s", COUNT(told), name.p);
        if (packets)
            facts_add(facts, "%s packet%s not decoded: %s", COUNT(packets), plural(packets),
                      name.p);
        if (lost) facts_add(facts, "%s given up: %s", SIZE(lost), name.p);
        text_deinit(&name);
    }
}

static void missing_in_streams(const struct summary_conversations *c, struct text *facts)
{
    if (!c->missed_bytes) return;
    facts_add(facts, "%s of TCP payload never seen (%s) in %s conversation%s",
              SIZE(c->missed_bytes), SHARE(c->missed_bytes, c->missed_bytes + c->payload_bytes),
              COUNT(c->gappy), plural(c->gappy));
}

static void head_missing(const struct summary *s, struct page *p)
{
    struct text facts = {0}, all = {0};
    missing_in_streams(&s->conversations, &facts);
    missing_in_captures(&s->captures, &facts);
    missing_by_reason(s, p, &facts);
    if (facts.n) {
        text_add(&all, "incomplete: ");
        text_put(&all, bytes_of(facts.p, facts.n));
        page_facts(p, &p->head, p->width, &all, PAGE_WARNING);
    } else {
        facts_add(&all, "complete: nothing is known to be missing");
        page_facts(p, &p->head, p->width, &all, PAGE_PLAIN);
    }
    text_deinit(&facts);
    text_deinit(&all);
}

// Bytes with two readings, of which the results show one.
static void head_ambiguous(const struct summary *s, struct page *p)
{
    struct text facts = {0};
    if (s->ambiguities)
        facts_add(&facts, "ambiguous: %s stretch%s, %s, came with two readings: see ambiguity",
                  COUNT(s->ambiguities), s->ambiguities == 1 ? "" : "es", SIZE(s->ambiguous_bytes));
    page_facts(p, &p->head, p->width, &facts, PAGE_WARNING);
    text_deinit(&facts);
}

// What is not missing and yet not among the conversations.
static void head_aside(const struct summary *s, struct page *p)
{
    const struct summary_captures *c = &s->captures;
    struct text facts = {0};
    uint64_t known =
        s->conversations.packets + counts_total(&s->losses, LOST_PACKETS) + c->filtered;
    if (c->filtered)
        facts_add(&facts, "%s packet%s left out by the filter", COUNT(c->filtered),
                  plural(c->filtered));
    if (c->packets > known)
        facts_add(&facts, "%s packet%s without IP", COUNT(c->packets - known),
                  plural(c->packets - known));
    if (c->backwards)
        facts_add(&facts, "%s packet%s earlier than the one before", COUNT(c->backwards),
                  plural(c->backwards));
    page_facts(p, &p->head, p->width, &facts, PAGE_DIM);
    text_deinit(&facts);
}

void summary_head(const struct summary *s, const struct summary_style *style, struct page *p)
{
    head_title(s, style, p);
    head_totals(s, p);
    head_missing(s, p);
    head_ambiguous(s, p);
    head_aside(s, p);
}
