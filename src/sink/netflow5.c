// NetFlow 5: records of fixed layout behind a header of 24 bytes (Cisco, "NetFlow Export Datagram
// Format"). IPv4 only, counters of 32 bits, times by the uptime of 32 bits.
#include "sink/export_format.h"

enum {
    VERSION = 5,
    HEADER_SIZE = 24,
    RECORD_SIZE = 48,
    AS_TRANS = 23456, // stands for a number of more than 16 bits (RFC 6793 section 9)
    SAMPLING_MODE = 1 << 14,
};

enum place_how {
    PLACE_NEEDED, // what does not fit cannot be told
    PLACE_TIME,
    PLACE_PORT,
    PLACE_AS,
    PLACE_FLAGS,
    PLACE_EXTRA, // what does not fit is left out
    PLACE_NONE,
};

// The record, by the numbers of the elements that tell the same.
static const struct place {
    uint16_t element;
    uint8_t size, how;
} places[] = {
    {8, 4, PLACE_NEEDED}, {12, 4, PLACE_NEEDED}, {15, 4, PLACE_EXTRA}, {10, 2, PLACE_EXTRA},
    {14, 2, PLACE_EXTRA}, {2, 4, PLACE_NEEDED},  {1, 4, PLACE_NEEDED}, {152, 4, PLACE_TIME},
    {153, 4, PLACE_TIME}, {7, 2, PLACE_PORT},    {11, 2, PLACE_PORT},  {0, 1, PLACE_NONE},
    {6, 1, PLACE_FLAGS},  {4, 1, PLACE_NEEDED},  {5, 1, PLACE_EXTRA},  {16, 2, PLACE_AS},
    {17, 2, PLACE_AS},    {9, 1, PLACE_EXTRA},   {13, 1, PLACE_EXTRA}, {0, 2, PLACE_NONE},
};
enum { ELEMENT_ICMP = 32, ELEMENT_DST_PORT = 11, ELEMENT_SAMPLING = 34, ELEMENT_FIRST = 152 };

static const struct column_value *value_of(const struct flow_export *e,
                                           const struct export_values *values, uint16_t number,
                                           bool *is_wide)
{
    for (uint32_t i = 0; i < e->columns.count; i++) {
        const struct export_column *c = &e->columns.list[i];
        if (!(values->present >> i & 1) || c->element->number != number) continue;
        *is_wide = values->wide >> i & 1;
        return &values->of[i];
    }
    return NULL;
}

static uint64_t word_of(const struct flow_export *e, const struct export_values *values,
                        uint16_t number)
{
    bool is_wide;
    const struct column_value *v = value_of(e, values, number, &is_wide);
    return v ? v->word : 0;
}

// Uptimes count from `started`: a whole second some way before the first flow, and anew from
// another when a flow lies too far from it.
static bool uptime_of(const struct flow_export *e, uint64_t time, uint64_t *uptime)
{
    *uptime = (time - (uint64_t)e->started) / NANOS_PER_MILLI;
    return time >= (uint64_t)e->started && *uptime <= UINT32_MAX;
}

static bool place_word(struct flow_export *e, const struct export_values *values,
                       const struct place *p, uint64_t *word)
{
    bool is_wide = false;
    const struct column_value *v = value_of(e, values, p->element, &is_wide);
    bool is_address = p->size == 4 && p->how != PLACE_TIME && p->element > 2;
    *word = 0;
    if (!v) return true;
    if (p->how == PLACE_TIME) return uptime_of(e, v->word, word);
    if (is_address) *word = v->address.lo & UINT32_MAX;
    else *word = v->word;
    if (is_address ? !is_wide : *word >> 8 * p->size == 0) return true;
    if (p->how == PLACE_NEEDED) return false;
    e->values.left_out++;
    *word = p->how == PLACE_AS ? AS_TRANS : p->how == PLACE_FLAGS ? *word & UINT8_MAX : 0;
    return true;
}

static bool record_put(struct flow_export *e, const struct export_values *values)
{
    bool is_wide, is_icmp = value_of(e, values, ELEMENT_ICMP, &is_wide);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place *p = &places[i];
        uint64_t word = 0;
        if (p->how == PLACE_PORT && is_icmp) {
            // Type and code stand in the port of dst.
            if (p->element == ELEMENT_DST_PORT) word = word_of(e, values, ELEMENT_ICMP);
        } else if (p->how != PLACE_NONE && !place_word(e, values, p, &word)) {
            return false;
        }
        buf_be(&e->message.buf, word, p->size);
    }
    return true;
}

// Begins the uptime where the flow can be told, if no record counts from another yet.
static enum export_added uptime_move(struct flow_export *e, uint64_t first)
{
    uint64_t uptime, hour = 3600 * (uint64_t)NANOS_PER_SECOND;
    uint64_t began = first > hour ? first - hour : 0;
    if (uptime_of(e, first, &uptime) && uptime_of(e, (uint64_t)e->now, &uptime))
        return EXPORT_ADDED;
    if (e->message.records) return EXPORT_FULL;
    e->started = (nanos)(began - began % NANOS_PER_SECOND);
    return uptime_of(e, (uint64_t)e->now, &uptime) ? EXPORT_ADDED : EXPORT_UNTOLD;
}

static enum export_added add(struct flow_export *e, const struct export_values *values)
{
    struct open_message *m = &e->message, before = *m;
    uint64_t told = word_of(e, values, ELEMENT_SAMPLING);
    uint32_t rate = told < SAMPLING_MODE ? (uint32_t)told : 0;
    if (m->buf.size - m->buf.n < RECORD_SIZE || (m->records && m->rate != rate)) return EXPORT_FULL;
    enum export_added moved = uptime_move(e, word_of(e, values, ELEMENT_FIRST));
    if (moved != EXPORT_ADDED) return moved;
    if (!record_put(e, values)) {
        *m = before;
        return EXPORT_UNTOLD;
    }
    e->values.left_out += told != rate;
    m->rate = rate;
    m->items++;
    m->records++;
    return EXPORT_ADDED;
}

static void close_message(struct flow_export *e)
{
    struct open_message *m = &e->message;
    struct buf h = buf_on(m->buf.p, HEADER_SIZE);
    buf_be(&h, VERSION, 2);
    buf_be(&h, m->records, 2);
    // A whole second, not before the last flow: everybody computes the same times from it.
    uint64_t second = ((uint64_t)m->latest + NANOS_PER_SECOND - 1) / NANOS_PER_SECOND;
    buf_be(&h, second * 1000 - (uint64_t)(e->started / NANOS_PER_MILLI), 4);
    buf_be(&h, second, 4);
    buf_be(&h, 0, 4);
    buf_be(&h, e->sequence, 4);
    buf_be(&h, e->options.domain, 2);
    buf_be(&h, m->rate ? SAMPLING_MODE | m->rate : 0, 2);
    e->sequence += m->records; // flows before the message
}

const struct export_format netflow5_format = {
    "netflow5", {false, false, false, false}, HEADER_SIZE, add, close_message};
