// What a person wants to know first of a case: totals, completeness, protocols, talkers, names,
// files, anomalies.
//
// Collects from record batches, as they come from lanes while reading or from the store afterwards,
// in any order and from several threads (one lock a batch): the report is the same either way, with
// any store and any number of lanes. Sums are exact up to SUMMARY_NAMES_MAX different values of a
// list; beyond that the lightest go, and the list says that it is approximate
// (engine/summary_counts.h).
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "record/batch.h"

enum { SUMMARY_NAMES_MAX = 200000 };

struct summary;

struct summary *summary_create(void);
void summary_destroy(struct summary *s);
struct record_sink summary_sink(struct summary *s);

// The columns that it reads of a kind, for whoever scans a store; NULL behind the last. Kinds it
// does not read give none.
const char *const *summary_columns(const char *kind);

struct summary_style {
    unsigned width; // columns of the screen
    bool colour;
    const char *case_name; // for "what to ask next"; NULL when nothing was kept
};
void summary_print(const struct summary *s, const struct summary_style *style, FILE *out);
