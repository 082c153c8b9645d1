// Joins what DVB GSE sent in pieces (ETSI TS 102 606-1 sections 4.2 and 4.3): a start, any number
// of pieces behind it, an end with a check sum, all in order. Pieces belong together by sender,
// receiver, input stream and fragment identifier; a new start drops what was there before.
//
// They share memory, budgets, time limit and counters with the fragments of IP
// (decode/fragments.h). Belongs to one decoder; no locks.
#pragma once

#include "decode/layer.h"

enum { GSE_LENGTH_SIZE = 2, GSE_CRC_SIZE = 4 };

struct gse_piece {
    uint64_t link;      // names what carries it, and the input stream
    uint8_t identifier; // of the fragments
    uint8_t label;      // kind of label; from a start
    bool is_start, is_end;
    bytes data;    // from a start with its total length in front, from an end with its check sum
    uint64_t sent; // bytes of data that were sent
};

// LAYER_NEXT when all is there and right: walk.r stands in front of the protocol type, in memory
// that the batch keeps, and `label` is that of the start.
enum layer_result gse_join(struct walk *w, const struct gse_piece *piece, uint8_t *label);
