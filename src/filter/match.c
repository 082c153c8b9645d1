// The predicate: one row against the flat program.
#include "filter/value.h"

static bool guard_lets(const struct source *s, const struct record_batch *b, uint32_t row)
{
    if (s->guard == NO_FIELD) return true;
    return batch_has(b, s->guard, row) && batch_get(b, s->guard, row) == s->protocol;
}

// What is computed of two fields: a sum takes what is there, a difference needs both.
static bool computed(const struct source *s, const struct record_batch *b, uint32_t row,
                     uint64_t *v)
{
    bool one = batch_has(b, s->field, row), other = batch_has(b, s->other, row);
    uint64_t first = one ? batch_get(b, s->field, row) : 0,
             second = other ? batch_get(b, s->other, row) : 0;
    *v = s->how == SOURCE_SUM ? first + second : first - second;
    return s->how == SOURCE_SUM ? one || other : one && other;
}

static bool list_holds(const struct source *s, const struct constant *c, bytes list)
{
    uint64_t number;
    struct address address;
    bytes text;
    if (s->type == FIELD_UINTS) {
        while (list_next_uint(&list, &number))
            if (ranges_have(&c->ranges, (struct address){0, number})) return true;
    } else if (s->type == FIELD_ADDRESSES) {
        while (list_next_address(&list, &address))
            if (ranges_have(&c->ranges, address)) return true;
    } else {
        while (list_next_text(&list, &text))
            if (constant_has_text(c, text)) return true;
    }
    return false;
}

static bool value_holds(const struct source *s, const struct constant *c,
                        const struct record_batch *b, uint32_t row)
{
    switch (s->type) {
    case FIELD_TIME:
    case FIELD_DURATION:
    case FIELD_UINT:
    case FIELD_REAL:
    case FIELD_BOOL:
    case FIELD_MAC:
        return ranges_have(&c->ranges, value_key(s->type, batch_get(b, s->field, row)));
    case FIELD_ADDRESS:
        return ranges_have(&c->ranges, batch_get_address(b, s->field, row));
    case FIELD_ID: {
        struct record_id id = batch_get_id(b, s->field, row);
        return ranges_have(&c->ranges, (struct address){id.time_us, id.hash});
    }
    case FIELD_TEXT:
    case FIELD_HASH:
    case FIELD_BLOB:
        return constant_has_text(c, batch_get_bytes(b, s->field, row));
    case FIELD_TEXTS:
    case FIELD_UINTS:
    case FIELD_ADDRESSES:
        return list_holds(s, c, batch_get_bytes(b, s->field, row));
    }
    return false;
}

static bool community_id_holds(const struct source *s, const struct bound *t,
                               const struct record_batch *b, uint32_t row)
{
    char id[COMMUNITY_ID_SIZE];
    const uint8_t *f = s->tuple;
    for (unsigned i = 0; i < COMMUNITY_FIELDS; i++)
        if (!batch_has(b, f[i], row)) return false;
    if (t->how == BOUND_EXISTS) return true;
    struct community_tuple tuple = {
        .src = batch_get_address(b, f[0], row),
        .dst = batch_get_address(b, f[2], row),
        .src_port = (uint16_t)batch_get(b, f[1], row),
        .dst_port = (uint16_t)batch_get(b, f[3], row),
        .proto = (uint8_t)batch_get(b, f[4], row),
    };
    community_id_of_tuple(&tuple, id);
    return constant_has_text(t->constant, bytes_text(id));
}

static bool source_holds(const struct source *s, const struct bound *t,
                         const struct record_batch *b, uint32_t row)
{
    uint64_t v;
    if (!guard_lets(s, b, row)) return false;
    if (s->how == SOURCE_COMMUNITY_ID) return community_id_holds(s, t, b, row);
    if (s->how != SOURCE_FIELD) {
        if (!computed(s, b, row, &v)) return false;
        return t->how == BOUND_EXISTS || ranges_have(&t->constant->ranges, value_key(s->type, v));
    }
    if (!batch_has(b, s->field, row)) return false;
    return t->how == BOUND_EXISTS || value_holds(s, t->constant, b, row);
}

static bool bound_holds(const struct bound *t, const struct record_batch *b, uint32_t row)
{
    if (t->how == BOUND_NEVER || t->how == BOUND_ALWAYS) return t->how == BOUND_ALWAYS;
    for (uint8_t i = 0; i < t->source_count; i++)
        if (source_holds(&t->sources[i], t, b, row)) return true;
    return false;
}

const struct bound *filter_bounds(const struct filter *f, const struct record_kind *kind)
{
    uint32_t last = *f->kind_last;
    if (f->kinds[last] == kind) return f->bounds + (size_t)last * f->test_count;
    for (uint32_t k = 0; k < f->kind_count; k++) {
        if (f->kinds[k] != kind) continue;
        *f->kind_last = k;
        return f->bounds + (size_t)k * f->test_count;
    }
    return NULL;
}

bool filter_match(const struct filter *f, const struct record_batch *b, uint32_t row)
{
    const struct bound *bounds = filter_bounds(f, b->kind);
    bool holds = false;
    for (uint32_t i = 0; bounds && i < f->step_count;) {
        const struct step *step = &f->steps[i++];
        switch (step->type) {
        case STEP_TEST:
            holds = bound_holds(&bounds[step->to], b, row);
            break;
        case STEP_NOT:
            holds = !holds;
            break;
        case STEP_SKIP_FALSE:
            i = holds ? i : step->to;
            break;
        case STEP_SKIP_TRUE:
            i = holds ? step->to : i;
            break;
        case STEP_AND:
        case STEP_OR:
            break;
        }
    }
    return bounds && holds;
}
