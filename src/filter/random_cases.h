// For tests: rows of few values, and expressions over them with what they must say of each row.
//
// Every field has eight values in an order of its own; rows and expressions name them by number, so
// that what is expected is known without reading or comparing any value.
#pragma once

#include "base/text.h"
#include "base/time.h"
#include "record/batch.h"

enum { RANDOM_ROWS = 64 };

extern const struct record_kind *const random_kind; // record/test_kind.h
extern const nanos random_now;                      // what `now` in the expressions means

struct random_rows;

// Of the same seed the same rows. Field id is the number of the row.
struct random_rows *random_rows_create(uint64_t seed);
void random_rows_destroy(struct random_rows *r);
const struct record_batch *random_rows_batch(const struct random_rows *r);

// An expression of up to `leaves` comparisons, and for which rows it holds.
void random_expression(uint64_t *seed, const struct random_rows *r, unsigned leaves,
                       struct text *text, bool wanted[RANDOM_ROWS]);
