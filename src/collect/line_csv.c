// Tables whose header names the columns (RFC 4180, also with semicolons or tabs): by the fields of
// `flow`, by elements, as nfdump and Zeek name them, and as Argus does.
#include "collect/line_inside.h"
#include "flow/flow_kind.h"

extern const struct line_format csv_lines;

// clang-format off
static const struct line_name names[] = {
    {.name = "kind", .use = LINE_TYPE},
    {.name = "community_id", .use = LINE_IGNORED}, // made of the others
    // nfdump -o csv
    {.name = "ts", .field = FLOW_FIRST_SEEN},
    {.name = "te", .field = FLOW_LAST_SEEN},
    {.name = "td", .use = LINE_DURATION},
    {.name = "sa", .field = FLOW_SRC_ADDR},
    {.name = "da", .field = FLOW_DST_ADDR},
    {.name = "sp", .field = FLOW_SRC_PORT, .bits = 16},
    {.name = "dp", .use = LINE_PORT, .field = FLOW_DST_PORT, .bits = 16},
    {.name = "pr", .use = LINE_PROTOCOL, .field = FLOW_PROTO, .bits = 8},
    {.name = "flg", .use = LINE_FLAGS, .field = FLOW_TCP_FLAGS, .bits = 16},
    {.name = "fwd", .use = LINE_KEPT, .is_filled = true},
    {.name = "stos", .field = FLOW_TOS, .bits = 8},
    {.name = "ipkt", .field = FLOW_PACKETS},
    {.name = "ibyt", .field = FLOW_BYTES},
    {.name = "opkt", .use = LINE_KEPT, .is_filled = true},
    {.name = "obyt", .use = LINE_KEPT, .is_filled = true},
    {.name = "in", .field = FLOW_INPUT, .is_filled = true},
    {.name = "out", .field = FLOW_OUTPUT, .is_filled = true},
    {.name = "sas", .field = FLOW_SRC_AS, .is_filled = true},
    {.name = "das", .field = FLOW_DST_AS, .is_filled = true},
    {.name = "smk", .field = FLOW_SRC_MASK, .bits = 8, .is_filled = true},
    {.name = "dmk", .field = FLOW_DST_MASK, .bits = 8, .is_filled = true},
    {.name = "dtos", .use = LINE_KEPT, .is_filled = true},
    {.name = "dir", .field = FLOW_DIRECTION, .is_filled = true},
    {.name = "nh", .field = FLOW_NEXT_HOP, .is_filled = true},
    {.name = "nhb", .field = FLOW_BGP_NEXT_HOP, .is_filled = true},
    {.name = "svln", .field = FLOW_VLAN, .bits = 16, .is_filled = true},
    {.name = "dvln", .field = FLOW_DST_VLAN, .bits = 16, .is_filled = true},
    {.name = "ismc", .field = FLOW_SRC_MAC, .is_filled = true},
    {.name = "idmc", .field = FLOW_DST_MAC, .is_filled = true},
    {.name = "odmc", .use = LINE_KEPT, .is_filled = true},
    {.name = "osmc", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls1", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls2", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls3", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls4", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls5", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls6", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls7", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls8", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls9", .use = LINE_KEPT, .is_filled = true},
    {.name = "mpls10", .use = LINE_KEPT, .is_filled = true},
    {.name = "cl", .use = LINE_KEPT, .is_filled = true},
    {.name = "sl", .use = LINE_KEPT, .is_filled = true},
    {.name = "al", .use = LINE_KEPT, .is_filled = true},
    {.name = "ra", .field = FLOW_EXPORTER, .is_filled = true},
    {.name = "eng", .use = LINE_KEPT, .is_filled = true},
    {.name = "exid", .use = LINE_KEPT, .is_filled = true},
    {.name = "tr", .use = LINE_IGNORED}, // when it was received
    // Zeek
    {.name = "duration", .use = LINE_DURATION},
    {.name = "id.orig_h", .field = FLOW_SRC_ADDR},
    {.name = "id.orig_p", .field = FLOW_SRC_PORT, .bits = 16},
    {.name = "id.resp_h", .field = FLOW_DST_ADDR},
    {.name = "id.resp_p", .field = FLOW_DST_PORT, .bits = 16},
    {.name = "service", .field = FLOW_APPLICATION},
    {.name = "orig_pkts", .field = FLOW_PACKETS},
    {.name = "orig_ip_bytes", .field = FLOW_BYTES},
    {.name = "resp_pkts", .field = FLOW_REVERSE_PACKETS},
    {.name = "resp_ip_bytes", .field = FLOW_REVERSE_BYTES},
    // Argus
    {.name = "StartTime", .field = FLOW_FIRST_SEEN},
    {.name = "LastTime", .field = FLOW_LAST_SEEN},
    {.name = "Dur", .use = LINE_DURATION},
    {.name = "Proto", .use = LINE_PROTOCOL, .field = FLOW_PROTO, .bits = 8},
    {.name = "SrcAddr", .field = FLOW_SRC_ADDR},
    {.name = "Sport", .use = LINE_PORT, .field = FLOW_SRC_PORT, .bits = 16},
    {.name = "DstAddr", .field = FLOW_DST_ADDR},
    {.name = "Dport", .use = LINE_PORT, .field = FLOW_DST_PORT, .bits = 16},
    {.name = "sTos", .field = FLOW_TOS, .bits = 8},
    {.name = "TotPkts", .use = LINE_BOTH, .field = FLOW_PACKETS},
    {.name = "TotBytes", .use = LINE_BOTH, .field = FLOW_BYTES},
    {.name = "SrcPkts", .field = FLOW_PACKETS},
    {.name = "SrcBytes", .field = FLOW_BYTES},
    {.name = "DstPkts", .field = FLOW_REVERSE_PACKETS},
    {.name = "DstBytes", .field = FLOW_REVERSE_BYTES},
};
// clang-format on

static const char delimiters[] = {',', ';', '\t'};

static uint8_t delimiter_of(bytes header)
{
    uint8_t best = 0;
    size_t most = 0;
    for (size_t i = 0; i < sizeof delimiters; i++) {
        size_t count = 0;
        for (size_t k = 0; k < header.n; k++) count += header.p[k] == (uint8_t)delimiters[i];
        if (count > most) best = (uint8_t)delimiters[i], most = count;
    }
    return best;
}

// What editors put in front of UTF-8.
static bytes without_mark(bytes line)
{
    return bytes_start_with(line, "\xef\xbb\xbf") ? bytes_after(line, 3) : line;
}

// A header names a time and an address at least.
static bool csv_recognise(bytes line)
{
    bytes header = without_mark(line);
    uint8_t delimiter = delimiter_of(header);
    bool has_time = false, has_address = false;
    if (!delimiter || header.n > LINE_BYTES_MAX) return false;
    while (header.n) {
        size_t end = bytes_find(header, delimiter);
        bytes name = bytes_first(header, end);
        if (name.n > 1 && name.p[0] == '"') name = bytes_of(name.p + 1, name.n - 2);
        int field = name.n <= LINE_NAME_MAX ? line_field_of(&csv_lines, name) : -1;
        has_time |= field == FLOW_FIRST_SEEN || field == FLOW_LAST_SEEN;
        has_address |= field == FLOW_SRC_ADDR || field == FLOW_DST_ADDR;
        header = bytes_after(header, end + 1);
    }
    return has_time && has_address;
}

static void csv_take(struct lines *l, bytes line)
{
    struct line_table *t = &l->table;
    if (!t->delimiter) {
        line = without_mark(line);
        *t = (struct line_table){
            .delimiter = delimiter_of(line), .has_quotes = true, .unset = "-", .empty = ""};
        if (!table_header(l, line)) t->column_count = 0;
        table_pass(l);
        return;
    }
    // nfdump writes sums behind the flows.
    t->is_other |= bytes_equal(line, bytes_text("Summary"));
    if (t->is_other) table_pass(l);
    else table_take(l, line);
}

const struct line_format csv_lines = {
    .name = "csv",
    .recognise = csv_recognise,
    .take = csv_take,
    .names = names,
    .name_count = sizeof names / sizeof names[0],
    .types = {"flow"},
    .unit = NANOS_PER_SECOND,
    .has_fields = true,
};
