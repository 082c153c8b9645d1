#include <stdarg.h>
#include <string.h>

#include "engine/summary_parts.h"

enum { SUGGESTIONS_MAX = 5 };

// A word of the shell that stands for the name; quoted where it must be.
static void put_word(const struct page *p, struct text *t, bytes name)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@%,";
    bool is_plain = name.n > 0 && name.p[0] != '-';
    for (size_t i = 0; i < name.n && is_plain; i++)
        is_plain = memchr(plain, name.p[i], sizeof plain - 1) != NULL;
    if (is_plain) {
        text_put(t, name);
        return;
    }
    text_add(t, "'");
    while (name.n) {
        bytes part = bytes_first(name, bytes_find(name, '\''));
        page_name(p, t, part);
        if (part.n < name.n) text_add(t, "'\\''");
        name = bytes_after(name, part.n + 1);
    }
    text_add(t, "'");
}

struct suggesting {
    struct page *page;
    const char *case_name;
    unsigned count;
};

// `command` and what stands behind the case's name in it; `why` is left out where the line has no
// room.
static void suggest(struct suggesting *g, const char *why, const char *command, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));
static void suggest(struct suggesting *g, const char *why, const char *command, const char *format,
                    ...)
{
    if (g->count++ >= SUGGESTIONS_MAX) return;
    char rest[512];
    va_list list;
    va_start(list, format);
    vsnprintf(rest, sizeof rest, format, list);
    va_end(list);
    struct page *p = g->page;
    if (!p->tail.n) page_title(p, &p->tail, "What to ask next");
    size_t from = p->tail.n;
    text_format(&p->tail, "  weir %s ", command);
    put_word(p, &p->tail, bytes_text(g->case_name));
    text_format(&p->tail, " %s", rest);
    size_t used = p->tail.n - from;
    if (used + strlen(why) + 4 <= p->width)
        text_format(&p->tail, p->colour ? "  \x1b[2m# %s\x1b[0m" : "  # %s", why);
    text_add(&p->tail, "\n");
}

static void suggest_conversation(struct suggesting *g, const struct summary *s)
{
    if (!s->conversations.conversations) return;
    char id[RECORD_ID_TEXT_SIZE];
    record_id_format(id, s->conversations.largest);
    suggest(g, "the largest conversation", "show", "%s", id);
}

void summary_suggest(const struct summary *s, const char *case_name, struct page *p)
{
    struct suggesting all = {p, case_name, 0}, *g = &all;
    suggest_conversation(g, s);
    if (s->http.classes[4] + s->http.classes[5])
        suggest(
            g, "what failed", "query",
            "\"SELECT ts, src_addr, host, uri, status_code FROM http WHERE status_code >= 400\"");
    if (counts_total(&s->tls.certificates, CERTIFICATE_SELF_SIGNED))
        suggest(g, "self-signed", "query",
                "\"SELECT subject, dst_addr FROM x509 WHERE self_signed AND chain_position = 0\"");
    if (s->dns.nxdomain)
        suggest(g, "who asks for what is not there", "query",
                "\"SELECT query, src_addr, rtt FROM dns WHERE rcode_name = 'NXDOMAIN'\"");
    if (s->flows.flows)
        suggest(g, "where it went", "query",
                "\"SELECT dst_port, sum(bytes) FROM flow GROUP BY ALL ORDER BY 2 DESC LIMIT 10\"");
    if (s->files.files) suggest(g, "take the files out", "files", "-w out/");
    if (s->anomalies.used)
        suggest(g, "what is broken, and where", "query",
                "\"SELECT ts, name, src_addr, dst_addr, detail FROM anomaly\"");
    if (s->tls.handshakes)
        suggest(g, "clients by fingerprint", "query",
                "\"SELECT ja4, count(*) FROM tls GROUP BY ALL ORDER BY 2 DESC\"");
    if (s->http.transactions)
        suggest(g, "programs that asked", "query",
                "\"SELECT user_agent, count(*) FROM http GROUP BY ALL ORDER BY 2 DESC\"");
    if (s->conversations.conversations)
        suggest(g, "the longest", "query",
                "\"SELECT id, service, last_seen - first_seen FROM conversation ORDER BY 3 DESC "
                "LIMIT 10\"");
}
