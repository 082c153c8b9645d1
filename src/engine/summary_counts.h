// Sums by name: how often, how many bytes, for each host, address, type.
//
// Exact up to SUMMARY_NAMES_MAX different names. When one more comes, the lighter half is dropped,
// so what is heavy stays with its exact sums however many names a capture has, and `dropped` tells
// that the list is no longer whole. Names are told apart by their first COUNT_NAME_MAX bytes. One
// thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { COUNT_SUMS = 6, COUNT_NAME_MAX = 256 };

struct count {
    uint64_t hash;
    uint32_t name_at, name_n;
    uint64_t sums[COUNT_SUMS]; // the first is the weight
};

// Zeroed is empty.
struct counts {
    struct count *list;
    uint32_t used, size;
    uint32_t *slots; // index in the list from 1, by hash
    uint32_t slot_mask;
    uint8_t *names;
    size_t names_used, names_size;
    uint64_t dropped; // names that had to go
    uint32_t most;    // different names that are kept; 0: SUMMARY_NAMES_MAX
};

void counts_deinit(struct counts *c);

// The sums of `name`, zero at first; valid until the next call.
struct count *counts_of(struct counts *c, bytes name);
bytes counts_name(const struct counts *c, const struct count *count);
uint64_t counts_total(const struct counts *c, unsigned sum);

// The heaviest, ties in the order of their names; returns how many.
unsigned counts_top(const struct counts *c, const struct count **top, unsigned top_max);

// A set of hashes of pairs, for counting different ones: exact but for a collision in 64 bits.
struct pairs {
    uint64_t *slots;
    uint32_t used, slot_mask;
    bool full; // more than PAIRS_MAX: new ones are no longer told
};
enum { PAIRS_MAX = 1 << 20 };

void pairs_deinit(struct pairs *p);
bool pairs_add(struct pairs *p, uint64_t hash); // whether it is new
