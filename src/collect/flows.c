#include "collect/flows.h"

#include <string.h>

#include "base/mac.h"
#include "flow/flow_kind.h"
#include "record/community_id.h"

enum {
    LIST_MAX = 12288,
    TEXT_VALUE_MAX = 256,
    ESCAPED_MAX = 4,
    LENGTH_SIZE = 4,
    LIST_VALUE_MAX = 4096
};

// What is learnt of a record while its steps run.
struct reading {
    struct flow_rows *rows;
    const struct flow_origin *origin;
    struct record_batch *batch;
    bool has_sampler;
    uint64_t sampler, rate;
    nanos began; // when the exporter's system began to count
    // What cannot be told before the whole record is read.
    struct {
        const struct step *step; // NULL: not in the record
        bytes value;
    } first, last, packet;
    uint32_t packet_length;
};

void flow_rows_init(struct flow_rows *rows, struct record_writer *writer, bool elements)
{
    *rows = (struct flow_rows){.writer = writer, .elements = elements};
}

void flow_rows_deinit(struct flow_rows *rows)
{
    text_deinit(&rows->list);
    text_deinit(&rows->value);
    sampled_deinit(&rows->sampled);
}

// ---- values -------------------------------------------------------------------------------------

void flow_put_text(struct record_batch *b, unsigned field, bytes v)
{
    char escaped[TEXT_VALUE_MAX * ESCAPED_MAX];
    while (v.n && v.p[v.n - 1] == 0) v.n--;
    v = bytes_first(v, TEXT_VALUE_MAX);
    size_t n = text_escape(escaped, sizeof escaped, v);
    if (n) batch_text(b, field, bytes_of(escaped, n));
}

bool flow_list_put(struct text *list, bytes value)
{
    char escaped[TEXT_VALUE_MAX * ESCAPED_MAX];
    uint32_t n = (uint32_t)text_escape(escaped, sizeof escaped, value);
    if (list->n + LENGTH_SIZE + n > LIST_MAX) return false;
    text_put(list, bytes_of(&n, LENGTH_SIZE));
    text_put(list, bytes_of(escaped, n));
    return true;
}

// Adds what stands in rows->value to the list.
static void list_add(struct flow_rows *rows)
{
    bool has_room = flow_list_put(&rows->list, bytes_of(rows->value.p, rows->value.n));
    rows->elements_cut += !has_room;
}

static void put_element(struct reading *r, const struct step *s, bytes value)
{
    struct flow_rows *rows = r->rows;
    if (!rows->elements) return;
    struct text *v = &rows->value;
    text_clear(v);
    template_field_name(v, &s->wire);
    text_add(v, "=");
    bool is_list = s->element && s->element->type == ELEMENT_basicList;
    element_format(v, s->element, bytes_first(value, is_list ? LIST_VALUE_MAX : TEXT_VALUE_MAX));
    list_add(rows);
}

void flow_note(struct flow_rows *rows, const char *name, uint64_t value)
{
    if (!rows->elements || rows->list.n > FLOW_NOTES_MAX) return;
    text_clear(&rows->value);
    text_add(&rows->value, name);
    text_add(&rows->value, "=");
    text_number(&rows->value, value);
    list_add(rows);
}

void flow_put_reason(struct record_batch *b, uint64_t reason)
{
    const char *word = element_end_reason(reason);
    if (word) batch_text(b, FLOW_END_REASON, bytes_text(word));
}

void flow_put_icmp(struct record_batch *b, uint64_t type_code)
{
    if (!type_code) return; // many exporters fill it with zero for all that is not ICMP
    batch_word(b, FLOW_SRC_PORT, type_code >> 8 & 0xff);
    batch_word(b, FLOW_DST_PORT, type_code & 0xff);
}

static void put_number(struct record_batch *b, const struct step *s, uint64_t v)
{
    if (s->is_again && !v) return;
    if (s->how == STEP_COUNT && batch_has(b, s->field, b->rows) && batch_get(b, s->field, b->rows))
        return;
    batch_word(b, s->field, v);
}

static void put_address(struct record_batch *b, const struct step *s, bytes value)
{
    struct address a = element_address(value);
    if (s->is_again && address_is_none(a)) return;
    batch_words(b, s->field, a.hi, a.lo);
}

static void put_time(struct reading *r, const struct step *s, nanos time)
{
    if (time > 0) batch_word(r->batch, s->field, (uint64_t)time);
}

nanos flow_time(const struct flow_origin *origin, uint32_t uptime)
{
    return origin->exported + (nanos)(int32_t)(uptime - origin->uptime) * NANOS_PER_MILLI;
}

static void keep_uptime(struct reading *r, const struct step *s, bytes value)
{
    if (s->field == FLOW_FIRST_SEEN) r->first.step = s, r->first.value = value;
    else r->last.step = s, r->last.value = value;
}

static void put_uptime(struct reading *r, const struct step *s, bytes value)
{
    struct flow_origin o = *r->origin;
    if (!s) return;
    if (r->began) o.uptime = (uint32_t)((o.exported - r->began) / NANOS_PER_MILLI);
    if (r->began || o.has_uptime) put_time(r, s, flow_time(&o, (uint32_t)element_number(value)));
    else put_element(r, s, value);
}

static void put_packet(struct reading *r)
{
    enum { IP_HEADER_SECTION = 313 };
    struct record_batch *b = r->batch;
    const struct step *s = r->packet.step;
    if (!s || !r->packet.value.n || batch_has(b, FLOW_SRC_ADDR, b->rows)) return;
    bool is_ip = s->wire.number == IP_HEADER_SECTION;
    struct sampled_packet sample = {r->packet.value, r->packet_length,
                                    is_ip ? LINK_RAW_IP : LINK_ETHERNET, r->origin->exported};
    sampled_put(&r->rows->sampled, b, &sample);
    if (!batch_has(b, FLOW_PACKETS, b->rows)) batch_word(b, FLOW_PACKETS, 1);
}

static void flow_step(struct reading *r, const struct step *s, bytes value)
{
    struct record_batch *b = r->batch;
    switch ((enum step_how)s->how) {
    case STEP_NUMBER:
    case STEP_COUNT:
        put_number(b, s, element_number(value));
        break;
    case STEP_TIME:
        put_time(r, s, element_time(s->element->type, value));
        break;
    case STEP_UPTIME:
        keep_uptime(r, s, value);
        break;
    case STEP_BEGAN:
        r->began = element_time(s->element->type, value);
        break;
    case STEP_DELTA:
        put_time(r, s, r->origin->exported - (nanos)element_number(value) * NANOS_PER_MICRO);
        break;
    case STEP_ADDRESS:
        put_address(b, s, value);
        break;
    case STEP_MAC:
        batch_word(b, s->field, mac_of(value.p));
        break;
    case STEP_TEXT:
        flow_put_text(b, s->field, value);
        break;
    case STEP_HASH:
        if (value.n) batch_text(b, s->field, bytes_first(value, TEXT_VALUE_MAX));
        break;
    case STEP_ICMP:
        flow_put_icmp(b, element_number(value));
        break;
    case STEP_REASON:
        flow_put_reason(b, element_number(value));
        break;
    case STEP_RATE:
        if (!r->rate) r->rate = element_number(value);
        break;
    case STEP_SAMPLER:
        r->has_sampler = true;
        r->sampler = element_number(value);
        break;
    case STEP_SIZE:
        r->packet_length = (uint32_t)element_number(value);
        batch_word(r->batch, s->field, r->packet_length);
        break;
    case STEP_PACKET:
        r->packet.step = s, r->packet.value = value;
        put_element(r, s, value);
        break;
    case STEP_ELEMENT:
        put_element(r, s, value);
        break;
    case STEP_SKIP:
        break;
    }
}

// ---- rows ---------------------------------------------------------------------------------------

static void put_same_text(struct record_batch *b, unsigned field, uint32_t count, const char *text)
{
    batch_text(b, field, bytes_text(text));
    batch_same(b, field, count, batch_get(b, field, b->rows));
}

struct record_batch *flow_begin(struct flow_rows *rows, const struct flow_origin *origin,
                                size_t heap_need)
{
    struct record_batch *b = writer_begin(rows->writer, &flow_kind, heap_need);
    if (!address_is_none(origin->exporter))
        batch_words(b, FLOW_EXPORTER, origin->exporter.hi, origin->exporter.lo);
    batch_word(b, FLOW_DOMAIN, origin->domain);
    if (*origin->point) batch_text(b, FLOW_POINT, bytes_text(origin->point));
    rows->rows++;
    text_clear(&rows->list);
    return b;
}

struct record_batch *flow_begin_rows(struct flow_rows *rows, const struct flow_origin *origin,
                                     size_t heap_need, uint32_t *count)
{
    struct record_batch *b = writer_begin_rows(rows->writer, &flow_kind, heap_need, count);
    if (!address_is_none(origin->exporter)) {
        uint64_t *exporters = batch_column(b, FLOW_EXPORTER, *count);
        for (uint32_t i = 0; i < *count; i++) {
            exporters[2 * (size_t)i] = origin->exporter.hi;
            exporters[2 * (size_t)i + 1] = origin->exporter.lo;
        }
    }
    batch_same(b, FLOW_DOMAIN, *count, origin->domain);
    if (*origin->point) put_same_text(b, FLOW_POINT, *count, origin->point);
    rows->rows += *count;
    return b;
}

// Many exporters tell type and code of ICMP in the port of the destination alone, as NetFlow 5 does
// (Cisco, "NetFlow Export Datagram Format"), whether or not there is an element for them as well.
// A message that has an answer has the answer's type in place of its code, as in flows that are
// measured of packets; but zeros may mean that nothing was told.
void flow_icmp_ports(struct record_batch *b)
{
    enum { ICMP = 1, ICMP6 = 58 };
    uint8_t answer;
    uint64_t proto = batch_has(b, FLOW_PROTO, b->rows) ? batch_get(b, FLOW_PROTO, b->rows) : 0;
    if ((proto != ICMP && proto != ICMP6) || !batch_has(b, FLOW_DST_PORT, b->rows)) return;
    uint64_t dst = batch_get(b, FLOW_DST_PORT, b->rows);
    bool has_src = batch_has(b, FLOW_SRC_PORT, b->rows);
    uint64_t src = has_src ? batch_get(b, FLOW_SRC_PORT, b->rows) : 0;
    if (dst > UINT8_MAX && (!src || src == dst >> 8)) src = dst >> 8, dst &= UINT8_MAX;
    if (src && src <= UINT8_MAX && !dst && icmp_counterpart((uint32_t)proto, (uint8_t)src, &answer))
        dst = answer;
    if (!has_src && !src) return;
    batch_word(b, FLOW_SRC_PORT, src);
    batch_word(b, FLOW_DST_PORT, dst);
}

void flow_end(struct flow_rows *rows, struct record_batch *b)
{
    flow_icmp_ports(b);
    if (rows->list.n) batch_text(b, FLOW_ELEMENTS, bytes_of(rows->list.p, rows->list.n));
    batch_end(b);
}

void flow_end_rows(struct record_batch *b, uint32_t count)
{
    for (; count; count--) {
        flow_icmp_ports(b);
        batch_end(b);
    }
}

void flow_put_sampling_rows(struct record_batch *b, uint32_t count, uint64_t rate, const char *from)
{
    if (!rate) return;
    batch_same(b, FLOW_SAMPLING_RATE, count, rate);
    put_same_text(b, FLOW_SAMPLING_FROM, count, from);
}

void flow_put_sampling(struct record_batch *b, uint64_t rate, const char *from)
{
    if (!rate) return;
    batch_word(b, FLOW_SAMPLING_RATE, rate);
    batch_text(b, FLOW_SAMPLING_FROM, bytes_text(from));
}

static void put_rate(const struct reading *r)
{
    const struct sampling *s = r->origin->sampling;
    struct record_batch *b = r->batch;
    if (r->rate) {
        flow_put_sampling(b, r->rate, "record");
        return;
    }
    for (uint32_t i = 0; r->has_sampler && i < s->sampler_count; i++) {
        if (s->samplers[i].id != r->sampler) continue;
        flow_put_sampling(b, s->samplers[i].rate, "options");
        return;
    }
    if (!r->has_sampler || r->sampler == 0) flow_put_sampling(b, s->rate, s->from);
}

static void put_times(const struct reading *r)
{
    struct record_batch *b = r->batch;
    bool has_first = batch_has(b, FLOW_FIRST_SEEN, b->rows);
    bool has_last = batch_has(b, FLOW_LAST_SEEN, b->rows);
    uint64_t exported = (uint64_t)r->origin->exported;
    uint64_t last = has_last ? batch_get(b, FLOW_LAST_SEEN, b->rows) : exported;
    if (!has_last && has_first) last = batch_get(b, FLOW_FIRST_SEEN, b->rows);
    if (!has_last) batch_word(b, FLOW_LAST_SEEN, last);
    if (!has_first) batch_word(b, FLOW_FIRST_SEEN, last);
}

static size_t run_steps(struct reading *r, const struct template *t, bytes record)
{
    const struct step *steps = t->steps;
    if (!t->is_variable) {
        for (unsigned i = 0; i < t->step_count; i++)
            flow_step(r, &steps[i], bytes_of(record.p + steps[i].offset, steps[i].wire.length));
        return t->length;
    }
    struct reader rest = reader_of(record);
    for (unsigned i = 0; i < t->step_count; i++) {
        bytes value = template_value(&steps[i].wire, &rest);
        if (rest.bad) return 0;
        flow_step(r, &steps[i], value);
    }
    return record.n - reader_left(&rest);
}

size_t flow_row(struct flow_rows *rows, const struct template *t, const struct flow_origin *origin,
                bytes record)
{
    struct reading r = {.rows = rows, .origin = origin};
    r.batch = flow_begin(rows, origin, t->heap_need);
    size_t used = run_steps(&r, t, record);
    if (!used) {
        batch_cancel(r.batch);
        rows->rows--;
        return 0;
    }
    put_rate(&r);
    put_uptime(&r, r.first.step, r.first.value);
    put_uptime(&r, r.last.step, r.last.value);
    put_times(&r);
    put_packet(&r);
    flow_end(rows, r.batch);
    return used;
}
