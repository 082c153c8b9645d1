// For the tests of this folder: a kind with a field of every type, rows made from a number, and a
// folder that goes.
#pragma once

#include "record/batch.h"
#include "store/case.h"
#include "store/entry.h"
#include "store/store.h"

extern const struct record_kind sample_kind; // every type
extern const struct record_kind plain_kind;  // few fields, no id, no time
extern const struct record_kind *const fixture_kinds[2];

enum sample_field {
    SAMPLE_ID,
    SAMPLE_TS,
    SAMPLE_DURATION,
    SAMPLE_COUNT,
    SAMPLE_RATIO,
    SAMPLE_FLAG,
    SAMPLE_ADDRESS,
    SAMPLE_NAME,
    SAMPLE_HASH,
    SAMPLE_BLOB,
    SAMPLE_NAMES,
    SAMPLE_NUMBERS,
    SAMPLE_ADDRESSES,
    SAMPLE_HIDDEN,
    SAMPLE_PATH,
};

// Row `number` into the batch: what it has in it, and what is absent, follows from the number.
// False when there is no room.
bool fixture_row(struct record_batch *b, uint64_t number);
// Rows [from, to) into a sink, in batches of `rows`.
void fixture_fill(struct record_sink sink, const struct record_kind *kind, uint64_t from,
                  uint64_t to, uint32_t rows);

// Whether two rows are the same in every field.
bool fixture_rows_equal(const struct record_batch *a, uint32_t row_a, const struct record_batch *b,
                        uint32_t row_b);

// A fresh folder below the system's temporary one; owned. Gone with all that is in it after
// fixture_folder_remove.
char *fixture_folder(void);
void fixture_folder_remove(char *folder);
// The same as setup and teardown of a test of cmocka, whose state the folder is.
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

// A reading of one capture whose hash is made of `number`; valid until the next call.
const struct reading *fixture_reading(uint8_t number, const char *options);

// Who writes in tests, with a key of its own that goes at the end of the process.
extern struct author fixture_author;

// Whether DuckDB can be loaded; says why not. Without it a test returns FIXTURE_SKIP, which Meson
// counts as skipped.
enum { FIXTURE_SKIP = 77 };
bool fixture_has_library(void);
