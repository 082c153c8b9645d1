// Names in lines: what they mean is found out once for each.
#include "base/mac.h"
#include "base/memory.h"
#include "collect/line_inside.h"
#include "flow/flow_kind.h"

static uint32_t name_hash(bytes name)
{
    uint64_t first = 0, last = 0;
    size_t n = name.n < sizeof first ? name.n : sizeof first;
    if (n) memcpy(&first, name.p, n);
    if (n) memcpy(&last, name.p + name.n - n, n);
    uint64_t h =
        (first ^ (last * UINT64_C(0x9e3779b97f4a7c15)) ^ name.n) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(h >> 40) % LINE_KEY_SLOTS;
}

// RFC 7012 section 3.1.
static unsigned bits_of(enum element_type type)
{
    if (type == ELEMENT_unsigned8) return 8;
    if (type == ELEMENT_unsigned16) return 16;
    return type == ELEMENT_unsigned32 ? 32 : 64;
}

static uint64_t number_max(unsigned bits)
{
    return bits && bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
}

static uint8_t how_of_field(unsigned field)
{
    switch (flow_kind.fields[field].type) {
    case FIELD_TIME:
        return STEP_TIME;
    case FIELD_ADDRESS:
        return STEP_ADDRESS;
    case FIELD_MAC:
        return STEP_MAC;
    case FIELD_TEXT:
        return STEP_TEXT;
    case FIELD_HASH:
        return STEP_HASH;
    case FIELD_UINT:
        return STEP_NUMBER;
    case FIELD_DURATION:
    case FIELD_REAL:
    case FIELD_BOOL:
    case FIELD_ID:
    case FIELD_BLOB:
    case FIELD_TEXTS:
    case FIELD_UINTS:
    case FIELD_ADDRESSES:
        break;
    }
    return STEP_ELEMENT;
}

// How wide the numbers are that a field takes, where less than 64 bits.
static unsigned bits_of_field(unsigned field)
{
    switch (field) {
    case FLOW_PROTO:
    case FLOW_TOS:
    case FLOW_SRC_MASK:
    case FLOW_DST_MASK:
        return 8;
    case FLOW_SRC_PORT:
    case FLOW_DST_PORT:
    case FLOW_NAT_SRC_PORT:
    case FLOW_NAT_DST_PORT:
    case FLOW_VLAN:
    case FLOW_DST_VLAN:
    case FLOW_TCP_FLAGS:
    case FLOW_REVERSE_TCP_FLAGS:
        return 16;
    default:
        return 64;
    }
}

static uint8_t use_of_field(unsigned field)
{
    if (field == FLOW_PROTO) return LINE_PROTOCOL;
    if (field == FLOW_TCP_FLAGS || field == FLOW_REVERSE_TCP_FLAGS) return LINE_FLAGS;
    return field == FLOW_ELEMENTS ? LINE_ELEMENTS : LINE_STEP;
}

static bool resolve_field(struct line_key *key, bytes name)
{
    int field = kind_field(&flow_kind, name);
    if (field < 0) return false;
    key->field = (uint8_t)field;
    key->use = use_of_field(key->field);
    key->how = how_of_field(key->field);
    key->number_max = number_max(bits_of_field(key->field));
    key->unit = NANOS_PER_SECOND;
    return true;
}

static bool resolve_own(const struct line_format *f, struct line_key *key, bytes name)
{
    for (uint32_t i = 0; i < f->name_count; i++) {
        const struct line_name *own = &f->names[i];
        if (!bytes_equal(bytes_text(own->name), name)) continue;
        key->use = own->use;
        key->field = own->field;
        key->how = how_of_field(own->field);
        key->number_max = number_max(own->bits);
        key->unit = f->unit;
        key->is_filled = own->is_filled;
        return true;
    }
    return false;
}

// Longest first: what a name begins with, in front of the element's.
static const struct {
    const char *text;
    bool is_reverse;
} prefixes[] = {{"iana@reverse:", true}, {"iana:", false},  {"ipfix.", false}, {"flowmon:", false},
                {"cesnet:", false},      {"cisco:", false}, {"ntop:", false}};

static bytes name_of_element(bytes name, bool *is_reverse)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (!bytes_start_with(name, prefixes[i].text)) continue;
        *is_reverse = prefixes[i].is_reverse;
        return bytes_after(name, strlen(prefixes[i].text));
    }
    return name;
}

// Bytes that a value of the type has, for what asks how wide a field is.
static uint16_t length_of(enum element_type type)
{
    if (type == ELEMENT_ipv4Address) return 4;
    if (type == ELEMENT_ipv6Address) return 16;
    if (type == ELEMENT_macAddress) return MAC_SIZE;
    return type == ELEMENT_string || type == ELEMENT_octetArray ? TEMPLATE_VARIABLE : 8;
}

// RFC 7011 sections 6.1.7 to 6.1.10.
static nanos unit_of(enum element_type type)
{
    if (type == ELEMENT_dateTimeSeconds) return NANOS_PER_SECOND;
    if (type == ELEMENT_dateTimeMicroseconds) return NANOS_PER_MICRO;
    return type == ELEMENT_dateTimeNanoseconds ? 1 : NANOS_PER_MILLI;
}

static void resolve_element(struct line_key *key, bytes name)
{
    bool is_reverse = false;
    const struct element *e = element_named(name_of_element(name, &is_reverse));
    if (!e) return;
    struct template_field wire = {is_reverse ? ENTERPRISE_REVERSE : e->enterprise, e->number,
                                  length_of(e->type)};
    struct step s = template_step(&wire);
    // Of "iana@reverse:NAME" the word stays, as in what exporters tell themselves.
    key->shown = (uint8_t)(name.n - strlen(e->name) - (is_reverse ? strlen("reverse:") : 0));
    key->how = s.how;
    key->field = s.field;
    key->number_max = number_max(bits_of(e->type));
    key->unit = unit_of(e->type);
    if (s.how == STEP_NUMBER && s.field == FLOW_PROTO) key->use = LINE_PROTOCOL;
    if (s.how == STEP_NUMBER && (s.field == FLOW_TCP_FLAGS || s.field == FLOW_REVERSE_TCP_FLAGS))
        key->use = LINE_FLAGS;
}

static void resolve(const struct line_format *f, struct line_key *key, bytes name)
{
    if (resolve_own(f, key, name) || (f->has_fields && resolve_field(key, name))) return;
    resolve_element(key, name);
}

int line_field_of(const struct line_format *format, bytes name)
{
    struct line_key key = {.use = LINE_STEP, .how = STEP_ELEMENT};
    resolve(format, &key, name);
    return key.use == LINE_STEP && key.how <= STEP_HASH ? key.field : -1;
}

static struct line_key *key_make(struct lines *l, bytes name, uint16_t *slot)
{
    struct line_keys *keys = &l->keys;
    if (keys->count == LINE_KEYS_MAX || name.n > LINE_NAME_MAX) {
        line_fault(l, LINE_LOSS_bad_key, "%s",
                   name.n > LINE_NAME_MAX ? "a name is longer than 64 bytes"
                                          : "the input has more than 1024 different names");
        return NULL;
    }
    struct line_key *key = &keys->keys[keys->count++];
    *slot = (uint16_t)keys->count;
    *key = (struct line_key){.use = LINE_STEP, .how = STEP_ELEMENT, .number_max = UINT64_MAX};
    key->quoted[0] = '"';
    if (name.n) memcpy(key->quoted + 1, name.p, name.n);
    key->quoted[name.n + 1] = '"';
    key->quoted[name.n + 2] = ':';
    key->quoted_size = (uint8_t)(name.n + 3);
    key->wanted = key->quoted_size < 32 ? (1u << key->quoted_size) - 1 : UINT32_MAX;
    resolve(l->format, key, name);
    key->put = line_putter_of(key);
    return key;
}

struct line_key *line_key(struct lines *l, bytes name)
{
    struct line_keys *keys = &l->keys;
    uint32_t at = name_hash(name);
    for (; keys->slots[at]; at = (at + 1) % LINE_KEY_SLOTS) {
        struct line_key *key = &keys->keys[keys->slots[at] - 1];
        if (bytes_equal(line_key_name(key), name)) return key;
    }
    return key_make(l, name, &keys->slots[at]);
}
