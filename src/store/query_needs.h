// What a statement says of addresses, as far as that can be told from its words: rows that have
// none of them need not be looked at. DuckDB knows addresses of views as texts that are made of two
// numbers, and so could pass over nothing.
//
// Thread: plain functions over the caller's data.
#pragma once

#include "base/address.h"
#include "record/kind.h"

enum { NEEDS_MAX = 16 };

struct need {
    unsigned field; // of type FIELD_ADDRESS
    struct address address;
};

// Each row that the statement asks for has one of these; unless that is known, any row may be
// asked.
struct needs {
    bool known;
    unsigned count;
    struct need of[NEEDS_MAX];
};

// Of a statement that asks for rows of `kind` and nothing else: SELECT ... FROM kind WHERE ...,
// with comparisons by = and IN, joined by AND and OR. Whatever else there is makes no needs.
struct needs query_needs(const char *sql, const struct record_kind *kind);
