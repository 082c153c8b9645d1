// All formats of export; the list is made from meson.build.
#include "sink_list.h"
#include "sink/export_format.h"

#define DECLARE(name) extern const struct export_format name##_format;
FORMAT_LIST(DECLARE)

#define ENTRY(name) &name##_format,
const struct export_format *const export_formats[] = {FORMAT_LIST(ENTRY)};
const uint32_t export_format_count = sizeof export_formats / sizeof export_formats[0];

const char *flow_export_formats(void)
{
#define NAME(name) ", " #name
    static const char names[] = FORMAT_LIST(NAME);
    return names + 2;
}
