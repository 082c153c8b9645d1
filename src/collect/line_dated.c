// The twelve keys that converters of nfdump's output write, and that the benchmark of stream
// processing systems for flows made known: {"date_first_seen":"2015-07-18T18:11:42.123+01",...}.
#include "collect/line_inside.h"
#include "flow/flow_kind.h"

static const struct line_name names[] = {
    {.name = "date_first_seen", .field = FLOW_FIRST_SEEN},
    {.name = "date_last_seen", .field = FLOW_LAST_SEEN},
    {.name = "duration", .use = LINE_DURATION},
    {.name = "src_ip_addr", .field = FLOW_SRC_ADDR},
    {.name = "dst_ip_addr", .field = FLOW_DST_ADDR},
    {.name = "src_port", .field = FLOW_SRC_PORT, .bits = 16},
    {.name = "dst_port", .field = FLOW_DST_PORT, .bits = 16},
    {.name = "protocol", .use = LINE_PROTOCOL, .field = FLOW_PROTO, .bits = 8},
    {.name = "flags", .use = LINE_FLAGS, .field = FLOW_TCP_FLAGS, .bits = 16},
    {.name = "tos", .field = FLOW_TOS, .bits = 8},
    {.name = "packets", .field = FLOW_PACKETS},
    {.name = "bytes", .field = FLOW_BYTES},
};

static bool dated_recognise(bytes line)
{
    return line_has(line, "date_first_seen\"") || line_has(line, "src_ip_addr\"");
}

const struct line_format dated_lines = {
    .name = "dated",
    .recognise = dated_recognise,
    .take = line_take_json,
    .names = names,
    .name_count = sizeof names / sizeof names[0],
    .unit = NANOS_PER_SECOND,
};
