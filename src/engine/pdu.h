// PDUs: contiguous payload of one direction, cut at a turn of direction, at PSH, or at a gap.
//
// What `weir show` prints of a conversation. Fed by the watcher of a lane (engine/lane.h); grows as
// needed, since it serves one conversation that a person asked for.
#pragma once

#include "base/text.h"
#include "stream/stream.h"

struct pdu {
    uint8_t side;
    uint64_t position; // of its first byte in the direction's stream
    nanos first_seen, last_seen;
    bytes data;             // valid during the call
    uint64_t gap_before;    // bytes missing just before it
    enum gap_kind gap_kind; // why, when gap_before is not 0
};

struct pdu_cutter {
    void *context;
    void (*take)(void *context, const struct pdu *pdu);
    // Inside.
    struct text data;
    struct pdu open;
    bool is_open;
    uint64_t gap[2];
    enum gap_kind gap_kind[2];
};

void pdu_cutter_init(struct pdu_cutter *c, void *context,
                     void (*take)(void *context, const struct pdu *pdu));
void pdu_cutter_deinit(struct pdu_cutter *c);

void pdu_cutter_add(struct pdu_cutter *c, const struct stream_delivery *piece);
void pdu_cutter_gap(struct pdu_cutter *c, uint8_t side, uint64_t length, enum gap_kind kind);
// Gives out what is open: the conversation is over.
void pdu_cutter_flush(struct pdu_cutter *c);
