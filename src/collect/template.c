#include "collect/template.h"

#include <string.h>

#include "base/memory.h"
#include "base/mac.h"
#include "flow/flow_kind.h"

// What a row takes at most: of each text field, and of all elements together.
enum { TEXT_MAX = 1024, ELEMENTS_TEXT_MAX = 16384, ROW_NEED = 256, UPTIME_TEXT_MAX = 64 };

// Elements that are not simply a value of a field.
static const struct {
    uint16_t number;
    uint8_t how;
} special[] = {
    {21, STEP_UPTIME}, {22, STEP_UPTIME},  {32, STEP_ICMP},    {60, STEP_SKIP},
    {34, STEP_RATE},   {48, STEP_SAMPLER}, {50, STEP_RATE},    {85, STEP_COUNT},
    {86, STEP_COUNT},  {136, STEP_REASON}, {139, STEP_ICMP},   {158, STEP_DELTA},
    {159, STEP_DELTA}, {160, STEP_BEGAN},  {210, STEP_SKIP},   {231, STEP_COUNT},
    {232, STEP_COUNT}, {298, STEP_COUNT},  {299, STEP_COUNT},  {302, STEP_SAMPLER},
    {312, STEP_SIZE},  {313, STEP_PACKET}, {315, STEP_PACKET},
};

static enum step_how how_special(const struct element *e)
{
    for (size_t i = 0; e->enterprise == 0 && i < sizeof special / sizeof special[0]; i++)
        if (special[i].number == e->number) return special[i].how;
    return STEP_NUMBER;
}

static enum step_how how_by_type(enum field_type type, const struct template_field *wire)
{
    bool is_number = wire->length && wire->length <= sizeof(uint64_t);
    bool is_address = wire->length == 4 || wire->length == 16;
    if (type == FIELD_UINT) return is_number ? STEP_NUMBER : STEP_ELEMENT;
    if (type == FIELD_TIME) return is_number ? STEP_TIME : STEP_ELEMENT;
    if (type == FIELD_ADDRESS) return is_address ? STEP_ADDRESS : STEP_ELEMENT;
    if (type == FIELD_MAC) return wire->length == MAC_SIZE ? STEP_MAC : STEP_ELEMENT;
    if (type == FIELD_HASH) return STEP_HASH;
    return type == FIELD_TEXT ? STEP_TEXT : STEP_ELEMENT;
}

// The field of the other direction of a biflow; -1 when there is none.
static int field_reverse(int field)
{
    if (field == FLOW_PACKETS) return FLOW_REVERSE_PACKETS;
    if (field == FLOW_BYTES) return FLOW_REVERSE_BYTES;
    return field == FLOW_TCP_FLAGS ? FLOW_REVERSE_TCP_FLAGS : -1;
}

struct step template_step(const struct template_field *wire)
{
    bool is_reverse = wire->enterprise == ENTERPRISE_REVERSE;
    struct step s = {.how = STEP_ELEMENT, .wire = *wire};
    s.element = element_find(is_reverse ? 0 : wire->enterprise, wire->number);
    if (!s.element) return s;
    enum step_how how = how_special(s.element);
    if (!s.element->fills) {
        if (how != STEP_NUMBER && !is_reverse) s.how = (uint8_t)how;
        return s;
    }
    int field = kind_field(&flow_kind, bytes_text(s.element->fills));
    if (is_reverse) field = field_reverse(field);
    if (how == STEP_SKIP || how == STEP_ICMP) s.how = (uint8_t)how;
    if (field < 0) return s;
    s.field = (uint8_t)field;
    s.how = (uint8_t)(how == STEP_NUMBER ? how_by_type(flow_kind.fields[field].type, wire) : how);
    return s;
}

static bool is_filled(const struct template *t, unsigned field)
{
    for (unsigned i = 0; i < t->step_count; i++)
        if (t->steps[i].field == field && t->steps[i].how <= STEP_HASH) return true;
    return false;
}

static bool is_text(const struct step *s)
{
    return s->how == STEP_TEXT || s->how == STEP_HASH;
}

// A row takes one text for each field: what an exporter tells of it again is kept as an element, so
// that no template asks for more room than there is.
static uint32_t step_room(const struct step *s)
{
    if (is_text(s)) return TEXT_MAX;
    return s->how == STEP_UPTIME && !s->is_again ? UPTIME_TEXT_MAX : 0;
}

static void template_compile(struct template *t)
{
    uint32_t offset = 0;
    bool has_elements = false;
    t->heap_need = ROW_NEED;
    for (unsigned i = 0; i < t->field_count; i++) {
        struct step s = template_step(&t->fields[i]);
        s.offset = (uint16_t)offset;
        offset += t->fields[i].length;
        s.is_again = s.how <= STEP_HASH && is_filled(t, s.field);
        if (s.is_again && is_text(&s)) s.how = STEP_ELEMENT;
        t->heap_need += step_room(&s);
        has_elements |= s.how == STEP_PACKET || s.how == STEP_ELEMENT;
        if (s.how != STEP_SKIP || t->is_variable) t->steps[t->step_count++] = s;
    }
    if (has_elements) t->heap_need += ELEMENTS_TEXT_MAX;
}

size_t template_size(uint32_t field_count)
{
    return sizeof(struct template) +
           field_count * (sizeof(struct template_field) + sizeof(struct step));
}

struct template *template_create(uint16_t id, const struct template_field *fields,
                                 uint32_t field_count, uint32_t scope_count, nanos now)
{
    uint32_t length = 0;
    bool is_variable = false;
    if (field_count > TEMPLATE_FIELDS_MAX || scope_count > field_count) return NULL;
    for (uint32_t i = 0; i < field_count; i++) {
        is_variable |= fields[i].length == TEMPLATE_VARIABLE;
        length += fields[i].length == TEMPLATE_VARIABLE ? 1 : fields[i].length;
    }
    if (!length || length > UINT16_MAX) return NULL;
    struct template *t = memory_get(template_size(field_count));
    *t = (struct template){.id = id,
                           .field_count = (uint16_t)field_count,
                           .scope_count = (uint16_t)scope_count,
                           .length = length,
                           .is_variable = is_variable,
                           .first = now,
                           .defined = now};
    memcpy(t->fields, fields, field_count * sizeof *fields);
    t->steps = (struct step *)(void *)((uint8_t *)t->fields + field_count * sizeof *fields);
    template_compile(t);
    return t;
}

void template_field_name(struct text *text, const struct template_field *field)
{
    bool is_reverse = field->enterprise == ENTERPRISE_REVERSE;
    bool is_scope = field->enterprise == TEMPLATE_SCOPE_9;
    const struct element *e = element_find(is_reverse ? 0 : field->enterprise, field->number);
    if (is_scope) text_format(text, "scope/%u", field->number);
    else if (e) text_format(text, "%s%s", is_reverse ? "reverse:" : "", e->name);
    else text_format(text, "%u/%u", field->enterprise, field->number);
}

void template_destroy(struct template *t)
{
    memory_free(t);
}

bool template_is(const struct template *t, const struct template_field *fields,
                 uint32_t field_count, uint32_t scope_count)
{
    return t->field_count == field_count && t->scope_count == scope_count &&
           memcmp(t->fields, fields, field_count * sizeof *fields) == 0;
}
