// Conversations that wait for a packet while many others come: what their streams and dissections
// keep is packed, to a sixth or so of its size, until the next packet of theirs.
//
// Nothing that is recorded depends on it: what comes back is what was there, and whoever is charged
// for it stays charged. So it may depend on what one lane has. One lane, no locks.
#pragma once

#include "dissect/driver.h"
#include "flow/table.h"
#include "stream/stream.h"

struct resting;

// All borrowed. At most `awake_max` are left as they are, those that can't be packed apart; more
// where so many have packets all the time that packing them would be in vain.
struct resting *resting_create(struct flow_table *table, struct streams *streams,
                               struct dissect_stage *dissect, struct blocks *blocks,
                               uint32_t awake_max);
void resting_destroy(struct resting *r); // NULL is fine; without bringing anything back

// Behind a packet of a conversation that is dissected, and is not `is_awake`.
void resting_add(struct resting *r, struct conversation *c);
// Before anything is done with the stream or dissection of a conversation that has `rest`.
void resting_end(struct resting *r, struct conversation *c);
uint64_t resting_count(const struct resting *r); // how often one was packed
