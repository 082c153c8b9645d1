// Sets of templates and records (RFC 7011 section 3.3, RFC 3954 section 5).
#include "sink/export_format.h"

enum { SET_HEADER = 4, ENTERPRISE_BIT = 0x8000 };

static void patch(struct buf *b, size_t at, uint16_t v)
{
    b->p[at] = (uint8_t)(v >> 8);
    b->p[at + 1] = (uint8_t)v;
}

void sets_close(struct open_message *m, const struct set_layout *layout)
{
    if (!m->set) return;
    while ((m->buf.n - m->set_at) % layout->align && !m->buf.full) buf_u8(&m->buf, 0);
    patch(&m->buf, m->set_at + 2, (uint16_t)(m->buf.n - m->set_at));
    m->set = 0;
}

static void set_open(struct open_message *m, uint16_t number, uint16_t set,
                     const struct set_layout *layout)
{
    if (m->set == number) return;
    sets_close(m, layout);
    m->set = number;
    m->set_at = m->buf.n;
    buf_be(&m->buf, set, 2);
    buf_be(&m->buf, 0, 2);
}

// Sets of templates have the number 1 here: 0 says that none is open, and is NetFlow 9's own.
static void templates_open(struct open_message *m, const struct set_layout *layout)
{
    set_open(m, 1, layout->templates, layout);
}

// All ids are free again; whoever keeps templates for good is told (RFC 7011 section 8.1).
static void shapes_forget(struct flow_export *e, const struct set_layout *layout)
{
    e->shape_count = 0;
    if (!e->options.is_stream) return;
    sets_close(&e->message, layout);
    templates_open(&e->message, layout);
    buf_be(&e->message.buf, layout->templates, 2);
    buf_be(&e->message.buf, 0, 2);
    e->message.items++;
    sets_close(&e->message, layout);
}

static struct shape *shape_of(struct flow_export *e, const struct export_values *values,
                              const struct set_layout *layout)
{
    for (uint32_t i = 0; i < e->shape_count; i++)
        if (e->shapes[i].present == values->present && e->shapes[i].wide == values->wide)
            return &e->shapes[i];
    if (e->shape_count == SHAPES_MAX) shapes_forget(e, layout);
    if (e->message.buf.full) return NULL;
    struct shape *s = &e->shapes[e->shape_count++];
    *s = (struct shape){values->present, values->wide, 0};
    return s;
}

static void template_put(struct flow_export *e, const struct shape *s, uint16_t id,
                         const struct set_layout *layout)
{
    struct open_message *m = &e->message;
    templates_open(m, layout);
    buf_be(&m->buf, id, 2);
    buf_be(&m->buf, (uint64_t)__builtin_popcountll(s->present), 2);
    for (uint32_t i = 0; i < e->columns.count; i++) {
        const struct export_column *c = &e->columns.list[i];
        if (!(s->present >> i & 1)) continue;
        bool is_wide = s->wide >> i & 1;
        const struct element *element = column_element(c, is_wide);
        uint32_t enterprise = c->is_reverse ? ENTERPRISE_REVERSE : element->enterprise;
        buf_be(&m->buf, element->number | (enterprise ? ENTERPRISE_BIT : 0u), 2);
        buf_be(&m->buf, column_length(c, is_wide), 2);
        if (enterprise) buf_be(&m->buf, enterprise, 4);
    }
    m->items++;
}

static void record_put(struct flow_export *e, const struct export_values *values, uint16_t id,
                       const struct set_layout *layout)
{
    struct open_message *m = &e->message;
    set_open(m, id, id, layout);
    for (uint32_t i = 0; i < e->columns.count; i++)
        if (values->present >> i & 1)
            column_put(&m->buf, &e->columns.list[i], &values->of[i], values->wide >> i & 1);
    m->items++;
    m->records++;
}

// Whether what was written still leaves room for the padding of its set.
static bool has_room(const struct open_message *m, const struct set_layout *layout)
{
    return !m->buf.full && m->buf.size - m->buf.n >= layout->align - 1;
}

enum export_added sets_add(struct flow_export *e, const struct export_values *values,
                           const struct set_layout *layout)
{
    struct open_message before = e->message;
    struct shape *s = shape_of(e, values, layout);
    uint16_t id = s ? (uint16_t)(TEMPLATE_FIRST + (s - e->shapes)) : 0;
    if (s && s->told != e->round) {
        template_put(e, s, id, layout);
        if (has_room(&e->message, layout)) {
            s->told = e->round;
            before = e->message;
        }
    }
    if (s && s->told == e->round) {
        record_put(e, values, id, layout);
        if (has_room(&e->message, layout)) return EXPORT_ADDED;
    }
    e->message = before;
    return EXPORT_FULL;
}
