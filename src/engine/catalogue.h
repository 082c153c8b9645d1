// All record kinds of the program, joined from where they are declared.
#pragma once

#include "record/kind.h"

enum { CATALOGUE_MAX = 256 };

// The same array at each call; from many threads after the first call.
const struct record_kind *const *catalogue(uint32_t *count);
const struct record_kind *catalogue_kind(bytes name); // NULL when there is none; hidden kinds too
