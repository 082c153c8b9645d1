// What writer and asker of an index share. Not for other folders.
#pragma once

#include "store/ngrams.h"

enum { NGRAMS_MAGIC_SIZE = 8, NGRAM_HASH_BITS = 20, NGRAMS_FILTER_MAX = 40960 };
extern const uint8_t ngrams_magic[NGRAMS_MAGIC_SIZE];
extern const uint8_t ngrams_fold[256];

enum ngrams_entry {
    NGRAMS_ENTRY_END,
    NGRAMS_ENTRY_CONVERSATION,
    NGRAMS_ENTRY_GROUP,
    NGRAMS_ENTRY_ARTIFACT,
};

// The bytes of a sequence, folded, the first one highest.
static inline uint32_t ngram_add(uint32_t gram, uint8_t byte)
{
    return gram << 8 | ngrams_fold[byte];
}

static inline uint32_t ngram_hash(uint32_t gram)
{
    return gram * UINT32_C(0x9e3779b1) >> (32 - NGRAM_HASH_BITS);
}

// The bit of a filter of `bits` that stands for a hash.
static inline uint32_t ngram_bit(uint32_t hash, uint32_t bits)
{
    return (uint32_t)((uint64_t)hash * bits >> NGRAM_HASH_BITS);
}
