// Memory of one case: taken piece by piece, given back all at once.
#pragma once

#include <assert.h>
#include <string.h>

#include "base/memory.h"

#define ARENA_SIZE (UINT64_C(1) << 30)

struct arena {
    uint8_t *range;
    size_t used;
};

// Zeroed, for values of any type.
static inline void *arena_take(struct arena *a, size_t n)
{
    void *p = a->range + a->used;
    a->used += (n + 15) / 16 * 16;
    assert(a->used <= ARENA_SIZE);
    return memset(p, 0, n);
}

// Pointers in their order.
struct list {
    void **items;
    uint32_t count, room;
};

static inline void list_add(struct arena *a, struct list *l, void *item)
{
    if (l->count == l->room) {
        l->room = l->room ? l->room * 2 : 16;
        void **items = arena_take(a, l->room * sizeof *items);
        if (l->count) memcpy(items, l->items, l->count * sizeof *items);
        l->items = items;
    }
    l->items[l->count++] = item;
}

static inline void list_move(struct list *l, uint32_t from, uint32_t to)
{
    void *item = l->items[from];
    if (from < to) memmove(l->items + from, l->items + from + 1, (to - from) * sizeof item);
    else memmove(l->items + to + 1, l->items + to, (from - to) * sizeof item);
    l->items[to] = item;
}
