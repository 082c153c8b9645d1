// Values of a DuckDB result into an output (record/output.h).
#pragma once

#include "record/output.h"
#include "store/duckdb.h"

// A column of a result, as far as its values can be shown directly.
struct value_type {
    int type;    // enum duck_type, or another of the library's
    int element; // of a list
};

struct value_type value_type_of(struct duck_result *result, uint64_t column);
// What it must be cast to first, or NULL when it can be shown as it is.
const char *value_cast(struct value_type type);
bool value_is_number(struct value_type type);

void value_put(struct output *o, struct value_type type, struct duck_vector *v, uint64_t row);
