// One DuckDB in memory, as the store wants it: no network, no extensions, no files but those it is
// told to.
//
// Thread: one thread at a time, except database_interrupt.
#pragma once

#include "base/text.h"
#include "store/duckdb.h"

struct database {
    struct duck_database *handle;
    struct duck_connection *connection;
};

struct database_options {
    unsigned threads;      // 0 is 1
    unsigned memory_mb;    // 0 is 256
    const char *temporary; // folder to which large sorts may spill; NULL for none
};

bool database_open(struct database *d, const struct database_options *options, struct err *err);
void database_close(struct database *d);

// Runs one statement that gives no rows of interest. What DuckDB says becomes the error,
// ERR_MACHINE when the disk, a file or the memory failed it, ERR_INPUT otherwise.
bool database_run(struct database *d, const char *sql, struct err *err)
    __attribute__((warn_unused_result));

// Runs one prepared SELECT whose rows come as they are made (duck.fetch_chunk), where the library
// can. The caller destroys the result.
bool database_stream(struct database *d, const char *sql, struct duck_result *result,
                     struct err *err) __attribute__((warn_unused_result));
bool database_stream_prepared(struct duck_prepared *prepared, struct duck_result *result,
                              struct err *err) __attribute__((warn_unused_result));

// The error of a result that failed, and frees it.
bool database_fail(struct duck_result *result, struct err *err);

// SQL text: an identifier in double quotes, a literal in single ones.
void sql_name(struct text *t, const char *name);
void sql_literal(struct text *t, const char *literal);
