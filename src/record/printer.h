// Records of all kinds as lines of JSON, each beginning with "kind", in the order in which they
// come.
//
// Kinds that are for the program itself are left out. May be told by several lanes: a batch's lines
// stay together.
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "record/batch.h"

struct printer;

struct printer *printer_create(FILE *out); // keeps `out`
void printer_destroy(struct printer *p);

struct record_sink printer_sink(struct printer *p);

// Writes what is left; false when anything could not be written.
bool printer_end(struct printer *p, struct err *err) __attribute__((warn_unused_result));
