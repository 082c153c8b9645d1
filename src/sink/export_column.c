#include "sink/export_column.h"

#include "base/mac.h"
#include "base/text.h"
#include "record/community_id.h"

enum {
    PROTO_ICMP = 1,
    PROTO_ICMPV6 = 58,
    TCP_FLAGS = 6,
    ICMP_V4 = 32,
    ICMP_V6 = 139,
    EXPORTER = 130
};

static const uint8_t type_sizes[] = {
    [ELEMENT_unsigned8] = 1,           [ELEMENT_unsigned16] = 2,
    [ELEMENT_unsigned32] = 4,          [ELEMENT_unsigned64] = 8,
    [ELEMENT_macAddress] = MAC_SIZE,   [ELEMENT_dateTimeMilliseconds] = 8,
    [ELEMENT_dateTimeNanoseconds] = 8, [ELEMENT_ipv4Address] = 4,
    [ELEMENT_ipv6Address] = 16,
};

#define REVERSE "reverse_" // how fields of the other direction are called

// What of a flow says nothing of its other direction.
static const char *const forward_only[] = {"tos", "next_hop", "bgp_next_hop", "direction"};

// ---- the columns --------------------------------------------------------------------------------

static bool is_forward_only(const char *name)
{
    for (size_t i = 0; i < sizeof forward_only / sizeof forward_only[0]; i++)
        if (strcmp(forward_only[i], name) == 0) return true;
    return false;
}

static bool is_reverse(const struct record_kind *kind, int field)
{
    return bytes_start_with(bytes_text(kind->fields[field].name), REVERSE);
}

static int field_named(const struct record_kind *kind, const char *before, const char *name)
{
    char whole[64];
    struct buf b = buf_on(whole, sizeof whole);
    buf_text(&b, before);
    buf_text(&b, name);
    return b.full ? -1 : kind_field(kind, buf_bytes(&b));
}

// The field that tells of dst what `field` tells of src, or the other way round.
static int field_back(const struct record_kind *kind, int field)
{
    static const char *const pairs[][2] = {
        {"src_", "dst_"},    {"dst_", "src_"},    {"nat_src_", "nat_dst_"},
        {"input", "output"}, {"output", "input"}, {"nat_dst_", "nat_src_"},
        {"", REVERSE},
    };
    const char *name = kind->fields[field].name;
    if (is_forward_only(name)) return -1;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (!bytes_start_with(bytes_text(name), pairs[i][0])) continue;
        int back = field_named(kind, pairs[i][1], name + strlen(pairs[i][0]));
        if (back >= 0) return back;
    }
    return field;
}

static void find_text(struct export_column *c, const char *name)
{
    c->how = COLUMN_REASON;
    c->element = element_filling(name, ELEMENT_unsigned8, ELEMENT_unsigned8);
    if (c->element) return;
    c->element = element_filling(name, ELEMENT_string, ELEMENT_string);
    c->how = COLUMN_TEXT;
}

static void find_time(struct export_column *c, const char *name)
{
    enum element_type type =
        c->how == COLUMN_FINE ? ELEMENT_dateTimeNanoseconds : ELEMENT_dateTimeMilliseconds;
    c->element = element_filling(name, type, type);
}

static void find_address(struct export_column *c, const char *name)
{
    c->how = COLUMN_ADDRESS;
    c->element = element_filling(name, ELEMENT_ipv4Address, ELEMENT_ipv4Address);
    c->wide = element_filling(name, ELEMENT_ipv6Address, ELEMENT_ipv6Address);
}

// The flags of TCP have two bytes since RFC 7125, and most collectors read one.
static void find_number(struct export_column *c, const char *name)
{
    c->how = COLUMN_NUMBER;
    c->element = element_filling(name, ELEMENT_unsigned8, ELEMENT_unsigned64);
    if (c->element && c->element->enterprise == 0 && c->element->number == TCP_FLAGS)
        c->wide = c->element;
}

static void find_elements(struct export_column *c, const char *name, enum field_type type)
{
    if (type == FIELD_UINT) find_number(c, name);
    else if (type == FIELD_TIME) find_time(c, name);
    else if (type == FIELD_ADDRESS) find_address(c, name);
    else if (type == FIELD_TEXT) find_text(c, name);
    else if (type == FIELD_MAC)
        c->element = element_filling(name, ELEMENT_macAddress, ELEMENT_macAddress);
    else if (type == FIELD_HASH) c->element = element_filling(name, 0, ELEMENT_octetArray);
    if (c->element) c->size = type_sizes[c->element->type];
    if (c->wide) c->wide_size = type_sizes[c->wide->type];
    if (c->wide == c->element && c->wide) c->size = 1;
}

static enum column_how how_of(enum field_type type)
{
    if (type == FIELD_TIME) return COLUMN_TIME;
    if (type == FIELD_HASH) return COLUMN_HASH;
    if (type == FIELD_MAC) return COLUMN_MAC;
    return type == FIELD_TEXTS ? COLUMN_UNTOLD : COLUMN_NUMBER;
}

static void column_add(struct export_columns *columns, struct export_column c,
                       const struct record_kind *kind, const struct column_abilities *abilities)
{
    const struct field *field = &kind->fields[c.field];
    c.is_reverse = is_reverse(kind, c.field);
    find_elements(&c, field->name + (c.is_reverse ? strlen(REVERSE) : 0), field->type);
    if (!c.element && c.how != COLUMN_UNTOLD) return;
    if (c.is_reverse && !abilities->has_reverse) return; // it gets a record of its own
    if (!c.size && !abilities->has_variable) c.how = COLUMN_UNTOLD;
    if (c.element && c.element->enterprise && !abilities->has_enterprises) c.how = COLUMN_UNTOLD;
    if (columns->count < COLUMNS_MAX - 1) columns->list[columns->count++] = c;
}

static void columns_add(struct export_columns *columns, int field, const struct record_kind *kind,
                        const struct column_abilities *abilities)
{
    struct export_column c = {.field = field, .back = field_back(kind, field)};
    c.how = (uint8_t)how_of(kind->fields[field].type);
    column_add(columns, c, kind, abilities);
    if (c.how != COLUMN_TIME || !abilities->has_fine_times) return;
    c.how = COLUMN_FINE;
    column_add(columns, c, kind, abilities);
}

void columns_init(struct export_columns *columns, const struct record_kind *kind,
                  const struct column_abilities *abilities)
{
    *columns = (struct export_columns){
        .proto = kind_field(kind, bytes_text("proto")),
        .src_port = kind_field(kind, bytes_text("src_port")),
        .dst_port = kind_field(kind, bytes_text("dst_port")),
        .packets = kind_field(kind, bytes_text("packets")),
        .reverse_packets = kind_field(kind, bytes_text("reverse_packets")),
    };
    // The other direction comes first: who does not know its elements may take them for those of
    // this one, and then the last counts.
    for (int reverse = 1; reverse >= 0; reverse--)
        for (int i = 0; i < (int)kind->field_count; i++)
            if (is_reverse(kind, i) == reverse) columns_add(columns, i, kind, abilities);
    // Behind the ports, in whose place it stands for those who read in order.
    columns->list[columns->count++] = (struct export_column){
        .how = COLUMN_ICMP,
        .field = columns->proto,
        .back = -1,
        .element = element_find(0, ICMP_V4),
        .wide = element_find(0, ICMP_V6),
        .size = 2,
        .wide_size = 2,
    };
}

// ---- values -------------------------------------------------------------------------------------

static bool read_text(struct export_values *values, struct column_value *v, bytes text)
{
    if (text.n > COLUMN_TEXTS_MAX - values->texts_used) return false;
    uint8_t *at = values->texts + values->texts_used;
    v->text = bytes_of(at, text_unescape(at, text));
    values->texts_used += v->text.n;
    return true;
}

static bool fits(uint64_t word, unsigned size)
{
    return size >= sizeof word || word >> 8 * size == 0;
}

// Type and code are the ports of flows that were collected. Of flows that were measured here a
// message that has an answer has the answer's type there instead: its code is 0 (RFC 792, RFC
// 4443).
static bool read_icmp(const struct export_columns *columns, const struct export_row *row,
                      struct column_value *v, bool *is_wide)
{
    const struct record_batch *b = row->batch;
    if (row->is_back || !batch_has(b, columns->proto, row->row) ||
        !batch_has(b, columns->src_port, row->row) || !batch_has(b, columns->dst_port, row->row))
        return false;
    uint64_t proto = batch_get(b, columns->proto, row->row);
    uint64_t type = batch_get(b, columns->src_port, row->row);
    uint64_t code = batch_get(b, columns->dst_port, row->row);
    uint8_t answer;
    if ((proto != PROTO_ICMP && proto != PROTO_ICMPV6) || type > UINT8_MAX || code > UINT8_MAX)
        return false;
    if (icmp_counterpart((uint32_t)proto, (uint8_t)type, &answer) && answer == code) code = 0;
    *is_wide = proto == PROTO_ICMPV6;
    v->word = type << 8 | code;
    return true;
}

static bool column_read(const struct export_column *c, const struct record_batch *b, uint32_t row,
                        int field, struct export_values *values, struct column_value *v,
                        bool *is_wide)
{
    switch ((enum column_how)c->how) {
    case COLUMN_NUMBER:
        v->word = batch_get(b, field, row);
        *is_wide = c->wide && !fits(v->word, c->size);
        return fits(v->word, *is_wide ? c->wide_size : c->size);
    case COLUMN_TIME:
    case COLUMN_FINE:
        v->word = batch_get(b, field, row);
        return true;
    case COLUMN_ADDRESS:
        v->address = batch_get_address(b, field, row);
        *is_wide = !address_is_v4(v->address);
        return true;
    case COLUMN_MAC:
        v->word = batch_get(b, field, row);
        return true;
    case COLUMN_REASON:
        v->word = element_end_reason_number(batch_get_bytes(b, field, row));
        return v->word != 0;
    case COLUMN_TEXT:
    case COLUMN_HASH:
        return read_text(values, v, batch_get_bytes(b, field, row));
    case COLUMN_ICMP:
    case COLUMN_UNTOLD:
        break;
    }
    return false;
}

static bool is_told(const struct export_column *c, const struct export_row *row, int field)
{
    if (field < 0 || !batch_has(row->batch, field, row->row)) return false;
    if (c->how == COLUMN_FINE) return batch_get(row->batch, field, row->row) % NANOS_PER_MILLI != 0;
    if (c->how != COLUMN_ADDRESS || c->element->number != EXPORTER) return true;
    // What came by no network has no exporter.
    struct address a = batch_get_address(row->batch, field, row->row);
    return a.hi || a.lo;
}

void columns_read(const struct export_columns *columns, const struct export_row *row,
                  struct export_values *values)
{
    values->present = values->wide = values->left_out = 0;
    values->texts_used = 0;
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct export_column *c = &columns->list[i];
        int field = row->is_back ? c->back : c->field;
        bool is_wide = false, has = false;
        if (c->how == COLUMN_ICMP) {
            has = read_icmp(columns, row, &values->of[i], &is_wide);
        } else if (is_told(c, row, field)) {
            has = column_read(c, row->batch, row->row, field, values, &values->of[i], &is_wide);
            values->left_out += !has;
        }
        values->present |= (uint64_t)has << i;
        values->wide |= (uint64_t)(has && is_wide) << i;
    }
}

// ---- on the wire --------------------------------------------------------------------------------

const struct element *column_element(const struct export_column *c, bool is_wide)
{
    return is_wide ? c->wide : c->element;
}

uint16_t column_length(const struct export_column *c, bool is_wide)
{
    uint8_t size = is_wide ? c->wide_size : c->size;
    return size ? size : LENGTH_VARIABLE;
}

// Seconds since 1900 and a fraction of 32 bits (RFC 7011 section 6.1.10), rounded up, so that
// rounding down gives the same nanosecond.
static uint64_t ntp_time(uint64_t time)
{
    uint64_t second = NANOS_PER_SECOND;
    uint64_t fraction = ((time % second << 32) + second - 1) / second;
    return (time / second + NTP_EPOCH) << 32 | fraction;
}

// RFC 7011 section 7.
static void put_variable(struct buf *b, bytes text)
{
    enum { SHORT = 255 };
    if (text.n < SHORT) {
        buf_u8(b, (uint8_t)text.n);
    } else {
        buf_u8(b, SHORT);
        buf_be(b, text.n, 2);
    }
    buf_put(b, text);
}

void column_put(struct buf *b, const struct export_column *c, const struct column_value *v,
                bool is_wide)
{
    if (c->how == COLUMN_TIME) {
        buf_be(b, v->word / NANOS_PER_MILLI, c->size);
    } else if (c->how == COLUMN_FINE) {
        buf_be(b, ntp_time(v->word), c->size);
    } else if (c->how == COLUMN_ADDRESS) {
        if (is_wide) buf_be(b, v->address.hi, 8);
        buf_be(b, v->address.lo, is_wide ? 8 : 4);
    } else if (!c->size) {
        put_variable(b, v->text);
    } else {
        buf_be(b, v->word, column_length(c, is_wide));
    }
}
