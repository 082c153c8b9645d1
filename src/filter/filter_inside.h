// What the files of this folder share: an expression taken apart, and bound to kinds.
//
// An expression is a list of tests and a flat program over them with one truth value:
//     a and (b or c)   =>   a, SKIP_FALSE 6, b, SKIP_TRUE 5, c, OR, AND
// A skip that is taken leads behind its AND or OR. Whoever only evaluates passes over AND and OR;
// whoever makes SQL passes over the skips and has a postfix program.
#pragma once

#include "filter/filter.h"
#include "filter/pattern.h"
#include "filter/ranges.h"
#include "record/community_id.h"

enum comparison {
    COMPARE_EQUAL,
    COMPARE_UNEQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL,
    COMPARE_IN,
    COMPARE_EQUAL_NOCASE,
    COMPARE_CONTAINS,
    COMPARE_STARTS_WITH,
    COMPARE_ENDS_WITH,
    COMPARE_MATCHES,
    COMPARE_EXISTS, // exists(name)
    COMPARE_NAMED,  // a name alone
};

// A value as it was written; `at` is its place in the expression.
struct value {
    bytes text; // for COMPARE_MATCHES as written, else without its escapes
    uint32_t at;
    bool quoted;
};

// How a value is to be read; fields of one type share it.
enum value_type {
    VALUE_TIME,
    VALUE_DURATION,
    VALUE_UINT,
    VALUE_PROTOCOL, // a number with names
    VALUE_REAL,
    VALUE_BOOL,
    VALUE_MAC,
    VALUE_ADDRESS,
    VALUE_ID,
    VALUE_TEXT,
    VALUE_HASH,
    VALUE_TYPES,
};

enum constant_form {
    FORM_RANGES,
    FORM_TEXTS,  // one of them, sorted
    FORM_NOCASE, // one of them
    FORM_CONTAINS,
    FORM_STARTS,
    FORM_ENDS,
    FORM_PATTERN,
};

// What a field is compared with, once its type is known.
struct constant {
    enum constant_form form;
    bool inverted; // FORM_TEXTS: none of them
    struct ranges ranges;
    bytes *texts;
    uint32_t text_count;
    uint8_t *memory; // of hashes in `texts`
    struct pattern *pattern;
};

struct test {
    enum comparison comparison;
    bool direct; // nfdump's way: a name and a value without an operator
    bool in_set; // values stood in braces
    bytes name;
    uint32_t name_at, comparison_at;
    uint32_t value_first, value_count;
    struct constant *constants[VALUE_TYPES]; // made when a field of that type turns up
};

enum { NO_FIELD = KIND_FIELDS_MAX, SOURCES_MAX = 2 };

enum source_how { SOURCE_FIELD, SOURCE_SUM, SOURCE_DIFFERENCE, SOURCE_COMMUNITY_ID };

// Where a value comes from in rows of one kind. With a guard it is there only in rows of one
// transport: `tcp.port` has no value in those of UDP.
struct source {
    enum source_how how;
    enum field_type type;
    uint8_t field, other; // `other` is added, or taken away
    uint8_t guard;        // field `proto`, or NO_FIELD
    uint8_t protocol;
    uint8_t tuple[COMMUNITY_FIELDS]; // what the Community ID is computed of
};

enum bound_how { BOUND_NEVER, BOUND_ALWAYS, BOUND_EXISTS, BOUND_COMPARE };

// A test in rows of one kind: it holds when it holds for any of the sources.
struct bound {
    enum bound_how how;
    uint8_t source_count;
    struct source sources[SOURCES_MAX];
    const struct constant *constant;
};

enum step_type { STEP_TEST, STEP_SKIP_FALSE, STEP_SKIP_TRUE, STEP_AND, STEP_OR, STEP_NOT };

struct step {
    enum step_type type;
    uint32_t to; // of a test its number, of a skip the step where it leads
};

struct filter {
    char *text, *unescaped;
    struct test *tests;
    struct value *values;
    struct step *steps;
    uint32_t test_count, value_count, step_count;
    const struct record_kind **kinds;
    struct bound *bounds; // of kind k and test t at k * test_count + t
    uint32_t kind_count;
    uint32_t *kind_last; // where the last batch's kind was found: the next is mostly the same
};

struct compiling {
    struct filter *filter;
    const struct filter_options *options;
    struct filter_error *error;
};

// Notes the first error and returns false. `at` is a place in the expression, in bytes.
bool compiling_fail(struct compiling *c, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The three stages of compiling: take apart, bind to kinds, and read values as a type.
bool filter_parse(struct compiling *c);
bool filter_bind(struct compiling *c);
// NULL and error when the values are none of that type, or the comparison is not made for it.
struct constant *constant_create(struct compiling *c, const struct test *test,
                                 enum value_type type);
void constant_destroy(struct constant *constant);

// Whether the value of one text is what a constant of texts asks for.
bool constant_has_text(const struct constant *constant, bytes text);
// The kind's tests; NULL when it was not compiled against.
const struct bound *filter_bounds(const struct filter *f, const struct record_kind *kind);
