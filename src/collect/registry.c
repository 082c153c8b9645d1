// All protocols of exporters; the list is made from meson.build.
#include "collect_list.h"
#include "collect/protocol.h"

#define DECLARE(name) extern const struct export_protocol name##_protocol;
PROTOCOL_LIST(DECLARE)

#define ENTRY(name) &name##_protocol,
const struct export_protocol *const export_protocols[] = {PROTOCOL_LIST(ENTRY)};
const uint32_t export_protocol_count = sizeof export_protocols / sizeof export_protocols[0];
