#include "engine/summary_counts.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "engine/summary.h"

enum { LIST_MIN = 64, NAMES_MIN = 4096, PAIR_SLOTS_MIN = 1024 };

void counts_deinit(struct counts *c)
{
    memory_free(c->list);
    memory_free(c->slots);
    memory_free(c->names);
    *c = (struct counts){.most = c->most};
}

bytes counts_name(const struct counts *c, const struct count *count)
{
    // Before the first name there is no memory for names.
    return count->name_n ? bytes_of(c->names + count->name_at, count->name_n) : (bytes){0};
}

// ---- the table ----------------------------------------------------------------------------------

static void slots_fill(struct counts *c)
{
    memset(c->slots, 0, ((size_t)c->slot_mask + 1) * sizeof *c->slots);
    for (uint32_t i = 0; i < c->used; i++) {
        uint32_t at = (uint32_t)c->list[i].hash & c->slot_mask;
        while (c->slots[at]) at = (at + 1) & c->slot_mask;
        c->slots[at] = i + 1;
    }
}

// The slots are at most half full.
static void counts_grow(struct counts *c)
{
    c->size = c->size ? c->size * 2 : LIST_MIN;
    c->list = memory_resize(c->list, c->size * sizeof *c->list);
    c->slot_mask = c->size * 2 - 1;
    c->slots = memory_resize(c->slots, ((size_t)c->slot_mask + 1) * sizeof *c->slots);
    slots_fill(c);
}

static int compare_weights(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t middle_weight(const struct counts *c)
{
    uint64_t *weights = memory_get(c->used * sizeof *weights);
    for (uint32_t i = 0; i < c->used; i++) weights[i] = c->list[i].sums[0];
    qsort(weights, c->used, sizeof *weights, compare_weights);
    uint64_t middle = weights[c->used / 2];
    memory_free(weights);
    return middle;
}

// Drops all that are not above the middle: at least half. The names of the others move together.
static void counts_thin(struct counts *c)
{
    uint64_t middle = middle_weight(c);
    uint32_t kept = 0, names = 0;
    for (uint32_t i = 0; i < c->used; i++) {
        struct count count = c->list[i];
        if (count.sums[0] <= middle) continue;
        memmove(c->names + names, c->names + count.name_at, count.name_n);
        count.name_at = names;
        names += count.name_n;
        c->list[kept++] = count;
    }
    c->dropped += c->used - kept;
    c->used = kept;
    c->names_used = names;
    slots_fill(c);
}

static struct count *counts_add(struct counts *c, bytes name, uint64_t hash)
{
    if (c->used >= (c->most ? c->most : SUMMARY_NAMES_MAX)) counts_thin(c);
    if (c->used == c->size) counts_grow(c);
    while (c->names_size - c->names_used < name.n) {
        c->names_size = c->names_size ? c->names_size * 2 : NAMES_MIN;
        c->names = memory_resize(c->names, c->names_size);
    }
    struct count *count = &c->list[c->used++];
    *count = (struct count){
        .hash = hash, .name_at = (uint32_t)c->names_used, .name_n = (uint32_t)name.n};
    if (name.n) memcpy(c->names + c->names_used, name.p, name.n);
    c->names_used += name.n;
    uint32_t at = (uint32_t)hash & c->slot_mask;
    while (c->slots[at]) at = (at + 1) & c->slot_mask;
    c->slots[at] = c->used;
    return count;
}

struct count *counts_of(struct counts *c, bytes name)
{
    name = bytes_first(name, COUNT_NAME_MAX);
    uint64_t hash = table_hash(name.p, name.n, 0);
    if (!c->size) return counts_add(c, name, hash);
    for (uint32_t at = (uint32_t)hash & c->slot_mask; c->slots[at]; at = (at + 1) & c->slot_mask) {
        struct count *count = &c->list[c->slots[at] - 1];
        if (count->hash == hash && bytes_equal(counts_name(c, count), name)) return count;
    }
    return counts_add(c, name, hash);
}

// ---- questions ----------------------------------------------------------------------------------

uint64_t counts_total(const struct counts *c, unsigned sum)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < c->used; i++) total += c->list[i].sums[sum];
    return total;
}

static int compare_names(bytes a, bytes b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static bool is_before(const struct counts *c, const struct count *a, const struct count *b)
{
    if (a->sums[0] != b->sums[0]) return a->sums[0] > b->sums[0];
    return compare_names(counts_name(c, a), counts_name(c, b)) < 0;
}

unsigned counts_top(const struct counts *c, const struct count **top, unsigned top_max)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < c->used; i++) {
        const struct count *count = &c->list[i];
        if (n == top_max && !is_before(c, count, top[n - 1])) continue;
        unsigned at = n < top_max ? n++ : n - 1;
        for (; at && is_before(c, count, top[at - 1]); at--) top[at] = top[at - 1];
        top[at] = count;
    }
    return n;
}

// ---- pairs --------------------------------------------------------------------------------------

void pairs_deinit(struct pairs *p)
{
    memory_free(p->slots);
    *p = (struct pairs){0};
}

static uint64_t *pairs_slot(const struct pairs *p, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & p->slot_mask;
    while (p->slots[at] && p->slots[at] != hash) at = (at + 1) & p->slot_mask;
    return &p->slots[at];
}

static void pairs_grow(struct pairs *p)
{
    struct pairs old = *p;
    p->slot_mask = old.slots ? old.slot_mask * 2 + 1 : PAIR_SLOTS_MIN - 1;
    p->slots = memory_get(((size_t)p->slot_mask + 1) * sizeof *p->slots);
    for (uint32_t i = 0; old.slots && i <= old.slot_mask; i++)
        if (old.slots[i]) *pairs_slot(p, old.slots[i]) = old.slots[i];
    memory_free(old.slots);
}

bool pairs_add(struct pairs *p, uint64_t hash)
{
    if (!hash) hash = 1; // zero marks a free slot
    if (!p->slots || p->used > p->slot_mask / 2) pairs_grow(p);
    uint64_t *slot = pairs_slot(p, hash);
    if (*slot) return false;
    if (p->used == PAIRS_MAX) {
        p->full = true;
        return false;
    }
    *slot = hash;
    p->used++;
    return true;
}
