// Memory by lifetime: reserved ranges, index pools, and size classes with a budget. Nothing here is
// shared between threads.
//
// Only base/ and start-up code allocate. Pools reserve address space at start and touch pages as
// they are used, so a process that sees little traffic stays small, and nothing is copied when a
// table grows.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// Zeroed memory from the heap for start-up code and for growing builders; ends the process with one
// sentence when there is none, since no caller could go on. Freed with memory_free, for which NULL
// is fine.
void *memory_get(size_t size);
void *memory_resize(void *p, size_t size);
void memory_free(void *p);

// Address space without pages; NULL and err on failure. Pages are zero when first touched.
void *memory_reserve(size_t size, struct err *err);
void memory_release(void *p, size_t size);

// Equal items, named by index from 1; 0 names none. Never moves an item.
struct pool {
    uint8_t *items;
    size_t item_size;
    uint32_t items_max, touched, free_first, used;
};

bool pool_init(struct pool *p, size_t item_size, uint32_t items_max, struct err *err);
void pool_deinit(struct pool *p);
uint32_t pool_take(struct pool *p); // zeroed item; 0 when all are in use
void pool_give(struct pool *p, uint32_t index);

static inline void *pool_at(const struct pool *p, uint32_t index)
{
    return p->items + (size_t)index * p->item_size;
}

// Blocks of 16 bytes to 128 kB, for stream data and held rows: multiples of 16 up to 64, then four
// sizes to each doubling, so that at most a fifth is given away. Named by pointer, sized by the
// caller: block_size(n) tells what a request for n bytes takes from a budget.
enum { BLOCK_CLASSES = 48, BLOCK_SIZE_MAX = 131072 };

struct blocks {
    uint8_t *range;
    size_t range_size, range_used;
    void *free_first[BLOCK_CLASSES];
    size_t bytes_used;
};

bool blocks_init(struct blocks *b, size_t bytes_max, struct err *err);
void blocks_deinit(struct blocks *b);
void *blocks_take(struct blocks *b,
                  size_t n); // not zeroed; NULL when n is too large or all is in use
void blocks_give(struct blocks *b, void *block, size_t n);
size_t block_size(size_t n);
