// The live conversations of one lane: found by key, ended by the watermark of packets, never by a
// clock.
//
// One lane, one table: no locks. Address space is reserved at start for CONVERSATIONS_MAX; pages
// are used as conversations come. A conversation is ended when it was silent for its timeout by the
// watermark of the packet at hand, whether or not its timer was run before: so results do not
// depend on which shards share a lane. A shard that is full gives up those that are silent longest
// (then lowest id), and counts them.
#pragma once

#include "base/err.h"
#include "base/memory.h"
#include "flow/conversation.h"

enum { SHARDS = 256, SHARD_CONVERSATIONS_MAX = 16384 };

struct flow_options {
    nanos conversation_timeout; // 600 s
    nanos closed_linger;        // 60 s: after both sides closed, for stray packets
    nanos active_timeout;       // 60 s: flow records
    nanos idle_timeout;         // 15 s: flow records
    uint32_t conversations_max; // of the lane
};

struct flow_table;

// Called for a conversation that ends, before its slot is free again; and for a flow interval that
// is due.
struct flow_table_hooks {
    void *context;
    void (*end)(void *context, struct conversation *c);
    void (*interval)(void *context, struct conversation *c);
};

struct flow_table *flow_table_create(const struct flow_options *options,
                                     struct flow_table_hooks hooks, struct err *err);
void flow_table_destroy(struct flow_table *t); // without ending anything

// Brings what `flow_table_find` will need into the cache.
void flow_table_prefetch(const struct flow_table *t, uint64_t hash);

// The conversation of this packet's key, or NULL. Ends one that was silent too long by this
// packet's watermark.
struct conversation *flow_table_find(struct flow_table *t, const struct packet *p);
// Ends the flow interval of `c` if that is due by `watermark`.
void flow_table_meter(struct flow_table *t, struct conversation *c, nanos watermark);
// A new one; makes room in its shard if needed. NULL only when the whole lane is full.
struct conversation *flow_table_add(struct flow_table *t, const struct packet *p);
void flow_table_end(struct flow_table *t, struct conversation *c);

// Runs the timers that are due at `watermark`.
void flow_table_run(struct flow_table *t, nanos watermark);
// Ends all, in the order of their first packets.
void flow_table_end_all(struct flow_table *t);

uint32_t flow_table_count(const struct flow_table *t);
uint64_t flow_table_evicted(const struct flow_table *t);
