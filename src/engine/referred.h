// Which frames conversations of a case are made of, by reading: what `packets` records tell.
//
// Takes 64 bytes a conversation that is asked for, and the sets of frames. Thread: one.
#pragma once

#include "base/err.h"
#include "engine/frames.h"

struct case_reader;

struct referred_conversation {
    struct record_id id;
    uint64_t reading; // whose captures are meant
    uint64_t part;    // the last that was seen
    struct packet_frame last;
    bool has_packets, is_taken; // is_taken: the slot is
};

struct referred_reading {
    uint64_t number;      // in the log
    struct frames frames; // of those of its conversations that are asked for
};

struct referred {
    struct referred_conversation *slots;
    size_t mask, count;
    struct referred_reading *readings; // by number
    size_t reading_count;
    bool is_all; // every conversation is asked for
};

struct referred_options {
    // ids NULL: all conversations.
    const struct record_id *ids;
    size_t id_count;
    // What this reading says of them; 0: what the first one says that has them. A conversation
    // that was read twice consists of either, not of both.
    uint64_t reading;
};

// ERR_INPUT when no reading knows any of them (one that is named need not), or what is known is
// damaged. To be freed in
// either case.
bool referred_load(struct referred *r, struct case_reader *reader,
                   const struct referred_options *options, struct err *err);
void referred_deinit(struct referred *r);

// The reading among `readings`, which is made where it is missing.
struct referred_reading *referred_reading(struct referred *r, uint64_t number);

// NULL when it is not among those asked for.
const struct referred_conversation *referred_find(const struct referred *r, struct record_id id);
