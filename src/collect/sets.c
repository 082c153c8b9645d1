// Sets of templates, options templates and records: RFC 7011 sections 3.3 and 3.4, RFC 3954
// sections 5 to 8.
#include "base/memory.h"
#include "collect/protocol.h"

enum {
    ENTERPRISE_BIT = 0x8000,
    SET_ID_MIN = 256, // of records
    FIELD_SIZE = 4,
};

// Elements of options that are of use.
enum {
    SAMPLING_INTERVAL = 34,
    SAMPLER_ID = 48,
    SAMPLER_INTERVAL = 50,
    SELECTOR_ID = 302,
    SAMPLING_PACKETS = 305,
    SAMPLING_SPACE = 306,
    SAMPLING_SIZE = 309,
    SAMPLING_POPULATION = 310,
    SYSTEM_BEGAN = 160, // systemInitTimeMilliseconds
};

// ---- templates ----------------------------------------------------------------------------------

static struct template_field read_field(struct reader *r, bool is_ipfix)
{
    struct template_field f = {.number = read_be16(r), .length = read_be16(r)};
    if (!is_ipfix || !(f.number & ENTERPRISE_BIT)) return f;
    f.number &= ENTERPRISE_BIT - 1;
    f.enterprise = read_be32(r);
    return f;
}

// Sets that waited for the template are read now.
static void take_held(struct message *m, uint16_t id)
{
    for (struct held_set *h; (h = session_unhold(m->session, id));) {
        struct flow_origin now = m->origin;
        m->origin = h->origin;
        set_records(m, id, reader_of(bytes_of(h->data, h->length)));
        m->origin = now;
        memory_free(h);
    }
}

static void define(struct message *m, uint16_t id, const struct template_field *fields,
                   uint32_t field_count, uint32_t scope_count)
{
    nanos now = m->from->received;
    struct template *known = session_template(m->session, id, now);
    if (known && template_is(known, fields, field_count, scope_count)) {
        known->defined = now;
        return;
    }
    struct template *t =
        id < SET_ID_MIN ? NULL : template_create(id, fields, field_count, scope_count, now);
    if (!t) {
        message_lose(m, EXPORT_LOSS_bad_template, 1);
        return;
    }
    session_define(m->session, t, now);
    take_held(m, id);
}

// Reads `count` fields and defines the template; false when the set ends before.
static bool read_template(struct message *m, struct reader *set, uint16_t id, uint32_t count,
                          uint32_t scopes, bool is_ipfix)
{
    struct template_field fields[TEMPLATE_FIELDS_MAX];
    for (uint32_t i = 0; i < count && !set->bad; i++) {
        struct template_field f = read_field(set, is_ipfix);
        if (!is_ipfix && i < scopes) f.enterprise = TEMPLATE_SCOPE_9;
        if (i < TEMPLATE_FIELDS_MAX) fields[i] = f;
    }
    if (set->bad || count > TEMPLATE_FIELDS_MAX) message_lose(m, EXPORT_LOSS_bad_template, 1);
    else define(m, id, fields, count, scopes);
    return !set->bad;
}

// A template without fields withdraws the one of its number, or all of its kind when it has that of
// the set (RFC 7011 section 8.1).
static void withdraw(struct message *m, uint16_t id)
{
    bool is_known = id >= SET_ID_MIN || id == WITHDRAW_FLOWS || id == WITHDRAW_OPTIONS;
    if (is_known) session_withdraw(m->session, id);
    else message_lose(m, EXPORT_LOSS_bad_template, 1);
}

void set_templates(struct message *m, struct reader set, bool is_ipfix)
{
    while (reader_left(&set) >= FIELD_SIZE) {
        uint16_t id = read_be16(&set), count = read_be16(&set);
        if (id == 0 && count == 0) return; // padding
        if (is_ipfix && count == 0) withdraw(m, id);
        else if (!read_template(m, &set, id, count, 0, is_ipfix)) return;
    }
}

void set_options_templates_ipfix(struct message *m, struct reader set)
{
    while (reader_left(&set) >= FIELD_SIZE) {
        uint16_t id = read_be16(&set), count = read_be16(&set);
        if (id == 0 && count == 0) return;
        if (count == 0) {
            withdraw(m, id);
            continue;
        }
        uint16_t scopes = read_be16(&set);
        // Some exporters tell options without a scope: these are no flows all the same.
        if (!read_template(m, &set, id, count, scopes ? scopes : 1, true)) return;
    }
}

void set_options_templates_9(struct message *m, struct reader set)
{
    while (reader_left(&set) >= FIELD_SIZE + 2) {
        uint16_t id = read_be16(&set), scope_size = read_be16(&set), size = read_be16(&set);
        uint32_t scopes = scope_size / FIELD_SIZE, count = scopes + size / FIELD_SIZE;
        if (!count) return; // padding
        if (!read_template(m, &set, id, count, scopes ? scopes : 1, false)) return;
    }
}

// ---- options ------------------------------------------------------------------------------------

struct option_values {
    bool has_sampler;
    uint64_t sampler, interval, packets, space, size, population;
    nanos began;
};

static void option_take(struct option_values *o, const struct template_field *f, bytes value)
{
    if (f->enterprise) return;
    uint64_t n = element_number(value);
    if (f->number == SAMPLER_ID || f->number == SELECTOR_ID) {
        o->has_sampler = true;
        o->sampler = n;
    }
    if (f->number == SAMPLING_INTERVAL || f->number == SAMPLER_INTERVAL) o->interval = n;
    if (f->number == SAMPLING_PACKETS) o->packets = n;
    if (f->number == SAMPLING_SPACE) o->space = n;
    if (f->number == SAMPLING_SIZE) o->size = n;
    if (f->number == SAMPLING_POPULATION) o->population = n;
    if (f->number == SYSTEM_BEGAN) o->began = element_time(ELEMENT_dateTimeMilliseconds, value);
}

static void sampling_set(struct sampling *s, uint64_t sampler, uint64_t rate)
{
    uint32_t i = 0;
    while (i < s->sampler_count && s->samplers[i].id != sampler) i++;
    if (i == SAMPLERS_MAX) return;
    if (i == s->sampler_count) s->sampler_count++;
    s->samplers[i] = (struct sampler){sampler, rate};
}

// Of `size` packets in a population of so many, or one in (packets + space) / packets, is looked at
// (RFC 5477 sections 8.2.2 to 8.2.6).
static uint64_t option_rate(const struct option_values *o)
{
    if (o->interval) return o->interval;
    if (o->size && o->population) return o->population / o->size;
    return o->packets ? (o->packets + o->space) / o->packets : 0;
}

static void options_use(struct message *m, const struct option_values *o)
{
    struct sampling *s = &m->session->sampling;
    if (o->began) {
        m->session->began = o->began;
        message_began(m);
    }
    uint64_t rate = option_rate(o);
    if (!rate) return;
    if (o->has_sampler) sampling_set(s, o->sampler, rate);
    s->rate = rate;
    s->from = "options";
}

static size_t options_record(struct message *m, const struct template *t, bytes record)
{
    struct reader r = reader_of(record);
    struct option_values values = {0};
    for (unsigned i = 0; i < t->field_count; i++)
        option_take(&values, &t->fields[i], template_value(&t->fields[i], &r));
    if (r.bad) return 0;
    m->counts->options++;
    options_use(m, &values);
    return record.n - reader_left(&r);
}

// ---- records ------------------------------------------------------------------------------------

uint32_t set_records(struct message *m, uint16_t id, struct reader set)
{
    struct template *t = session_template(m->session, id, m->from->received);
    uint32_t n = 0;
    if (!t) {
        session_hold(m->session, id, &m->origin, reader_rest(&set), m->from->received);
        m->has_uncounted = true;
        return 0;
    }
    // What is left behind the last record is padding (RFC 7011 section 3.3.1).
    while (reader_left(&set) >= t->length) {
        bytes record = reader_rest(&set);
        if (!t->is_variable) record = bytes_first(record, t->length);
        size_t used = t->scope_count ? options_record(m, t, record)
                                     : flow_row(m->rows, t, &m->origin, record);
        if (!used) {
            message_lose(m, EXPORT_LOSS_cut_record, 1);
            break;
        }
        read_bytes(&set, used);
        n++;
    }
    t->records += n;
    if (n) t->used = m->from->received;
    return n;
}
