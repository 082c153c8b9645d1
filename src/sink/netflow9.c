// NetFlow 9, RFC 3954: templates of plain numbers and fixed lengths, one direction a record.
#include "sink/export_format.h"

enum { VERSION = 9, HEADER_SIZE = 20 };

static const struct set_layout layout = {.templates = 0, .align = 4};

static enum export_added add(struct flow_export *e, const struct export_values *values)
{
    return sets_add(e, values, &layout);
}

static void close_message(struct flow_export *e)
{
    struct open_message *m = &e->message;
    sets_close(m, &layout);
    nanos uptime = m->latest > e->started ? m->latest - e->started : 0;
    struct buf h = buf_on(m->buf.p, HEADER_SIZE);
    buf_be(&h, VERSION, 2);
    buf_be(&h, m->items, 2); // records and templates
    buf_be(&h, (uint64_t)(uptime / NANOS_PER_MILLI), 4);
    buf_be(&h, (uint64_t)(m->latest / NANOS_PER_SECOND), 4);
    buf_be(&h, e->sequence++, 4); // messages (section 5.1)
    buf_be(&h, e->options.domain, 4);
}

const struct export_format netflow9_format = {
    "netflow9", {false, false, false, false}, HEADER_SIZE, add, close_message};
