// The one expression language over records: searches, rules and routes (docs/filter.md).
//
//     src_addr in 10.0.0.0/8 and dst_port in {80, 443, 8000-8100} and not host ~ "exa.*\.org"
//
// An expression is compiled against a set of kinds, and then decides row by row. It is this
// predicate that decides: the SQL that can be made of it only keeps most other rows from being
// read. A comparison with a field that has no value is false; `not` turns that round.
//
// Thread: one at a time, since a search by pattern has working memory: each lane compiles its own.
// Limits: below; a pattern that takes too many steps on a text does not match it, and is counted.
#pragma once

#include <stdio.h>

#include "base/address.h"
#include "base/text.h"
#include "base/time.h"
#include "record/batch.h"

enum {
    FILTER_TEXT_MAX = 65536,
    FILTER_TESTS_MAX = 1024,
    FILTER_DEPTH_MAX = 128, // open parentheses and operators that wait for their right side
    FILTER_ERROR_MAX = 320,
};

// What stands behind `$name` in an expression: prefixes for addresses.
struct filter_list {
    const char *name; // without the dollar
    const struct prefix *prefixes;
    size_t prefix_count;
};

struct filter_options {
    nanos now; // what `now` in an expression means
    const struct filter_list *lists;
    size_t list_count;
    // Every kind there is, to tell who has a field that was not found; may be NULL.
    const struct record_kind *const *known_kinds;
    uint32_t known_kind_count;
};

struct filter_error {
    uint32_t column; // in characters, from 1
    char message[FILTER_ERROR_MAX];
};

struct filter;

// Copies the text and what it needs of the options; keeps the kinds themselves. A field must be
// there in one of the kinds at least; in the others it has no value. NULL and error when the
// expression is wrong.
struct filter *filter_compile(const char *text, const struct record_kind *const *kinds,
                              uint32_t kind_count, const struct filter_options *options,
                              struct filter_error *error);
void filter_destroy(struct filter *f);

// Whether a row is wanted. Rows of kinds that it was not compiled against are not.
bool filter_match(const struct filter *f, const struct record_batch *b, uint32_t row);

// Bit f is set when field f of `kind` is asked for.
uint64_t filter_fields(const struct filter *f, const struct record_kind *kind);

// How often a pattern was given up because of its limits.
uint64_t filter_given_up(const struct filter *f);

// Adds an SQL condition over the columns of raw.KIND (docs/formats/case.md) that holds for every
// row that is wanted, and maybe for others. False and nothing added when all rows must be looked
// at.
bool filter_sql(const struct filter *f, const struct record_kind *kind, struct text *out);

// The expression, a caret below the column, and the sentence.
void filter_error_print(FILE *out, const char *text, const struct filter_error *error);

// The number of an IP protocol, "tcp" say.
bool protocol_named(bytes name, uint8_t *number);
const char *protocol_name(uint8_t number); // NULL when it has none
