// What is looked for in a case: in the streams as they were delivered, both directions of each
// conversation, in the payload of datagrams, and in artifacts.
//
// Streams are made again from their packets (engine/replay.h), since a case does not hold them. A
// match may lie over the bounds of segments and messages, not over a gap, and not over those of
// datagrams. What is found, and its order, follows from the case alone. Memory: the tracks of
// conversations that are open (engine/finder.h), the matches up to the limit, what the index
// says (engine/candidates.h), and 48 bytes a `file` record. Thread: one.
#pragma once

#include "engine/finder.h"
#include "engine/match.h"

struct case_reader;

struct search_options {
    struct needle *needle;
    const struct record_id *ids; // of the conversations to look in, in order; NULL: in all
    size_t id_count;
    size_t limit; // matches that are kept
    bool scan;    // without an index, where there is one
};

struct search_result {
    struct match_list list;
    uint64_t given_up, cut; // see struct finder
    uint64_t absent;        // artifacts that are named and not there
    uint64_t left_out;      // captures that the case does not have any more, or not yet
    uint64_t unkept;        // conversations whose packets were not kept: not searched
    uint32_t unfit;         // indexes that are damaged, or made from something else: not used
    struct err streams;     // why not all streams could be searched; code 0 when all were
    char **paths;           // of captures
    size_t path_count;
};

// What was found stands in the result, to be freed in either case, also when some of the packets
// are not there any more. False and err when nothing could be done.
bool search(struct case_reader *reader, const struct search_options *options,
            struct search_result *result, struct err *err);
void search_result_deinit(struct search_result *r);
