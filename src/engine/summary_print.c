#include <assert.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "engine/summary_parts.h"

enum { STATES_MAX = 8, VERSIONS_MAX = 5, FILE_TYPES_MAX = 6, LARGEST_ROOM = 22 };
enum { SCREEN_LINES = 48, ROWS_MIN = 4 }; // lists give way until the page is no higher, or so short

static bool locale_is_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!locale) return false;
    bool is_utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return is_utf8;
}

static void note_dropped(struct table *t, const struct counts *c)
{
    if (c->dropped)
        facts_add(&t->notes, "more than %s different, so the list is approximate",
                  COUNT(SUMMARY_NAMES_MAX));
}

static void add_name(const struct page *p, struct table_row *row, bytes name,
                     const char *when_empty)
{
    if (name.n) page_name(p, &row->name, name);
    else text_add(&row->name, when_empty);
}

// What a row lacks stands in its last cell; where no row lacks anything there is no such column.
static void cell_lacking(struct table *t, struct table_row *row, unsigned cell, const char *heading,
                         struct amount lacking)
{
    row->cells[cell] = lacking;
    t->headings[cell] = heading;
    t->cell_count = cell + 1;
}

// Of payload that should be there, the share that was never seen.
static void cell_missing(struct table *t, struct table_row *row, unsigned cell, uint64_t missed,
                         uint64_t should)
{
    if (missed) cell_lacking(t, row, cell, "missing", amount_share(missed, should));
}

static void cell_incomplete(struct table *t, struct table_row *row, unsigned cell, uint64_t n)
{
    if (n) cell_lacking(t, row, cell, "partial", amount_count(n));
}

// ---- conversations ------------------------------------------------------------------------------

static void proto_name(struct text *t, unsigned proto)
{
    static const char *const names[SUMMARY_PROTOS] = {
        [1] = "icmp",   [2] = "igmp",  [4] = "ipip",  [6] = "tcp",    [17] = "udp",
        [41] = "ipv6",  [47] = "gre",  [50] = "esp",  [51] = "ah",    [58] = "icmpv6",
        [88] = "eigrp", [89] = "ospf", [103] = "pim", [112] = "vrrp", [132] = "sctp",
    };
    if (names[proto]) text_add(t, names[proto]);
    else text_format(t, "protocol %u", proto);
}

// The heaviest protocol behind `last` in the order of bytes, then number; false at the end.
static bool next_proto(const struct summary_conversations *c, int last, unsigned *next)
{
    int best = -1;
    for (int i = 0; i < SUMMARY_PROTOS; i++) {
        if (!c->protos[i].conversations || i == last) continue;
        uint64_t size = c->protos[i].bytes, limit = last < 0 ? UINT64_MAX : c->protos[last].bytes;
        if (size > limit || (size == limit && i < last)) continue;
        if (best < 0 || size > c->protos[best].bytes) best = i;
    }
    if (best >= 0) *next = (unsigned)best;
    return best >= 0;
}

static void note_states(const struct summary_conversations *c, const struct page *p,
                        struct text *notes)
{
    const struct count *top[STATES_MAX];
    unsigned n = counts_top(&c->states, top, STATES_MAX);
    for (unsigned i = 0; i < n; i++) {
        struct text name = {0};
        page_name_within(p, &name, counts_name(&c->states, top[i]), FACT_NAME_WIDTH);
        facts_add(notes, "%s%s %s", i ? "" : "tcp: ", name.p ? name.p : "unknown",
                  COUNT(top[i]->sums[0]));
        text_deinit(&name);
    }
}

static void section_conversations(const struct summary *s, struct page *p)
{
    const struct summary_conversations *c = &s->conversations;
    if (!c->conversations) return;
    struct table t = {"Conversations", {"number", "packets", "bytes"}, .cell_count = 3};
    unsigned proto;
    for (int last = -1; t.row_count < p->rows && next_proto(c, last, &proto); last = (int)proto) {
        const struct summary_proto *sums = &c->protos[proto];
        struct table_row *row = table_add(&t);
        proto_name(&row->name, proto);
        row->cells[0] = amount_count(sums->conversations);
        row->cells[1] = amount_count(sums->packets);
        row->cells[2] = amount_scaled((double)sums->bytes, "B");
        row->weight = sums->bytes;
        cell_missing(&t, row, 3, sums->missed, sums->should);
    }
    note_states(c, p, &t.notes);
    page_table(p, &t);
}

static void section_services(const struct summary *s, struct page *p)
{
    const struct counts *services = &s->conversations.services;
    const struct count *top[TABLE_ROWS_MAX];
    unsigned n = counts_top(services, top, p->rows);
    struct table t = {"Services", {"number", "bytes"}, .cell_count = 2};
    for (unsigned i = 0; i < n; i++) {
        struct table_row *row = table_add(&t);
        add_name(p, row, counts_name(services, top[i]), "(not recognised)");
        row->cells[0] = amount_count(top[i]->sums[SERVICE_CONVERSATIONS]);
        row->cells[1] = amount_scaled((double)top[i]->sums[SERVICE_BYTES], "B");
        row->weight = top[i]->sums[SERVICE_BYTES];
        cell_missing(&t, row, 2, top[i]->sums[SERVICE_MISSED], top[i]->sums[SERVICE_SHOULD]);
    }
    if (n) page_table(p, &t);
}

static struct address talker_address(const struct counts *talkers, const struct count *count)
{
    struct reader r = reader_of(counts_name(talkers, count));
    bytes words = read_bytes(&r, sizeof(uint64_t[2]));
    uint64_t w[2] = {0};
    assert(words.n == sizeof w);
    memcpy(w, words.p, sizeof w);
    return (struct address){w[0], w[1]};
}

static void section_talkers(const struct summary *s, struct page *p)
{
    const struct counts *talkers = &s->conversations.talkers;
    const struct count *top[TABLE_ROWS_MAX];
    unsigned n = counts_top(talkers, top, p->rows);
    struct table t = {"Talkers", {"peers", "sent", "received"}, .cell_count = 3};
    for (unsigned i = 0; i < n; i++) {
        char address[ADDRESS_TEXT_MAX];
        struct table_row *row = table_add(&t);
        address_format(address, talker_address(talkers, top[i]));
        text_add(&row->name, address);
        row->cells[0] = amount_count(top[i]->sums[TALKER_PEERS]);
        row->cells[1] = amount_scaled((double)top[i]->sums[TALKER_SENT], "B");
        row->cells[2] = amount_scaled((double)top[i]->sums[TALKER_RECEIVED], "B");
        row->weight = top[i]->sums[TALKER_BYTES];
        cell_missing(&t, row, 3, top[i]->sums[TALKER_MISSED], top[i]->sums[TALKER_SHOULD]);
    }
    if (talkers->used > n)
        facts_add(&t.notes, "%s addresses in all", COUNT(talkers->used + talkers->dropped));
    if (s->conversations.pairs.full) facts_add(&t.notes, "peers are at least these");
    note_dropped(&t, talkers);
    if (n) page_table(p, &t);
}

static void section_sources(const struct summary *s, struct page *p)
{
    const struct counts *sources = &s->flows.sources;
    const struct count *top[TABLE_ROWS_MAX];
    unsigned n = counts_top(sources, top, p->rows);
    struct table t = {"Sources", {"flows", "packets", "bytes"}, .cell_count = 3};
    for (unsigned i = 0; i < n; i++) {
        char address[ADDRESS_TEXT_MAX];
        struct table_row *row = table_add(&t);
        address_format(address, talker_address(sources, top[i]));
        text_add(&row->name, address);
        row->cells[0] = amount_count(top[i]->sums[SOURCE_FLOWS]);
        row->cells[1] = amount_count(top[i]->sums[SOURCE_PACKETS]);
        row->cells[2] = amount_scaled((double)top[i]->sums[SOURCE_BYTES], "B");
        row->weight = top[i]->sums[SOURCE_BYTES];
    }
    if (sources->used > n)
        facts_add(&t.notes, "%s addresses in all", COUNT(sources->used + sources->dropped));
    note_dropped(&t, sources);
    if (n) page_table(p, &t);
}

// ---- protocols ----------------------------------------------------------------------------------

// Rows of names and how often they came, and what is left of the list.
static void add_names(const struct page *p, struct table *t, const struct counts *c,
                      const char *when_empty)
{
    const struct count *top[TABLE_ROWS_MAX];
    unsigned n = counts_top(c, top, p->rows);
    for (unsigned i = 0; i < n; i++) {
        struct table_row *row = table_add(t);
        add_name(p, row, counts_name(c, top[i]), when_empty);
        row->cells[0] = amount_count(top[i]->sums[NAME_COUNT]);
        row->weight = top[i]->sums[NAME_COUNT];
        cell_incomplete(t, row, 1, top[i]->sums[NAME_INCOMPLETE]);
    }
    if (c->used > n && !c->dropped) facts_add(&t->notes, "and %s more", COUNT(c->used - n));
    note_dropped(t, c);
}

static void fact_incomplete(uint64_t n, struct text *facts)
{
    if (n) facts_add(facts, "%s incomplete", COUNT(n));
}

static void section_dns(const struct summary *s, struct page *p)
{
    const struct summary_dns *d = &s->dns;
    if (!d->transactions) return;
    struct table t = {"DNS", {"asked"}, .cell_count = 1};
    facts_add(&t.facts, "%s transaction%s", COUNT(d->transactions), plural(d->transactions));
    if (d->nxdomain)
        facts_add(&t.facts, "%s NXDOMAIN (%s)", COUNT(d->nxdomain),
                  SHARE(d->nxdomain, d->answered));
    if (d->failed) facts_add(&t.facts, "%s failed", COUNT(d->failed));
    uint64_t unanswered = d->transactions - d->answered;
    if (unanswered) facts_add(&t.facts, "%s without answer", COUNT(unanswered));
    fact_incomplete(d->incomplete, &t.facts);
    add_names(p, &t, &d->names, "(root)");
    page_table(p, &t);
}

static void section_http(const struct summary *s, struct page *p)
{
    static const char *const classes[] = {"without response", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const struct count *top[TABLE_ROWS_MAX];
    if (!s->http.transactions) return;
    struct table t = {"HTTP", {"requests", "bytes"}, .cell_count = 2};
    facts_add(&t.facts, "%s transaction%s", COUNT(s->http.transactions),
              plural(s->http.transactions));
    for (unsigned k = 1; k <= 6; k++)
        if (s->http.classes[k % 6])
            facts_add(&t.facts, "%s %s", COUNT(s->http.classes[k % 6]), classes[k % 6]);
    fact_incomplete(s->http.incomplete, &t.facts);
    unsigned n = counts_top(&s->http.hosts, top, p->rows);
    for (unsigned i = 0; i < n; i++) {
        struct table_row *row = table_add(&t);
        add_name(p, row, counts_name(&s->http.hosts, top[i]), "(empty)");
        row->cells[0] = amount_count(top[i]->sums[HOST_REQUESTS]);
        row->cells[1] = amount_scaled((double)top[i]->sums[HOST_BYTES], "B");
        row->weight = top[i]->sums[HOST_REQUESTS];
        cell_incomplete(&t, row, 2, top[i]->sums[HOST_INCOMPLETE]);
    }
    if (s->http.hosts.used > n && !s->http.hosts.dropped)
        facts_add(&t.notes, "and %s more", COUNT(s->http.hosts.used - n));
    note_dropped(&t, &s->http.hosts);
    page_table(p, &t);
}

static void fact_certificates(const struct counts *c, struct text *facts)
{
    uint64_t expired = counts_total(c, CERTIFICATE_EXPIRED),
             self_signed = counts_total(c, CERTIFICATE_SELF_SIGNED);
    if (c->used) facts_add(facts, "%s certificate%s", COUNT(c->used), plural(c->used));
    if (expired) facts_add(facts, "%s expired", COUNT(expired));
    if (self_signed) facts_add(facts, "%s self-signed", COUNT(self_signed));
}

static void section_tls(const struct summary *s, struct page *p)
{
    const struct summary_tls *tls = &s->tls;
    if (!tls->handshakes) return;
    const struct count *top[VERSIONS_MAX];
    struct table t = {"TLS", {"asked for"}, .cell_count = 1};
    facts_add(&t.facts, "%s handshake%s", COUNT(tls->handshakes), plural(tls->handshakes));
    unsigned n = counts_top(&tls->versions, top, VERSIONS_MAX);
    for (unsigned i = 0; i < n; i++) {
        struct text name = {0};
        page_name_within(p, &name, counts_name(&tls->versions, top[i]), FACT_NAME_WIDTH);
        facts_add(&t.facts, "%s %s", COUNT(top[i]->sums[0]), name.p ? name.p : "unknown");
        text_deinit(&name);
    }
    fact_certificates(&tls->certificates, &t.facts);
    fact_incomplete(tls->incomplete, &t.facts);
    if (tls->nameless) facts_add(&t.facts, "%s without server name", COUNT(tls->nameless));
    add_names(p, &t, &tls->names, "(empty)");
    page_table(p, &t);
}

static void section_files(const struct summary *s, struct page *p)
{
    const struct summary_files *f = &s->files;
    if (!f->files) return;
    const struct count *top[TABLE_ROWS_MAX];
    struct table t = {"Files", {"number", "bytes"}, .cell_count = 2};
    struct text name = {0};
    page_name_within(p, &name, bytes_text(f->largest_label), p->block - LARGEST_ROOM);
    facts_add(&t.facts, "%s file%s, %s", COUNT(f->files), plural(f->files), SIZE(f->bytes));
    fact_incomplete(f->incomplete, &t.facts);
    if (name.n) facts_add(&t.facts, "largest: %s, %s", name.p, SIZE(f->largest_size));
    unsigned n = counts_top(&f->types, top, p->rows < FILE_TYPES_MAX ? p->rows : FILE_TYPES_MAX);
    for (unsigned i = 0; i < n; i++) {
        struct table_row *row = table_add(&t);
        add_name(p, row, counts_name(&f->types, top[i]), "(unknown)");
        row->cells[0] = amount_count(top[i]->sums[FILE_COUNT]);
        row->cells[1] = amount_scaled((double)top[i]->sums[FILE_BYTES], "B");
        row->weight = top[i]->sums[FILE_BYTES];
        cell_incomplete(&t, row, 2, top[i]->sums[FILE_INCOMPLETE]);
    }
    page_table(p, &t);
    text_deinit(&name);
}

static void section_anomalies(const struct summary *s, struct page *p)
{
    if (!s->anomalies.used) return;
    struct table t = {"Anomalies", {"number"}, .cell_count = 1};
    add_names(p, &t, &s->anomalies, "(unnamed)");
    page_table(p, &t);
}

// ---- all ----------------------------------------------------------------------------------------

static void summary_fill(const struct summary *s, const struct summary_style *style, struct page *p)
{
    summary_head(s, style, p);
    section_conversations(s, p);
    section_services(s, p);
    section_talkers(s, p);
    section_sources(s, p);
    section_dns(s, p);
    section_http(s, p);
    section_tls(s, p);
    section_files(s, p);
    section_anomalies(s, p);
    if (style->case_name) summary_suggest(s, style->case_name, p);
}

void summary_print(const struct summary *s, const struct summary_style *style, FILE *out)
{
    bool utf8 = locale_is_utf8();
    for (unsigned rows = TABLE_ROWS_MAX;; rows--) {
        struct page p;
        page_init(&p, style->width, rows, style->colour, utf8);
        summary_fill(s, style, &p);
        bool fits = page_height(&p) <= SCREEN_LINES || rows == ROWS_MIN;
        if (fits) page_write(&p, out);
        page_deinit(&p);
        if (fits) return;
    }
}
