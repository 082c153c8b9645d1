// The word that somebody meant: edit distance with swapped neighbours, for suggestions.
#pragma once

#include "base/bytes.h"

enum { NEAREST_WORD_MAX = 48 };

// Letters to put in, take out, change or swap with their neighbour until `a` is `b`; words longer
// than NEAREST_WORD_MAX are compared up to there.
unsigned word_distance(bytes a, bytes b);
