// The parts of asking (store/case.h, case_sql).
#pragma once

#include "store/case_inside.h"

// The statement, when it is one SELECT without parameters; ERR_USAGE otherwise. The caller destroys
// it.
struct duck_prepared *query_prepare(struct case_reader *c, const char *sql, struct err *err);

// Puts a statement with columns cast where `casts` is not NULL: SELECT c0, c1::VARCHAR FROM (...)
// AS t(c0, c1). `names`, when there are any, are what the columns are called.
void query_wrap(struct text *out, const char *sql, const char *const *casts,
                const char *const *names, uint64_t columns);

// What DuckDB says of a statement (ERR_USAGE), or of a run that failed.
bool query_sql_error(struct err *err, const char *said);
bool query_error(struct err *err, int type, const char *said);
