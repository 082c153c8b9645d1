// The other readings of a conversation's bytes, to be shown where the bytes stand.
#pragma once

#include "base/text.h"
#include "store/case.h"

// Of the case's records; kept until readings_deinit.
struct readings {
    struct text bytes; // of all of them
    struct reading_pair *pairs;
    size_t count, size;
};

bool readings_load(struct readings *r, struct case_reader *reader, struct record_id conversation,
                   struct err *err);
void readings_deinit(struct readings *r);
// Those that begin in bytes [from, to) of what src (0) or dst (1) sent.
void readings_print(const struct readings *r, unsigned side, uint64_t from, uint64_t to);
