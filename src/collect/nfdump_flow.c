// A flow of nfdump: a header, and parts, each with its number and length.
#include <inttypes.h>
#include <stdio.h>

#include "base/mac.h"
#include "collect/nfdump_inside.h"
#include "flow/flow_kind.h"

enum {
    PART_HEADER = 4,
    HEAP_NEED = 20480, // a list of elements, and small texts
    NOTE_BYTES_MAX = 128,
    FLAG_SAMPLED = 2, // counts were multiplied by the rate
};

// How a part tells what a field takes.
enum how {
    HOW_END,
    HOW_EVENT,    // milliseconds, where the record is of an event
    HOW_RECEIVED, // when nfcapd received it
    HOW_TIME,     // milliseconds since 1970
    HOW_NUMBER,   // of so many bytes
    HOW_OPTIONAL, // the same, and zero says nothing
    HOW_V4,
    HOW_V6,
    HOW_MAC,
    HOW_REASON,
    HOW_NOTE,    // kept by name, unless it is zero
    HOW_SEVERAL, // kept by name, where it is more than one
};

struct item {
    uint8_t how, size, field;
    const char *name;
};

enum { ITEMS_MAX = 12 };

struct part {
    uint16_t number;
    struct item items[ITEMS_MAX];
};

// clang-format off
static const struct part parts[] = {
    {1, {{HOW_TIME, 8, FLOW_FIRST_SEEN, NULL}, {HOW_TIME, 8, FLOW_LAST_SEEN, NULL},
         {HOW_RECEIVED, 8, 0, NULL},
         {HOW_NUMBER, 8, FLOW_PACKETS, NULL}, {HOW_NUMBER, 8, FLOW_BYTES, NULL},
         {HOW_NUMBER, 2, FLOW_SRC_PORT, NULL}, {HOW_NUMBER, 2, FLOW_DST_PORT, NULL},
         {HOW_NUMBER, 1, FLOW_PROTO, NULL}, {HOW_NUMBER, 1, FLOW_TCP_FLAGS, NULL},
         {HOW_NOTE, 1, 0, "forwardingStatus"}, {HOW_NUMBER, 1, FLOW_TOS, NULL}}},
    {2, {{HOW_V4, 4, FLOW_SRC_ADDR, NULL}, {HOW_V4, 4, FLOW_DST_ADDR, NULL}}},
    {3, {{HOW_V6, 16, FLOW_SRC_ADDR, NULL}, {HOW_V6, 16, FLOW_DST_ADDR, NULL}}},
    {4, {{HOW_OPTIONAL, 4, FLOW_INPUT, NULL}, {HOW_OPTIONAL, 4, FLOW_OUTPUT, NULL},
         {HOW_OPTIONAL, 1, FLOW_SRC_MASK, NULL}, {HOW_OPTIONAL, 1, FLOW_DST_MASK, NULL},
         {HOW_OPTIONAL, 1, FLOW_DIRECTION, NULL}, {HOW_NOTE, 1, 0, "postIpClassOfService"},
         {HOW_NOTE, 1, 0, "biflowDirection"}, {HOW_REASON, 1, FLOW_END_REASON, NULL},
         {HOW_OPTIONAL, 1, FLOW_REVERSE_TCP_FLAGS, NULL}, {HOW_NOTE, 1, 0, "fragmentFlags"}}},
    // Of the other direction, or behind the exporter: both are kept there.
    {5, {{HOW_SEVERAL, 8, 0, "aggregatedFlows"}, {HOW_NOTE, 8, 0, "outPackets"},
         {HOW_NOTE, 8, 0, "outBytes"}}},
    {6, {{HOW_OPTIONAL, 4, FLOW_VLAN, NULL}, {HOW_OPTIONAL, 4, FLOW_DST_VLAN, NULL}}},
    {7, {{HOW_OPTIONAL, 4, FLOW_SRC_AS, NULL}, {HOW_OPTIONAL, 4, FLOW_DST_AS, NULL}}},
    {8, {{HOW_V4, 4, FLOW_BGP_NEXT_HOP, NULL}}},
    {9, {{HOW_V6, 16, FLOW_BGP_NEXT_HOP, NULL}}},
    {10, {{HOW_V4, 4, FLOW_NEXT_HOP, NULL}}},
    {11, {{HOW_V6, 16, FLOW_NEXT_HOP, NULL}}},
    {12, {{HOW_V4, 4, FLOW_EXPORTER, NULL}}},
    {13, {{HOW_V6, 16, FLOW_EXPORTER, NULL}}},
    {14, {{HOW_NOTE, 4, 0, "mplsLabel1"}, {HOW_NOTE, 4, 0, "mplsLabel2"},
          {HOW_NOTE, 4, 0, "mplsLabel3"}, {HOW_NOTE, 4, 0, "mplsLabel4"},
          {HOW_NOTE, 4, 0, "mplsLabel5"}, {HOW_NOTE, 4, 0, "mplsLabel6"},
          {HOW_NOTE, 4, 0, "mplsLabel7"}, {HOW_NOTE, 4, 0, "mplsLabel8"},
          {HOW_NOTE, 4, 0, "mplsLabel9"}, {HOW_NOTE, 4, 0, "mplsLabel10"}}},
    {15, {{HOW_MAC, 8, FLOW_SRC_MAC, NULL}, {HOW_NOTE, 8, 0, "postDestinationMac"},
          {HOW_MAC, 8, FLOW_DST_MAC, NULL}, {HOW_NOTE, 8, 0, "postSourceMac"}}},
    {16, {{HOW_NOTE, 4, 0, "bgpNextAdjacentAsNumber"},
          {HOW_NOTE, 4, 0, "bgpPrevAdjacentAsNumber"}}},
    {19, {{HOW_EVENT, 8, 0, NULL}, {HOW_NOTE, 4, 0, "firewallConnection"},
          {HOW_NOTE, 2, 0, "firewallExtendedEvent"}, {HOW_NOTE, 1, 0, "firewallEvent"}}},
    {20, {{HOW_V4, 4, FLOW_NAT_SRC_ADDR, NULL}, {HOW_V4, 4, FLOW_NAT_DST_ADDR, NULL}}},
    {21, {{HOW_V6, 16, FLOW_NAT_SRC_ADDR, NULL}, {HOW_V6, 16, FLOW_NAT_DST_ADDR, NULL}}},
    {22, {{HOW_OPTIONAL, 2, FLOW_NAT_SRC_PORT, NULL}, {HOW_OPTIONAL, 2, FLOW_NAT_DST_PORT, NULL}}},
    {25, {{HOW_EVENT, 8, 0, NULL}, {HOW_NOTE, 4, 0, "natPoolId"},
          {HOW_OPTIONAL, 1, FLOW_NAT_EVENT, NULL}}},
    {36, {{HOW_NOTE, 4, 0, "ingressVRFID"}, {HOW_NOTE, 4, 0, "egressVRFID"}}},
};
// clang-format on

// ---- items --------------------------------------------------------------------------------------

static uint64_t read_number(struct reader *r, unsigned size)
{
    if (size == 1) return read_u8(r);
    if (size == 2) return read_le16(r);
    return size == 4 ? read_le32(r) : read_le64(r);
}

static void note(struct flow_rows *rows, const char *name, bytes value)
{
    if (!rows->elements) return;
    text_clear(&rows->value);
    text_format(&rows->value, "%s=", name);
    text_put(&rows->value, value);
    flow_list_put(&rows->list, bytes_of(rows->value.p, rows->value.n));
}

static void note_number(struct flow_rows *rows, const char *name, uint64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    if (n) note(rows, name, bytes_of(digits, (size_t)length));
}

// What nobody knows here, as ENTERPRISE/NUMBER has it.
static void note_part(struct flow_rows *rows, uint16_t number, bytes content)
{
    struct text hex = {0};
    char name[32];
    snprintf(name, sizeof name, "nfdump/%u", number);
    element_format(&hex, NULL, bytes_first(content, NOTE_BYTES_MAX));
    note(rows, name, bytes_of(hex.p, hex.n));
    text_deinit(&hex);
}

static void put_address(struct record_batch *b, unsigned field, struct address a)
{
    bool is_end = field == FLOW_SRC_ADDR || field == FLOW_DST_ADDR;
    if (is_end || !address_is_none(a)) batch_words(b, field, a.hi, a.lo);
}

static void take_item(struct nfdump *f, struct record_batch *b, const struct item *i,
                      struct reader *r)
{
    if (i->how == HOW_V4) {
        put_address(b, i->field, address_v4(read_le32(r)));
        return;
    }
    if (i->how == HOW_V6) {
        struct address a = {read_le64(r), read_le64(r)};
        put_address(b, i->field, a);
        return;
    }
    uint64_t n = read_number(r, i->size);
    nanos time = n <= INT64_MAX / NANOS_PER_MILLI ? (nanos)n * NANOS_PER_MILLI : 0;
    if (i->how == HOW_TIME && time) batch_word(b, i->field, (uint64_t)time);
    if (i->how == HOW_EVENT) f->event = time;
    if (i->how == HOW_RECEIVED) f->received = time;
    if (i->how == HOW_NUMBER || (i->how == HOW_OPTIONAL && n)) batch_word(b, i->field, n);
    if (i->how == HOW_MAC && n) batch_word(b, i->field, n & MAC_MAX);
    if (i->how == HOW_REASON) flow_put_reason(b, n);
    if (i->how == HOW_NOTE || (i->how == HOW_SEVERAL && n > 1)) note_number(&f->rows, i->name, n);
}

static bool take_part(struct nfdump *f, struct record_batch *b, uint16_t number, struct reader r)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].number != number) continue;
        for (const struct item *item = parts[i].items; item->how != HOW_END; item++)
            take_item(f, b, item, &r);
        return !r.bad;
    }
    note_part(&f->rows, number, reader_rest(&r));
    return true;
}

// ---- flows --------------------------------------------------------------------------------------

static bool take_parts(struct nfdump *f, struct record_batch *b, struct reader r, uint32_t count)
{
    uint64_t seen = 0;
    for (; count && !r.bad; count--) {
        uint16_t number = read_le16(&r), length = read_le16(&r);
        // None comes twice: what a row takes of the batch is bounded by that.
        bool is_again = number < 64 && seen >> number & 1;
        if (length < PART_HEADER || is_again || number >= 64) return false;
        seen |= UINT64_C(1) << number;
        struct reader part = read_sub(&r, length - (size_t)PART_HEADER);
        if (part.bad || !take_part(f, b, number, part)) return false;
    }
    return !r.bad;
}

// Where a record tells no time of its own it has that of its event, or of its message; nfcapd 1.7.1
// writes those of IPFIX in the wrong order.
static void take_times(struct nfdump *f, struct record_batch *b)
{
    bool has_first = batch_has(b, FLOW_FIRST_SEEN, b->rows);
    bool has_last = batch_has(b, FLOW_LAST_SEEN, b->rows);
    nanos told = f->event ? f->event : f->received ? f->received : f->created;
    if (has_last) told = (nanos)batch_get(b, FLOW_LAST_SEEN, b->rows);
    nanos first = has_first ? (nanos)batch_get(b, FLOW_FIRST_SEEN, b->rows) : told;
    nanos last = has_last || !has_first ? told : first;
    if (first > last) {
        told = first;
        first = last;
        last = told;
    }
    batch_word(b, FLOW_FIRST_SEEN, (uint64_t)first);
    batch_word(b, FLOW_LAST_SEEN, (uint64_t)last);
    if (!f->first || first < f->first) f->first = first;
    if (last > f->last) f->last = last;
}

bool nfdump_flow(struct nfdump *f, struct reader r)
{
    static const struct sampling untold = {0};
    uint16_t parts_told = read_le16(&r);
    read_le16(&r); // engine
    uint16_t exporter = read_le16(&r);
    uint8_t flags = read_u8(&r);
    read_u8(&r); // protocol of its exporter
    if (r.bad) return false;
    struct flow_origin origin = {.point = f->options->point, .sampling = &untold};
    if (exporter < NFDUMP_EXPORTERS_MAX) {
        origin.exporter = f->exporters[exporter].address;
        origin.domain = f->exporters[exporter].domain;
    }
    struct record_batch *b = flow_begin(&f->rows, &origin, HEAP_NEED);
    f->event = f->received = 0;
    if (take_parts(f, b, r, parts_told)) {
        take_times(f, b);
        if (flags & FLAG_SAMPLED) note_number(&f->rows, "multipliedBySampling", 1);
        flow_end(&f->rows, b);
        return true;
    }
    batch_cancel(b);
    f->rows.rows--;
    return false;
}
