// Rows with an address, sought before a statement runs: two columns of each segment tell where they
// are, and then nothing is opened but the groups of rows that have one.
#pragma once

#include "store/case_inside.h"
#include "store/query_needs.h"

// Makes the raw view of a kind anew, with no other rows than a statement with these needs asks for,
// and maybe a few more. The next case_need_raw brings back all of them.
bool seek_rows(struct case_reader *c, unsigned kind, const struct needs *needs, struct err *err)
    __attribute__((warn_unused_result));
