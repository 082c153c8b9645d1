// From records to the frames that they were made of.
//
// A conversation was made of all its frames; so was what tells no place in it. What hangs on one
// and tells its places was made of the frames whose payload lies in them, also those that came
// again, and of a datagram that was joined all frames. These places are found by replaying the
// conversation. Thread: one.
#pragma once

#include "engine/referred.h"
#include "record/batch.h"

// Bytes of one direction of a conversation.
struct provenance_span {
    struct record_id conversation;
    uint64_t from, to;
    struct address src_addr;
    uint16_t src_port;
    bool is_dst; // sent by dst
};

struct provenance {
    struct record_id *whole; // conversations with all their frames
    size_t whole_count, whole_room;
    struct provenance_span *spans;
    size_t span_count, span_room;
    struct referred found; // what provenance_find finds: frames by reading
};

void provenance_deinit(struct provenance *p); // a zeroed one is empty

// False when the record hangs on no conversation.
bool provenance_add(struct provenance *p, const struct record_batch *b, uint32_t row);
// Asks for the conversations as a whole in place of parts of them.
void provenance_widen(struct provenance *p);
// Fills in `found`. ERR_INPUT when the case does not know, or captures cannot be read any more.
bool provenance_find(struct provenance *p, struct case_reader *reader, struct err *err);
