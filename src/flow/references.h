// Which packets a conversation is made of: their numbers, as differences, about two bytes each.
//
// Entry: varint of (difference to the ordinal before) * 2, plus 1 when the capture is another one, whose number then
// follows. Differences are zigzag-coded: merged captures need not come in order. A list that has filled REFERENCES_MAX
// bytes is written as one `packets` record and a new part begun; each part begins from capture 0, ordinal 0.
#pragma once

#include "base/memory.h"
#include "flow/conversation.h"
#include "record/writer.h"

enum { REFERENCES_MAX = 4096 };

extern const struct record_kind packets_kind;

// Nothing is kept when the lane's blocks are used up; `lost` counts the packets whose reference is missing.
void references_add(struct conversation *c, const struct packet *p, struct blocks *blocks,
                    struct record_writer *writer, uint64_t *lost);
// Writes what is held and frees it.
void references_end(struct conversation *c, struct blocks *blocks, struct record_writer *writer);

// Reads the entries of one part back.
struct reference {
    uint32_t capture;
    uint64_t ordinal;
};
bool reference_next(struct reader *r, struct reference *at); // *at: the one before; false at the end or when damaged
