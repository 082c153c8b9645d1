// Flow and netflow events of EVE, the log of Suricata. Other events are no flows.
#include "collect/line_inside.h"
#include "flow/flow_kind.h"

static const struct line_name names[] = {
    {.name = "event_type", .use = LINE_TYPE},
    {.name = "timestamp", .use = LINE_IGNORED}, // when it was written
    {.name = "src_ip", .field = FLOW_SRC_ADDR},
    {.name = "src_port", .field = FLOW_SRC_PORT, .bits = 16},
    {.name = "dest_ip", .field = FLOW_DST_ADDR},
    {.name = "dest_port", .field = FLOW_DST_PORT, .bits = 16},
    {.name = "icmp_type", .field = FLOW_SRC_PORT, .bits = 8},
    {.name = "icmp_code", .field = FLOW_DST_PORT, .bits = 8},
    {.name = "proto", .use = LINE_PROTOCOL, .field = FLOW_PROTO, .bits = 8},
    {.name = "app_proto", .field = FLOW_APPLICATION},
    {.name = "flow.start", .field = FLOW_FIRST_SEEN},
    {.name = "flow.end", .field = FLOW_LAST_SEEN},
    {.name = "flow.pkts_toserver", .field = FLOW_PACKETS},
    {.name = "flow.bytes_toserver", .field = FLOW_BYTES},
    {.name = "flow.pkts_toclient", .field = FLOW_REVERSE_PACKETS},
    {.name = "flow.bytes_toclient", .field = FLOW_REVERSE_BYTES},
    {.name = "flow.reason", .field = FLOW_END_REASON},
    {.name = "netflow.start", .field = FLOW_FIRST_SEEN},
    {.name = "netflow.end", .field = FLOW_LAST_SEEN},
    {.name = "netflow.pkts", .field = FLOW_PACKETS},
    {.name = "netflow.bytes", .field = FLOW_BYTES},
    {.name = "tcp.tcp_flags", .use = LINE_IGNORED}, // of both directions together
    {.name = "tcp.tcp_flags_ts", .use = LINE_HEX, .field = FLOW_TCP_FLAGS, .bits = 16},
    {.name = "tcp.tcp_flags_tc", .use = LINE_HEX, .field = FLOW_REVERSE_TCP_FLAGS, .bits = 16},
};

static bool eve_recognise(bytes line)
{
    return line_has(line, "event_type\"") && line_has(line, "timestamp\"");
}

const struct line_format eve_lines = {
    .name = "eve",
    .recognise = eve_recognise,
    .take = line_take_json,
    .names = names,
    .name_count = sizeof names / sizeof names[0],
    .types = {"flow", "netflow"},
    .unit = NANOS_PER_SECOND,
};
