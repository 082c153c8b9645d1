// Two readings of the same bytes of a conversation, as a record.
//
// Thread: the conversation's lane.
#pragma once

#include "flow/conversation.h"
#include "record/writer.h"
#include "stream/stream.h"

enum { AMBIGUITIES_MAX = 64 }; // records of one conversation

// Counts it, and writes it unless the conversation has told too many: then false.
bool ambiguity_write(struct conversation *c, const struct stream_ambiguity *a,
                     struct record_writer *writer);
