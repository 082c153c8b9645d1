// Records as text, for the harness only.
#pragma once

#include "base/text.h"
#include "record/batch.h"

// Appends the value of a field of row 0 of `batch`, as it stands in a line (harness.h). Nothing
// when it has no value.
void harness_put_value(struct text *out, const struct record_batch *batch, unsigned field);

// Appends " name=" and a JSON string of `b`, which may be any bytes.
void harness_put_text(struct text *out, const char *name, bytes b);
