// Sets of numbers of up to 128 bits, as sorted ranges: every ordered comparison is one of these.
//
// Filled, then settled, then asked. Numbers of 64 bits stand in the second word.
#pragma once

#include "base/address.h"

struct ranges {
    struct prefix *ranges; // sorted, apart from each other
    uint32_t count, size;
};

void ranges_deinit(struct ranges *r);
// Nothing is added when `last` is before `first`.
void ranges_add(struct ranges *r, struct address first, struct address last);
void ranges_settle(struct ranges *r);
// Of a settled set what is not in it, between two numbers that hold all that is in it.
void ranges_invert(struct ranges *r, struct address lowest, struct address highest);
bool ranges_have(const struct ranges *r, struct address a);
