// One conversation again, from its packets: what `weir show` shows, byte for byte as it was
// delivered when it was read.
//
// The packets are those that the case refers to; they are read from the captures where these still
// are. Runs one lane in the caller's thread.
#pragma once

#include "engine/lane.h"

struct case_reader;

// One packet of the conversation, as it lies in its capture; `path` names that.
typedef void replay_packet(void *context, const struct packet *p, const char *path);

struct replay_options {
    struct record_id conversation;
    void *context;
    void (*watch)(void *context, const struct conversation *c, const struct stream_delivery *piece);
    void (*watch_gap)(void *context, const struct conversation *c, uint8_t side, uint64_t position,
                      uint64_t length, enum gap_kind kind);
    replay_packet *packet;   // may be NULL
    bool dissect;            // make records again, for `sink`
    struct record_sink sink; // `take` NULL: nobody wants them
};

// ERR_INPUT when the case has no such conversation, or its captures cannot be read any more.
bool replay(struct case_reader *reader, const struct replay_options *options, struct err *err);
