#include "engine/id_map.h"

#include "base/memory.h"

enum { SLOTS_MIN = 64 };

void id_map_deinit(struct id_map *m)
{
    memory_free(m->slots);
    *m = (struct id_map){0};
}

static struct id_map_slot *slot_of(const struct id_map *m, struct record_id id)
{
    size_t at = (id.hash ^ id.time_us) & m->mask;
    while (m->slots[at].is_taken && !record_id_equal(m->slots[at].id, id)) at = (at + 1) & m->mask;
    return &m->slots[at];
}

static void make_room(struct id_map *m)
{
    if (m->slots && 3 * (m->count + 1) <= 2 * m->mask) return;
    struct id_map old = *m;
    size_t size = old.slots ? 2 * (old.mask + 1) : SLOTS_MIN;
    m->mask = size - 1;
    m->slots = memory_get(size * sizeof *m->slots);
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i].is_taken) *slot_of(m, old.slots[i].id) = old.slots[i];
    memory_free(old.slots);
}

void id_map_put(struct id_map *m, struct record_id id, bool yes)
{
    make_room(m);
    struct id_map_slot *slot = slot_of(m, id);
    m->count += !slot->is_taken;
    slot->id = id;
    slot->is_taken = true;
    slot->yes |= yes;
}

const bool *id_map_get(const struct id_map *m, struct record_id id)
{
    if (!m->slots) return NULL;
    const struct id_map_slot *slot = slot_of(m, id);
    return slot->is_taken ? &slot->yes : NULL;
}
