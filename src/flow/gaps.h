// The map of a conversation's gaps: which bytes of its streams are missing, and between which times
// they would have come.
//
// Kept with the conversation and told at its end, when it is known for certain who is src. The
// first GAPS_MAX of a conversation have a place each, further ones are only summed up. Most
// conversations have none: the list lies in the lane's blocks.
#pragma once

#include "base/memory.h"
#include "flow/conversation.h"
#include "record/writer.h"

enum { GAPS_MAX = 128 };

struct gap {
    uint64_t position, length; // in the stream of `side`
    nanos since, until;        // times of the byte before and behind, where they are known
    const char *reason;        // a constant word
    uint32_t side;             // of the key
};

void gaps_add(struct blocks *blocks, struct conversation *c, const struct gap *gap);
// Writes them as `loss` records, with what has no place of its own, and frees them. `point` is the
// name of the observation point.
void gaps_end(struct blocks *blocks, struct conversation *c, const char *point,
              struct record_writer *writer);
