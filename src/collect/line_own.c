// Records of the kind `flow`, as weir itself writes them:
// {"first_seen":"2015-07-18T18:11:42Z",...}.
#include "collect/line_inside.h"

static const struct line_name names[] = {
    {.name = "kind", .use = LINE_TYPE},
    {.name = "community_id", .use = LINE_IGNORED}, // made of the others
};

static bool own_recognise(bytes line)
{
    return line_has(line, "first_seen\"") && line_has(line, "last_seen\"");
}

const struct line_format own_lines = {
    .name = "own",
    .recognise = own_recognise,
    .take = line_take_json,
    .names = names,
    .name_count = sizeof names / sizeof names[0],
    .types = {"flow"},
    .unit = NANOS_PER_SECOND,
    .has_fields = true,
};
