// A case being asked: a consistent view of what was committed when it was opened, whoever writes
// meanwhile.
//
// Thread: one at a time, except case_interrupt, which any thread and a signal handler may call.
#pragma once

#include <stdio.h>

#include "record/batch.h"
#include "store/catalogue.h"

struct store;
struct case_reader;

// Opens a case on disk. Keeps `kinds`. NULL and err on failure.
struct case_reader *case_open(const char *path, const struct record_kind *const *kinds,
                              unsigned kind_count, struct err *err);
// What a store has committed, on disk or in memory. Keeps `s` when it is a memory case: close this
// first, and put nothing into the sinks meanwhile.
struct case_reader *case_of_store(struct store *s, struct err *err);
void case_close(struct case_reader *c);

// What the log says; empty for a memory case.
const struct catalogue *case_catalogue(const struct case_reader *c);
// The number and the SHA-256 of the last line of the log.
const char *case_head(const struct case_reader *c, uint64_t *seq);
const struct record_kind *case_kind(const struct case_reader *c,
                                    const char *name); // NULL when there is none
const struct record_kind *const *case_kinds(const struct case_reader *c, unsigned *count);
const char *case_path(const struct case_reader *c); // NULL for a memory case

// From now on only what the reading of this line of the log has is asked; 0: all again.
void case_narrow(struct case_reader *c, uint64_t reading);

// The rows of a kind, as they were put in. `where` is SQL over the columns of raw.KIND that lets at
// least the wanted rows through, or NULL; bit f of `fields` asks for field f (CASE_ALL_FIELDS for
// all that are stored: those with FIELD_ASKED cost a look at all rows), others are absent. `take`
// borrows the batch and may end the scan with false, which is not a failure.
#define CASE_ALL_FIELDS UINT64_MAX
typedef bool case_take(void *context, const struct record_batch *batch);
struct case_scan {
    const struct record_kind *kind;
    uint64_t fields;
    const char *where;
    case_take *take;
    void *context;
};
bool case_scan(struct case_reader *c, const struct case_scan *scan, struct err *err)
    __attribute__((warn_unused_result));

// The condition of a scan for rows whose FIELD_ID `field` is `id`.
enum { CASE_ID_CONDITION_MAX = 160 };
void case_id_condition(char where[CASE_ID_CONDITION_MAX], const char *field, struct record_id id);

// The number of rows, without reading them.
uint64_t case_rows(const struct case_reader *c, const struct record_kind *kind);

// One SELECT of a user's. Nothing outside the case can be read, and nothing written. ERR_USAGE with
// what DuckDB says of it.
enum case_format { CASE_TABLE, CASE_JSON, CASE_CSV, CASE_PARQUET };
bool case_sql(struct case_reader *c, const char *sql, enum case_format format, FILE *out,
              unsigned width, uint64_t *rows, struct err *err) __attribute__((warn_unused_result));

// Ends the query that runs: it fails with ERR_MACHINE, "interrupted".
void case_interrupt(struct case_reader *c);
