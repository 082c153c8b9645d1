// NetFlow 9, RFC 3954.
#include "collect/protocol.h"

enum {
    HEADER_SIZE = 20,
    SET_HEADER = 4,
    SET_TEMPLATES = 0,
    SET_OPTIONS = 1,
    SET_RECORDS_MIN = 256
};

static void netflow9_set(struct message *m, uint16_t id, struct reader set)
{
    if (id == SET_TEMPLATES) set_templates(m, set, false);
    else if (id == SET_OPTIONS) set_options_templates_9(m, set);
    else if (id >= SET_RECORDS_MIN) set_records(m, id, set);
    else message_lose(m, EXPORT_LOSS_bad_set, 1);
}

static void take(struct message *m, struct reader r)
{
    struct reader h = read_sub(&r, HEADER_SIZE);
    read_be32(&h); // version and number of records, which many exporters tell wrongly
    uint32_t uptime = read_be32(&h), seconds = read_be32(&h);
    uint32_t sequence = read_be32(&h), domain = read_be32(&h);
    message_open(m, NETFLOW_9, domain, (nanos)seconds * NANOS_PER_SECOND);
    if (h.bad) {
        message_lose(m, EXPORT_LOSS_cut_message, 1);
        return;
    }
    message_uptime(m, uptime);
    session_uptime(m->session, uptime, m->origin.exported);
    session_sequence(m->session, sequence, 1, m->from->received);
    while (reader_left(&r) >= SET_HEADER) {
        uint16_t id = read_be16(&r), length = read_be16(&r);
        if (length < SET_HEADER || length - (size_t)SET_HEADER > reader_left(&r)) {
            message_lose(m, EXPORT_LOSS_bad_set, 1);
            return;
        }
        netflow9_set(m, id, read_sub(&r, length - (size_t)SET_HEADER));
    }
}

const struct export_protocol netflow9_protocol = {NETFLOW_9, take};
