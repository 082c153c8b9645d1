#include "dissect/driver.h"

#include "dissect_list.h"

#define DECLARE(name) extern const struct dissector name##_dissector;
DISSECTOR_LIST(DECLARE)

#define ENTRY(name) &name##_dissector,
const struct dissector *const dissectors[] = {DISSECTOR_LIST(ENTRY)};
const uint32_t dissector_count = sizeof dissectors / sizeof dissectors[0];
