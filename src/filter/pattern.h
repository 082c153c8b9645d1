// Regular expressions, by PCRE2: the only place that includes it.
//
// Unanchored; case counts unless (?i) says otherwise. Steps and memory of a search are limited, so
// that neither a pattern nor a text can hold up a lane.
#pragma once

#include <stddef.h>

#include "base/bytes.h"

enum { PATTERN_ERROR_MAX = 160 };

struct pattern;

// NULL, where in the pattern, and why, when it is none.
struct pattern *pattern_create(bytes text, size_t *error_at, char error[PATTERN_ERROR_MAX]);
void pattern_destroy(struct pattern *p);
// Whether it is found anywhere in the text. Uses the pattern's own memory: one thread at a time.
bool pattern_match(struct pattern *p, bytes text);
// How often a search was given up at a limit, and said no.
uint64_t pattern_given_up(const struct pattern *p);
