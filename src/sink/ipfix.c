// IPFIX, RFC 7011; both directions in one record, RFC 5103.
#include "sink/export_format.h"

enum { VERSION = 10, HEADER_SIZE = 16 };

static const struct set_layout layout = {.templates = 2, .align = 1};

static enum export_added add(struct flow_export *e, const struct export_values *values)
{
    return sets_add(e, values, &layout);
}

static void close_message(struct flow_export *e)
{
    struct open_message *m = &e->message;
    sets_close(m, &layout);
    struct buf h = buf_on(m->buf.p, HEADER_SIZE);
    buf_be(&h, VERSION, 2);
    buf_be(&h, m->buf.n, 2);
    buf_be(&h, (uint64_t)(m->latest / NANOS_PER_SECOND), 4);
    buf_be(&h, e->sequence, 4);
    buf_be(&h, e->options.domain, 4);
    e->sequence += m->records; // records before the message (section 3.1)
}

const struct export_format ipfix_format = {
    "ipfix", {true, true, true, true}, HEADER_SIZE, add, close_message};
