// Zeek's conn.log as JSON. What it counts with IP headers is what `flow` counts; payload alone
// (orig_bytes) is kept as an element.
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
