// The hash and the shard of a conversation: fixed by the format, the same on every machine and in
// every process.
//
// The hash is XXH3-64 with seed 0 over 48 bytes: address a, address b (16 bytes each), port a, port
// b (2), protocol (4), scope (8), all big-endian. The shard is its lowest byte.
//
// Since anybody can compute it, anybody can make conversations whose hashes are equal. So a table
// that is indexed by it bounds how far it looks, or mixes a secret of its process into what it
// computes from the key itself: mixing a secret into the finished hash moves its slots but does not
// part keys whose 64 bits are equal. Sharding cannot have a secret; an attacker can load one shard,
// and the budgets of the shard are what holds then.
#pragma once

#include "base/hash.h"
#include "record/packet.h"

enum { CONVERSATION_KEY_SIZE = 48 };
_Static_assert(sizeof(struct conversation_key) == CONVERSATION_KEY_SIZE, "the key has no padding");

static inline uint64_t conversation_hash(const struct conversation_key *key)
{
    struct {
        uint64_t addresses[4];
        uint16_t ports[2];
        uint32_t proto;
        uint64_t scope;
    } image = {
        {__builtin_bswap64(key->a.hi), __builtin_bswap64(key->a.lo), __builtin_bswap64(key->b.hi),
         __builtin_bswap64(key->b.lo)},
        {__builtin_bswap16(key->port_a), __builtin_bswap16(key->port_b)},
        __builtin_bswap32(key->proto),
        __builtin_bswap64(key->scope),
    };
    _Static_assert(sizeof image == CONVERSATION_KEY_SIZE, "the image has no padding");
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bytes are swapped for this");
    return table_hash(&image, sizeof image, 0);
}

static inline uint8_t conversation_shard(uint64_t hash)
{
    return (uint8_t)hash;
}
