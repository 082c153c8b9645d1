// The spool as a table in SQL: weir_spool('KIND', FROM, TO) gives the rows of the batches [FROM,
// TO) of that kind.
//
// So a segment is written, and a case in memory asked, without a copy of the rows.
#pragma once

#include "store/database.h"
#include "store/spool.h"

// The database keeps `s`.
bool spool_table_register(struct database *d, struct spool *s, struct err *err);
