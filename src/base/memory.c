#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void memory_gone(size_t size)
{
    static const char way_out[] = "give the machine more, or weir less to do";
    fprintf(stderr, "weir: no memory left for %zu bytes; %s\n", size, way_out);
    exit(ERR_MACHINE);
}

void *memory_get(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p) memory_gone(size);
    return p;
}

void *memory_resize(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);
    if (!q) memory_gone(size);
    return q;
}

void memory_free(void *p)
{
    free(p);
}

void *memory_reserve(size_t size, struct err *err)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (p != MAP_FAILED) return p;
    err_system(err, errno, "cannot reserve %zu bytes of address space", size);
    return NULL;
}

void memory_release(void *p, size_t size)
{
    if (p) munmap(p, size);
}

bool pool_init(struct pool *p, size_t item_size, uint32_t items_max, struct err *err)
{
    assert(item_size >= sizeof(uint32_t) && items_max < UINT32_MAX);
    *p = (struct pool){.item_size = item_size, .items_max = items_max};
    p->items = memory_reserve(item_size * ((size_t)items_max + 1), err);
    return p->items != NULL;
}

void pool_deinit(struct pool *p)
{
    if (p->items) memory_release(p->items, p->item_size * ((size_t)p->items_max + 1));
    *p = (struct pool){0};
}

uint32_t pool_take(struct pool *p)
{
    uint32_t index = p->free_first;
    if (index) {
        memcpy(&p->free_first, pool_at(p, index), sizeof p->free_first);
        memset(pool_at(p, index), 0, p->item_size);
    } else {
        if (p->touched == p->items_max) return 0;
        index = ++p->touched;
    }
    p->used++;
    return index;
}

void pool_give(struct pool *p, uint32_t index)
{
    if (!index) return;
    assert(index <= p->touched && p->used > 0);
    memcpy(pool_at(p, index), &p->free_first, sizeof p->free_first);
    p->free_first = index;
    p->used--;
}

// Blocks up to BLOCK_SMALL are multiples of BLOCK_STEP; above, each doubling has BLOCK_FINE sizes.
enum {
    BLOCK_STEP = 16,
    BLOCK_SMALL = 64,
    BLOCK_SMALL_BITS = 6,
    BLOCK_FINE = 4,
    BLOCK_FINE_BITS = 2
};

struct block_size {
    unsigned class;
    size_t size;
};

static struct block_size block_size_of(size_t n)
{
    assert(n <= BLOCK_SIZE_MAX);
    size_t last = n ? n - 1 : 0;
    if (n <= BLOCK_SMALL) {
        unsigned class = (unsigned)(last / BLOCK_STEP);
        return (struct block_size){class, (class + 1u) * BLOCK_STEP};
    }
    unsigned bits = (unsigned)(63 - __builtin_clzll(last)); // of the doubling that n lies in
    unsigned fine =
        (unsigned)(last >> (bits - BLOCK_FINE_BITS)); // BLOCK_FINE to 2 * BLOCK_FINE - 1
    unsigned class = BLOCK_SMALL / BLOCK_STEP + (bits - BLOCK_SMALL_BITS) * BLOCK_FINE;
    size_t size = (fine + UINT64_C(1)) << (bits - BLOCK_FINE_BITS);
    return (struct block_size){class + fine - BLOCK_FINE, size};
}

size_t block_size(size_t n)
{
    return block_size_of(n).size;
}

bool blocks_init(struct blocks *b, size_t bytes_max, struct err *err)
{
    *b = (struct blocks){.range_size = bytes_max};
    b->range = memory_reserve(bytes_max, err);
    return b->range != NULL;
}

void blocks_deinit(struct blocks *b)
{
    memory_release(b->range, b->range_size);
    *b = (struct blocks){0};
}

void *blocks_take(struct blocks *b, size_t n)
{
    if (n > BLOCK_SIZE_MAX) return NULL;
    struct block_size s = block_size_of(n);
    void *block = b->free_first[s.class];
    if (block) {
        memcpy(&b->free_first[s.class], block, sizeof block);
    } else {
        if (s.size > b->range_size - b->range_used) return NULL;
        block = b->range + b->range_used;
        b->range_used += s.size;
    }
    b->bytes_used += s.size;
    return block;
}

void blocks_give(struct blocks *b, void *block, size_t n)
{
    if (!block) return;
    struct block_size s = block_size_of(n);
    memcpy(block, &b->free_first[s.class], sizeof block);
    b->free_first[s.class] = block;
    b->bytes_used -= s.size;
}
