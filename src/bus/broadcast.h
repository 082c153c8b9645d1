// One producer's slots, read by several consumers: each slot goes to all of them, and is free again
// when the last is done.
//
// The producer waits for the slowest consumer, so a slow lane slows the reader and nothing is lost.
// A lock is taken per slot (a batch of packets), never per packet.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct broadcast;

// `slots` pointers that the caller owns: what goes round. At least 2.
struct broadcast *broadcast_create(void *const *slots, uint32_t slot_count, uint32_t consumers);
void broadcast_destroy(struct broadcast *b);

// Producer: a slot to fill; waits until there is one. Then publish it. After the last one, close. A
// waiting consumer may be left asleep until half of the slots are published: flush when no more
// will come soon.
void *broadcast_acquire(struct broadcast *b);
void broadcast_publish(struct broadcast *b);
void broadcast_flush(struct broadcast *b);
// Waits until all consumers are done with all that was published.
void broadcast_drain(struct broadcast *b);
void broadcast_close(struct broadcast *b);

// Consumer `which` (from 0): its next slot, or NULL when closed and empty; done when it has
// finished with it.
void *broadcast_next(struct broadcast *b, uint32_t which);
void broadcast_done(struct broadcast *b, uint32_t which);
