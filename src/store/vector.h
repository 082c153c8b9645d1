// Record batches into DuckDB's vectors and back, field by field.
//
// Thread: plain functions over the caller's data.
#pragma once

#include "base/text.h"
#include "record/batch.h"
#include "store/duckdb.h"

// Which word of a field a column holds (store/schema.h): 0, or 1 for the second column of an
// address or id.
struct vector_column {
    unsigned field, word;
};

// Writes rows [0, batch->rows) of a column to the vector from row `at` on.
void vector_put(struct duck_vector *v, uint64_t at, const struct record_batch *batch,
                struct vector_column column);

// The other way: at most `rows` rows from `from` on into the batch; returns how many fitted.
// `vectors` has one for each column of the kind in order, NULL where it was not asked for.
// `scratch` is the caller's, for lists.
uint32_t vector_take(struct duck_vector *const *vectors, uint64_t from, uint64_t rows,
                     struct record_batch *batch, struct text *scratch);

static inline bool vector_is_null(const uint64_t *validity, uint64_t row)
{
    return validity && !(validity[row / 64] >> (row % 64) & 1);
}
