// Who is charged for what a lane keeps: a source address, within its shard.
//
// A conversation is charged to who sent its first packet, bytes that wait to their sender, what a
// dissector keeps and the files it has open to who began. Budgets are those of the shard, and they
// are shared so that nobody can use them up: a source may have at most as much as is left beside
// it. So one alone has half, each of n has an n-th but one, and who comes later always finds room.
//
// Thread: that of the lane which owns the shards. Looked up when a conversation begins, by a keyed
// hash; from then on by index. Results depend on sums alone, which are those of the shard's own
// packets, not of other shards in the lane.
#pragma once

#include "base/address.h"
#include "base/err.h"
#include "base/memory.h"
#include "record/packet.h"

enum {
    SHARD_BYTES_MAX = 64 * 1024 * 1024, // unread, waiting behind holes, and kept by dissectors
    SHARD_FILES_MAX = 256,              // bodies that are open
    SHARD_RECENT_MAX = 256 * 1024,      // delivered, to be compared with what comes again
};

struct budget {
    uint64_t bytes, files, recent;
};

struct account {
    struct address address;
    struct budget used;
    uint32_t next;          // in its chain
    uint32_t users;         // conversations that name it, once for each side
    uint32_t conversations; // that it began
    uint8_t shard;
};

struct accounts {
    struct pool pool; // struct account
    uint32_t *chains;
    uint32_t chain_count; // a power of two
    uint64_t secret;
    struct budget max; // of a shard
    struct budget shards[SHARDS];
};

// At most accounts_max sources at once; beyond that, only the budget of the shard holds.
struct accounts *accounts_create(struct budget max, uint32_t accounts_max, struct err *err);
void accounts_destroy(struct accounts *a); // NULL is fine

// The account of an address in a shard, until as many account_give as account_take were called.
// 0 when all are in use, which every function below takes for nobody's.
uint32_t account_take(struct accounts *a, uint8_t shard, struct address address);
void account_give(struct accounts *a, uint32_t index);

static inline struct account *account_at(const struct accounts *a, uint32_t index)
{
    return pool_at(&a->pool, index);
}

// Whether there is room for `more` in the shard, and so that its source has no more than is left.
bool account_fits(const struct accounts *a, uint8_t shard, uint32_t index, struct budget more);
void account_charge(struct accounts *a, uint8_t shard, uint32_t index, struct budget more);
void account_release(struct accounts *a, uint8_t shard, uint32_t index, struct budget less);
