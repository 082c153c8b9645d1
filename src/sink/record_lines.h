// Records as lines of JSON: in the words of weir, or flows in those that others know.
//
//   json           as everywhere (record/output.h), each line with its kind
//   json-ipfix     "@type":"ipfix.entry" and elements by name, as Stream4Flow and IPFIXcol have it:
//                  times in milliseconds, protocol and flags as numbers. What no element tells is
//                  under weir's own names
//   json-nfdump    the twelve keys that converters of nfdump's output write; a flow of both
//                  directions becomes two lines, and the rest is left out
//
// One thread. Keeps the file and the kind.
#pragma once

#include "record/output.h"

struct record_lines;

// Whether it is one of them; and all of them, for people.
bool record_lines_is(const char *format);
bool record_lines_fits(const char *format, const struct record_kind *kind);
const char *record_lines_formats(void);

// ERR_USAGE when the format has no words for the kind.
struct record_lines *record_lines_create(const char *format, FILE *out,
                                         const struct record_kind *kind, struct err *err);
void record_lines_destroy(struct record_lines *l); // NULL is fine
void record_lines_put(struct record_lines *l, const struct record_batch *batch, uint32_t row);
// As output_end and output_rows.
bool record_lines_end(struct record_lines *l, struct err *err) __attribute__((warn_unused_result));
uint64_t record_lines_rows(const struct record_lines *l);
