// The live conversations of one lane: found by key, ended by the watermark of packets, never by a
// clock.
//
// One lane, one table: no locks. Address space is reserved at start for conversations_max; pages
// are used as conversations come. A conversation is ended when it was silent for its timeout by the
// watermark of the packet at hand, whether or not its timer was run before, and all that are due in
// seconds before it are ended before it is looked at: so results do not depend on which shards
// share a lane, and timers decide only when they are told. A shard that is full gives up those that
// are silent longest (then those that began first, then lowest id), and counts them; a source
// address that has its share of a shard gives up its own.
#pragma once

#include "base/err.h"
#include "base/memory.h"
#include "flow/accounts.h"
#include "flow/conversation.h"

enum { SHARD_CONVERSATIONS_MAX = 16384, SHARD_SOURCE_MAX = 8192 };

struct flow_options {
    nanos conversation_timeout; // 600 s
    nanos closed_linger;        // 60 s: after both sides closed, for stray packets
    nanos active_timeout;       // 60 s: flow records
    nanos idle_timeout;         // 15 s: flow records
    uint32_t conversations_max; // of the lane
    uint32_t shard_max;  // of a shard, SHARD_CONVERSATIONS_MAX but in tests: it shapes results
    uint32_t source_max; // that one address began in a shard, SHARD_SOURCE_MAX but in tests
    struct accounts *accounts; // kept; NULL: nobody is charged, and source_max does not hold
};

struct flow_table;

enum conversation_end {
    CONVERSATION_SILENT,   // for its timeout
    CONVERSATION_REPLACED, // by another one on the same ports
    CONVERSATION_EVICTED,  // its shard was full
    CONVERSATION_SOURCE,   // who began it had its share of the shard
    CONVERSATION_LAST,     // the input ended
};

// Called for a conversation that ends, before its slot is free again; and for a flow interval that
// is due. `watermark` is that of the packet, or of the last one, at which it was found out.
struct flow_table_hooks {
    void *context;
    void (*end)(void *context, struct conversation *c, enum conversation_end why, nanos watermark);
    void (*interval)(void *context, struct conversation *c, nanos watermark);
};

struct flow_table *flow_table_create(const struct flow_options *options,
                                     struct flow_table_hooks hooks, struct err *err);
void flow_table_destroy(struct flow_table *t); // without ending anything

// Brings what `flow_table_find` will need into the cache.
void flow_table_prefetch(const struct flow_table *t, uint64_t hash);

// The conversation of this packet's key, or NULL. Ends one that was silent too long by this
// packet's watermark.
struct conversation *flow_table_find(struct flow_table *t, const struct packet *p);
// To be called for each further packet of `c` before it is counted: ends the flow interval if that
// is due by its watermark, and begins one where none runs, as flow_table_add does.
void flow_table_meter(struct flow_table *t, struct conversation *c, const struct packet *p);
// A new one; makes room in its shard if needed. NULL only when the whole lane is full.
struct conversation *flow_table_add(struct flow_table *t, const struct packet *p);
// Ends one that another connection replaces.
void flow_table_replace(struct flow_table *t, struct conversation *c, nanos watermark);

// Runs the timers that are due at `watermark`, which must not go back.
void flow_table_run(struct flow_table *t, nanos watermark);
// Ends all, in the order of their first packets.
void flow_table_end_all(struct flow_table *t);

uint32_t flow_table_count(const struct flow_table *t);
// The number of its slot, which no other has while it is there; and the conversation in a slot that
// was in use, NULL when none is any more.
uint32_t flow_table_slot(const struct flow_table *t, const struct conversation *c);
struct conversation *flow_table_at(const struct flow_table *t, uint32_t slot);
