// Expressions with the networks of a configuration as $NAME.
#pragma once

#include "config/config.h"
#include "filter/filter.h"

// An expression over rows of `kind`; `c` NULL: no networks. NULL and error when it is wrong.
struct filter *expression_compile(const struct config *c, const char *text,
                                  const struct record_kind *kind, nanos now,
                                  struct filter_error *error);
