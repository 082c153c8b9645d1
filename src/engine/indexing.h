// Makes the index of n-grams of a case (store/ngrams.h), for engine/search.h: one for the streams
// of each reading, made from their packets, and one for all artifacts.
//
// Memory: INDEXING_HELD_MAX for bytes of conversations that are open, and 48 bytes for each of
// them; where that is used up, stretches become shorter. Thread: one.
#pragma once

#include "base/err.h"
#include "store/ngrams.h"

struct case_reader;

#define INDEXING_HELD_MAX (UINT64_C(256) << 20)

// What is there already and fits is left as it is; `made` tells how much was made now.
// ERR_INPUT when the packets are not there any more.
bool indexing(struct case_reader *reader, struct ngrams_size *made, struct err *err);
