// Conversations again, from their packets: byte for byte as they were delivered when they were
// read, and what was made of them.
//
// The packets are those that the case refers to; they are read from the captures where these still
// are, each capture once, in the order in which the reading had them. Each conversation begins and
// ends with the packets that it had then. Runs one lane in the caller's thread.
#pragma once

#include "engine/lane.h"
#include "engine/referred.h"

// One packet, as it lies in its capture; `path` names that.
typedef void replay_packet(void *context, const struct packet *p, const char *path);

// Where the payload of the packet at hand stands in the stream of its side; also of one that
// brought what was there already.
struct replay_place {
    uint64_t reading;
    uint64_t position, length;
    const struct packet *packet; // names itself, and all frames that it was joined from
    uint8_t side;                // of the key
};

struct replay_options {
    struct referred_options which;
    void *context;
    // Told of the conversations that are asked for, and of no other. Any may be NULL. `begin` gives
    // a number that stands in c->watched.
    uint32_t (*begin)(void *context, const struct conversation *c);
    void (*end)(void *context, const struct conversation *c);
    void (*watch)(void *context, const struct conversation *c, const struct stream_delivery *piece);
    void (*watch_gap)(void *context, const struct conversation *c, uint8_t side, uint64_t position,
                      uint64_t length, enum gap_kind kind);
    replay_packet *packet; // before it is looked into; those of all conversations
    void (*placed)(void *context, const struct conversation *c, const struct replay_place *place);
    // Make records again: those that hang on a conversation that is asked for, and its own as far
    // as its packets alone tell (no parent_id). `take` NULL: nobody wants them.
    bool dissect;
    struct record_sink sink;
    const struct artifact_sink *artifacts; // may be NULL
    uint64_t kept_max;                     // bytes of one artifact; 0: as when it was read
    uint64_t *left_out; // adds captures that the case does not have any more, or not yet; or NULL
};

// ERR_INPUT when the case knows none of these conversations, or their captures cannot be read any
// more.
bool replay(struct case_reader *reader, const struct replay_options *options, struct err *err);
