// How a record kind looks in DuckDB: the columns of its segments, and the view that people ask.
//
// On disk an address is two UBIGINT, NAME_hi and NAME_lo, and an id NAME_us and NAME_hash: exact
// for every reader of Parquet, and a prefix is a range. The view shows addresses as text, ids and
// hashes as hexadecimal digits, durations in seconds, and leaves out what is hidden. A segment has
// only fields of which some row has a value: the others read as NULL.
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

// The columns of those fields of a kind whose bits are set in `with`, with commas between.
void schema_put_columns(struct text *sql, const struct record_kind *kind, uint64_t with);
// SELECT all columns of a kind FROM `source`, or from nothing when it is NULL. Fields whose bits
// are not set in `with` are not in it, and read as NULL.
void schema_put_select(struct text *sql, const struct record_kind *kind, const char *source,
                       uint64_t with);
// CREATE VIEW raw."KIND" of that.
void schema_raw_view(struct text *sql, const struct record_kind *kind, const char *source,
                     uint64_t with);
// CREATE VIEW main."KIND" over it, as people see it.
void schema_view(struct text *sql, const struct record_kind *kind);
