// One row of loss: what was not seen or not kept, told in the same way by every stage.
#pragma once

#include "record/writer.h"

// What is zero or NULL is left out.
struct loss {
    const char *stage, *reason; // constant words
    nanos from, to;             // from > to: not known
    uint64_t packets, bytes, count;
    const char *point;                    // observation point, "" when it has no name
    const char *capture;                  // path
    const char *interface;                // its name
    const struct record_id *conversation; // where it is missing in one
    const char *side;                     // src or dst: then `offset` is a place in its stream
    uint64_t offset;
};

void loss_tell(struct record_writer *writer, const struct loss *loss);
