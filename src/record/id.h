// Names of records: 128 bits, ordered by time, made of what the thing is, never of how it was
// processed.
//
// The first word is the first packet's time in microseconds. The second is, for a conversation, 64
// bits of SHA-256 over observation point, symmetric identifiers, 5-tuple and the first 64 bytes
// from the innermost network header; for what hangs on a conversation the same over that word, the
// kind, direction, stream position and ordinal in that place.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/time.h"

struct record_id {
    uint64_t time_us, hash;
};

enum { RECORD_ID_TEXT_SIZE = 33 };

struct record_id record_id_of(nanos time, bytes what);
// `parent` is the conversation's hash word.
struct record_id record_id_under(uint64_t parent, const char *kind, unsigned side,
                                 uint64_t position, uint32_t ordinal, nanos time);

void record_id_format(char text[RECORD_ID_TEXT_SIZE], struct record_id id); // 32 hexadecimal digits
bool record_id_parse(bytes text, struct record_id *id);

// In order of time.
static inline int record_id_compare(struct record_id a, struct record_id b)
{
    if (a.time_us != b.time_us) return a.time_us < b.time_us ? -1 : 1;
    return a.hash < b.hash ? -1 : a.hash > b.hash;
}

// The same for qsort and bsearch.
int record_id_order(const void *a, const void *b);

static inline bool record_id_equal(struct record_id a, struct record_id b)
{
    return a.time_us == b.time_us && a.hash == b.hash;
}
