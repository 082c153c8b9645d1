// Dissecting stored conversations again, with this version: what it makes of them now.
//
// Made again are the records of dissectors, files, anomalies, disputed bytes, and losses of the
// stages dissect and extract. Conversations and flows stay as they are. Thread: one.
#pragma once

#include "engine/replay.h"

struct case_reader;
struct store;

struct again_options {
    const struct record_id *conversations; // NULL: all
    size_t conversation_count;
    uint64_t kept_max; // bytes of one artifact; 0: as when it was read
};

struct again_counts {
    uint64_t conversations, records;
};

// Gives what is made to `sink`, and changes nothing.
bool again_tell(struct case_reader *reader, const struct again_options *options,
                struct record_sink sink, struct again_counts *counts, struct err *err);
// Puts it in the place of what the case has: an entry in the log for each reading. Readings before
// one that fails stay replaced.
bool again_replace(struct store *store, const struct again_options *options,
                   struct again_counts *counts, struct err *err);
