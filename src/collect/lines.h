// Flows as lines of text: JSON, one object a line, and tables with a header, to rows of `flow`.
//
// A format is one file with a constant struct line_format and one line in the list of
// collect/meson.build; the first line of an input chooses it. Lines that cannot be understood are
// handed to `dead` with their number and why, counted by reason, and told as `loss` records of the
// stage "collect": a number that may be wrong is never kept.
//
// One reader an input, one thread. Memory: fixed, and one line of at most LINE_BYTES_MAX bytes.
#pragma once

#include "collect/flows.h"

enum { LINE_BYTES_MAX = 65536 };

// Why a line made no record: a word, what it means.
// clang-format off
#define LINE_LOSSES(X) \
    X(not_json, "It is no JSON object, or has a key twice, or a whole number past 64 bits") \
    X(bad_value, "A value does not fit its key") \
    X(bad_key, "A name is too long, or there are too many names") \
    X(no_flow, "No name in it tells of a flow, or none tells when") \
    X(bad_columns, "It has more or fewer columns than its header") \
    X(too_long, "It is longer than 65,536 bytes")
// clang-format on

enum line_loss {
#define LINE_LOSS_NUMBER(name, help) LINE_LOSS_##name,
    LINE_LOSSES(LINE_LOSS_NUMBER)
#undef LINE_LOSS_NUMBER
        LINE_LOSS_COUNT
};

struct lines_options {
    const char *input; // its name, for losses
    const char *point; // name of the observation point, "" when it has none
    bool elements;     // keep what has no field of its own
    bool strict_only;  // without the fast scanner, to compare with it
    void *context;
    void (*dead)(void *context, uint64_t line, const char *why, bytes text); // or NULL
};

struct lines_counts {
    uint64_t lines, flows, dead;
    uint64_t other;  // of a kind that is no flow, as EVE's alerts
    uint64_t strict; // that the scanner left to the strict parser
};

struct lines;

// Whether a file that begins so is one of flow lines.
bool lines_recognise(bytes head);

// Borrows the writer and the options' strings.
struct lines *lines_create(const struct lines_options *options, struct record_writer *writer);
void lines_destroy(struct lines *l); // NULL is fine

// The next bytes of the input, cut anywhere.
void lines_feed(struct lines *l, bytes piece);
// A message: whole lines, of which the last needs no end. `dead` is told their numbers in it.
void lines_message(struct lines *l, bytes message);
// Tells what was lost since it was told last.
void lines_tell(struct lines *l);
// The input is over: takes a last line that has no end, and tells what was lost.
void lines_end(struct lines *l);
struct lines_counts lines_counts(const struct lines *l);
void lines_counts_add(struct lines_counts *sum, struct lines_counts n);
