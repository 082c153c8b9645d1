#include "collect/collector.h"

#include "base/memory.h"
#include "collect/protocol.h"
#include "record/loss.h"

struct collector {
    struct collector_options options;
    struct sessions *sessions;
    struct flow_rows rows;
    struct collector_counts counts;
};

struct collector *collector_create(const struct collector_options *options,
                                   struct record_writer *writer, struct err *err)
{
    struct collector *c = memory_get(sizeof *c);
    c->options = *options;
    flow_rows_init(&c->rows, writer, options->elements);
    c->sessions = sessions_create(err);
    if (c->sessions) return c;
    collector_destroy(c);
    return NULL;
}

void collector_destroy(struct collector *c)
{
    if (!c) return;
    sessions_destroy(c->sessions);
    flow_rows_deinit(&c->rows);
    memory_free(c);
}

struct sessions *collector_sessions(const struct collector *c)
{
    return c->sessions;
}

// ---- losses -------------------------------------------------------------------------------------

static void session_tell(void *context, struct session *s)
{
    static const struct {
        const char *reason, *unit;
    } losses[] = {
#define EXPORT_LOSS_WORD(name, unit, help) {#name, unit},
        EXPORT_LOSSES(EXPORT_LOSS_WORD)
#undef EXPORT_LOSS_WORD
    };
    struct collector *c = context;
    char point[ADDRESS_TEXT_MAX];
    address_format(point, s->key.address);
    for (unsigned i = 0; i < EXPORT_LOSS_COUNT; i++) {
        if (!s->lost[i]) continue;
        struct loss loss = {"collect",  losses[i].reason,    s->lost_from,
                            s->lost_to, .count = s->lost[i], .point = point};
        loss_tell(c->rows.writer, &loss);
        s->lost[i] = 0;
    }
    s->lost_from = s->lost_to = 0;
}

void collector_tell(struct collector *c)
{
    sessions_each(c->sessions, session_tell, c);
}

static void session_finish(void *context, struct session *s)
{
    session_give_up(s);
    session_tell(context, s);
}

void collector_end(struct collector *c)
{
    sessions_each(c->sessions, session_finish, c);
}

void collector_close(struct collector *c, uint64_t connection)
{
    sessions_close(c->sessions, connection, session_tell, c);
}

// ---- messages -----------------------------------------------------------------------------------

void message_open(struct message *m, uint16_t version, uint32_t domain, nanos exported)
{
    struct collector *c = m->collector;
    struct session_key key = {.address = m->from->from,
                              .domain = domain,
                              .port = m->from->connection ? 0 : m->from->port,
                              .version = version,
                              .connection = m->from->connection};
    m->session = session_of(c->sessions, &key, m->from->received, session_tell, c);
    m->session->messages++;
    m->origin = (struct flow_origin){.exporter = m->from->from,
                                     .point = c->options.point,
                                     .domain = domain,
                                     .exported = exported,
                                     .sampling = &m->session->sampling};
    message_began(m);
}

// The header of IPFIX has no count, but options may tell when it began (RFC 5102 section 5.9.9).
void message_began(struct message *m)
{
    nanos began = m->session->began;
    if (!began || m->session->key.version != IPFIX) return;
    message_uptime(m, (uint32_t)((m->origin.exported - began) / NANOS_PER_MILLI));
}

void message_uptime(struct message *m, uint32_t uptime)
{
    m->origin.uptime = uptime;
    m->origin.has_uptime = true;
}

void message_lose(struct message *m, enum export_loss why, uint64_t n)
{
    session_lose(m->session, why, n, m->from->received);
}

void collector_take(struct collector *c, const struct export_message *from)
{
    struct message m = {.collector = c, .from = from, .rows = &c->rows, .counts = &c->counts};
    struct reader r = reader_of(from->data), at = r;
    uint16_t version = read_be16(&at);
    c->counts.messages++;
    for (uint32_t i = 0; i < export_protocol_count && !at.bad; i++) {
        if (export_protocols[i]->version != version) continue;
        export_protocols[i]->take(&m, r);
        return;
    }
    c->counts.unknown_version++;
}

struct collector_counts collector_counts(const struct collector *c)
{
    struct collector_counts n = c->counts;
    n.flows = c->rows.rows;
    return n;
}
