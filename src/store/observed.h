// Many observations of one thing: which rows of `flow` tell of the same conversation at the same
// time, and which of them to count. docs/formats/observations.md has the rule.
//
// Made when it is asked for, from all rows that count: so it is the same whatever came first and
// wherever one commit ended, and right again when rows come late or go.
#pragma once

#include "store/database.h"

// Makes what observed_source() needs, from raw.flow_told.
bool observed_make(struct database *d, struct err *err) __attribute__((warn_unused_result));
// SQL: what stands behind FROM to have the columns of raw.flow_told, with `once`, `link_us` and
// `link_hash` in the place of those that are there.
const char *observed_source(void);
