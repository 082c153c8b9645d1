// IPFIX, RFC 7011.
#include "collect/protocol.h"

enum {
    HEADER_SIZE = 16,
    SET_HEADER = 4,
    SET_TEMPLATES = 2,
    SET_OPTIONS = 3,
    SET_RECORDS_MIN = 256
};

// How many records there were.
static uint32_t ipfix_set(struct message *m, uint16_t id, struct reader set)
{
    if (id == SET_TEMPLATES) set_templates(m, set, true);
    else if (id == SET_OPTIONS) set_options_templates_ipfix(m, set);
    else if (id >= SET_RECORDS_MIN) return set_records(m, id, set);
    else message_lose(m, EXPORT_LOSS_bad_set, 1);
    return 0;
}

static void take(struct message *m, struct reader r)
{
    struct reader h = read_sub(&r, HEADER_SIZE);
    read_be16(&h); // version
    uint16_t length = read_be16(&h);
    uint32_t seconds = read_be32(&h), sequence = read_be32(&h), domain = read_be32(&h);
    message_open(m, IPFIX, domain, (nanos)seconds * NANOS_PER_SECOND);
    if (h.bad || length < HEADER_SIZE || length - (size_t)HEADER_SIZE > reader_left(&r)) {
        message_lose(m, EXPORT_LOSS_cut_message, 1);
        if (h.bad || length < HEADER_SIZE) return;
    } else {
        r = read_sub(&r, length - (size_t)HEADER_SIZE);
    }
    uint32_t records = 0;
    while (reader_left(&r) >= SET_HEADER) {
        uint16_t id = read_be16(&r), size = read_be16(&r);
        if (size < SET_HEADER || size - (size_t)SET_HEADER > reader_left(&r)) {
            message_lose(m, EXPORT_LOSS_bad_set, 1);
            break;
        }
        records += ipfix_set(m, id, read_sub(&r, size - (size_t)SET_HEADER));
    }
    // The count is that of records before this message (RFC 7011 section 3.1).
    session_sequence(m->session, sequence, records, m->from->received);
    if (m->has_uncounted) session_uncounted(m->session);
}

const struct export_protocol ipfix_protocol = {IPFIX, take};
