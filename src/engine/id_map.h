// A set of ids, each with a yes or no. Takes 24 bytes and a third to two thirds for each. Thread:
// one.
#pragma once

#include "record/id.h"

struct id_map_slot {
    struct record_id id;
    bool is_taken, yes;
};

struct id_map {
    struct id_map_slot *slots;
    size_t mask, count;
};

void id_map_deinit(struct id_map *m); // a zeroed one is empty
// Puts it in; once it was a yes it stays one.
void id_map_put(struct id_map *m, struct record_id id, bool yes);
// NULL when it is not in.
const bool *id_map_get(const struct id_map *m, struct record_id id);
