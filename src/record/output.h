// Rows for people and programs: aligned columns, JSON (one object a line, every field that has a
// value) or CSV (RFC 4180).
//
// Values are given one by one, in the order of the columns; what a value looks like is decided here
// alone, so the same record looks the same whether it comes from SQL, from a filter or from `weir
// show`. Times are RFC 3339, addresses text, ids and hashes hexadecimal digits, durations seconds.
// Nothing of the traffic reaches a terminal as a control character.
//
// Thread: one. A table keeps its first rows until their widths are known.
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/time.h"
#include "record/batch.h"

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };

struct output_column {
    const char *name;
    bool right; // numbers
};

struct output;

// Copies the columns, keeps `out`. `width` is that of the terminal, to which tables are cut; 0 for
// none.
struct output *output_create(enum output_format format, FILE *out,
                             const struct output_column *columns, unsigned column_count,
                             unsigned width);
void output_destroy(struct output *o);
// JSON: every row that has a value begins with "kind". Borrows the name.
void output_tell_kind(struct output *o, const char *kind);

void output_null(struct output *o);
void output_bool(struct output *o, bool v);
void output_uint(struct output *o, uint64_t v);
void output_int(struct output *o, int64_t v);
void output_real(struct output *o, double v);
void output_digits(struct output *o, bytes digits); // a number that is text already
void output_text(struct output *o, bytes v);
void output_time(struct output *o, nanos v);
void output_hex(struct output *o, bytes v);
void output_address(struct output *o, struct address v);
void output_mac(struct output *o, uint64_t mac);
void output_id(struct output *o, struct record_id v);
// Between them values are elements of one.
void output_list_begin(struct output *o);
void output_list_end(struct output *o);
void output_row_end(struct output *o);

// Writes what is left; false when anything could not be written. Counts only then.
bool output_end(struct output *o, struct err *err) __attribute__((warn_unused_result));
uint64_t output_rows(const struct output *o);

// The columns of a kind, without what is hidden, and a row of a batch in them, or all its rows.
struct output *output_create_for(enum output_format format, FILE *out,
                                 const struct record_kind *kind, unsigned width);
void output_field(struct output *o, const struct record_batch *b, unsigned field, uint32_t row);
void output_batch_row(struct output *o, const struct record_batch *b, uint32_t row);
void output_batch(struct output *o, const struct record_batch *b);
