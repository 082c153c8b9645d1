// Information elements by name: "ipfix.sourceIPv4Address" as Stream4Flow and IPFIXcol have it,
// "iana:sourceIPv4Address" as IPFIXcol2 has it. Times are milliseconds since 1970, whatever the
// element's own unit.
#include "collect/line_inside.h"
#include "flow/flow_kind.h"

static const struct line_name names[] = {
    {.name = "@type", .use = LINE_TYPE},
    {.name = "ipfix.HTTPRequestHost", .field = FLOW_HTTP_HOST}, // of Flowmon's probes
};

static bool ipfix_recognise(bytes line)
{
    return line_has(line, "ipfix.") || line_has(line, "iana:") || line_has(line, "@type\":\"ipfix");
}

const struct line_format ipfix_lines = {
    .name = "ipfix",
    .recognise = ipfix_recognise,
    .take = line_take_json,
    .names = names,
    .name_count = sizeof names / sizeof names[0],
    .types = {"ipfix.entry"},
    .has_fields = true, // where there is no element
    .unit = NANOS_PER_MILLI,
};
