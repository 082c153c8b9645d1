// How a record kind looks in DuckDB: the columns of its segments, and the view that people ask.
//
// On disk an address is two UBIGINT, NAME_hi and NAME_lo, and an id NAME_us and NAME_hash: exact
// for every reader of Parquet, and a prefix is a range. The view shows addresses as text, ids and
// hashes as hexadecimal digits, durations in seconds, and leaves out what is hidden. Segments of an
// older program have fewer fields: those read as NULL.
#pragma once

#include "base/text.h"
#include "record/kind.h"
#include "store/duckdb.h"

// The one or two columns of a field.
struct schema_column {
    char name[64];
    enum duck_type type;
    bool list; // of `type`
};

// How many columns `field` has (1 or 2), and which.
unsigned schema_columns(const struct field *field, struct schema_column columns[2]);
struct duck_logical *schema_logical(const struct schema_column *column);

// CREATE VIEW raw."KIND": all columns of the segments. `source` is what stands behind FROM, or NULL
// for none; fields from `fields` on are not in it.
void schema_raw_view(struct text *sql, const struct record_kind *kind, const char *source,
                     uint32_t fields);
// CREATE VIEW main."KIND" over it, as people see it.
void schema_view(struct text *sql, const struct record_kind *kind);
