// Which packets a conversation is made of: their numbers, as differences, about two bytes each.
//
// Entry: varint of (difference to the ordinal before) * 2, plus 1 when the capture is another one,
// whose number then follows. Differences are zigzag-coded: merged captures need not come in order,
// and the frames that a datagram was joined from stand where it was whole.
// A list that has filled REFERENCES_MAX bytes is written as one `packets` record and a new part
// begun; each part begins from capture 0, ordinal 0.
#pragma once

#include "base/memory.h"
#include "flow/conversation.h"
#include "record/writer.h"

enum { REFERENCES_MAX = 4096 };

enum packets_field {
    PACKETS_CONVERSATION_ID,
    PACKETS_PART,
    PACKETS_REFERENCES,
    PACKETS_READING,
    PACKETS_COUNT
};

extern const struct record_kind packets_kind;

// Where the references of a lane go.
struct references {
    struct blocks *blocks;
    struct record_writer *writer;
    uint64_t reading; // number of the reading in the log of the case
    uint64_t
        lost; // packets whose reference could not be kept, since the lane's blocks were used up
};

void references_add(struct references *to, struct conversation *c, const struct packet *p);
// Writes what is held and frees it.
void references_end(struct references *to, struct conversation *c);

// Reads the entries of one part back.
struct reference {
    uint32_t capture;
    uint64_t ordinal;
};
bool reference_next(struct reader *r,
                    struct reference *at); // *at: the one before; false at the end or when damaged
