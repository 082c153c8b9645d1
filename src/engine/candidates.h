// What the indexes of a case (store/ngrams.h) say: which conversations and artifacts may hold a
// needle. What no index speaks of may.
//
// Memory: 32 bytes for each conversation with a stretch of its own, and for each that may. Thread:
// one.
#pragma once

#include "base/err.h"
#include "engine/id_map.h"

struct case_reader;

struct candidates {
    bool all;              // every conversation may: ids say nothing
    struct record_id *ids; // in order
    size_t count, room;
    struct id_map artifacts; // by ngrams_half
    uint32_t unfit;          // indexes that are damaged, or made from something else
};

// `needle` as in struct ngrams_asking. Frees nothing of before: zeroed at first, and to be freed in
// either case.
bool candidates_find(struct candidates *c, struct case_reader *reader, bytes needle,
                     struct err *err);
void candidates_deinit(struct candidates *c);
bool candidates_has_artifact(const struct candidates *c, const uint8_t sha256[32]);
// Leaves those that are among `ids` as well, which are in order.
void candidates_narrow(struct candidates *c, const struct record_id *ids, size_t id_count);
