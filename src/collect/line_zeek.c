// Zeek's conn.log, as JSON and as the table that Zeek writes by itself. What it counts with IP
// headers is what `flow` counts; payload alone (orig_bytes) is kept as an element.
#include "collect/line_inside.h"
#include "flow/flow_kind.h"

static const struct line_name names[] = {
    {.name = "_path", .use = LINE_TYPE},
    {.name = "ts", .field = FLOW_FIRST_SEEN},
    {.name = "duration", .use = LINE_DURATION},
    {.name = "id.orig_h", .field = FLOW_SRC_ADDR},
    {.name = "id.orig_p", .field = FLOW_SRC_PORT, .bits = 16},
    {.name = "id.resp_h", .field = FLOW_DST_ADDR},
    {.name = "id.resp_p", .field = FLOW_DST_PORT, .bits = 16},
    {.name = "proto", .use = LINE_PROTOCOL, .field = FLOW_PROTO, .bits = 8},
    {.name = "service", .field = FLOW_APPLICATION},
    {.name = "orig_pkts", .field = FLOW_PACKETS},
    {.name = "orig_ip_bytes", .field = FLOW_BYTES},
    {.name = "resp_pkts", .field = FLOW_REVERSE_PACKETS},
    {.name = "resp_ip_bytes", .field = FLOW_REVERSE_BYTES},
};

static bool zeek_recognise(bytes line)
{
    return line_has(line, "id.orig_h\"") &&
           (line_has(line, "conn_state\"") || line_has(line, "_path\":\"conn\""));
}

const struct line_format zeek_lines = {
    .name = "zeek",
    .recognise = zeek_recognise,
    .take = line_take_json,
    .names = names,
    .name_count = sizeof names / sizeof names[0],
    .types = {"conn"},
    .unit = NANOS_PER_SECOND,
};

// ---- as a table ---------------------------------------------------------------------------------

static bool table_recognise(bytes line)
{
    return bytes_start_with(line, "#separator ") || bytes_start_with(line, "#fields\t");
}

// The separator stands as \x09.
static void take_separator(struct lines *l, bytes value)
{
    uint8_t separator[8];
    if (value.n > sizeof separator || text_unescape(separator, value) != 1) return;
    l->table.delimiter = separator[0];
}

static void take_word(char word[16], bytes value)
{
    if (value.n > 15) value.n = 15;
    if (value.n) memcpy(word, value.p, value.n);
    word[value.n] = 0;
}

// A line of the header: a word, a separator, and what it says.
static void take_header(struct lines *l, bytes line)
{
    struct line_table *t = &l->table;
    if (!t->delimiter) t->delimiter = '\t';
    size_t end = 0;
    while (end < line.n && line.p[end] != t->delimiter && line.p[end] != ' ') end++;
    bytes word = bytes_first(line, end), value = bytes_after(line, end + 1);
    if (bytes_equal(word, bytes_text("#separator"))) {
        *t = (struct line_table){.delimiter = '\t', .unset = "-", .empty = "(empty)"};
        take_separator(l, value);
    } else if (bytes_equal(word, bytes_text("#unset_field"))) take_word(t->unset, value);
    else if (bytes_equal(word, bytes_text("#empty_field"))) take_word(t->empty, value);
    else if (bytes_equal(word, bytes_text("#path")))
        t->is_other = !bytes_equal(value, bytes_text("conn"));
    else if (bytes_equal(word, bytes_text("#fields")) && !t->is_other && !table_header(l, value))
        t->column_count = 0;
    table_pass(l);
}

static void table_line(struct lines *l, bytes line)
{
    if (line.p[0] == '#') take_header(l, line);
    else if (l->table.is_other) table_pass(l);
    else table_take(l, line);
}

const struct line_format zeek_table_lines = {
    .name = "zeek table",
    .recognise = table_recognise,
    .take = table_line,
    .names = names,
    .name_count = sizeof names / sizeof names[0],
    .unit = NANOS_PER_SECOND,
};
