// The dispatcher: decodes batches in their order, counts what carries tunnels, tells of fragments
// that disagree, and says which shard a packet belongs to.
//
// One thread, the same for all lanes. Its records go to the sink, which may be called from lanes at
// the same time.
#pragma once

#include "decode/decode.h"
#include "engine/lane.h"

struct dispatcher;

// Borrows options' strings and the kinds. NULL and err on failure.
struct dispatcher *dispatcher_create(const struct lane_options *options,
                                     const struct record_kind *const *kinds, uint32_t kind_count,
                                     struct record_sink sink, struct err *err);
void dispatcher_destroy(struct dispatcher *d);

// Makes the batch ready for the lanes.
void dispatcher_batch(struct dispatcher *d, struct packet_batch *batch);
// There are no more packets: ends and passes on everything.
void dispatcher_end(struct dispatcher *d);

const struct decoder *dispatcher_decoder(const struct dispatcher *d);
