// A row at rest: the values that it has, one behind the other, in memory of whoever keeps it.
//
// No allocation: the caller has the memory, and an opened parcel points into it.
#pragma once

#include "record/batch.h"

// Words: a bit for each field that is there; then of each its one or two words, or how many bytes
// it has, and these, filled up to whole words.
struct parcel {
    const struct record_kind *kind;
    uint64_t present;
    const uint64_t *at[KIND_FIELDS_MAX];
};

// How many words a row took; 0 when there are not as many as `room`.
size_t parcel_pack(uint64_t *words, size_t room, const struct record_batch *b, uint32_t row);
// Of the words that parcel_pack made of a row of this kind.
void parcel_open(struct parcel *p, const struct record_kind *kind, const uint64_t *words);

static inline bool parcel_has(const struct parcel *p, unsigned field)
{
    return p->present >> field & 1;
}

// Of fields that are there.
static inline uint64_t parcel_get(const struct parcel *p, unsigned field)
{
    return *p->at[field];
}

static inline struct address parcel_address(const struct parcel *p, unsigned field)
{
    return (struct address){p->at[field][0], p->at[field][1]};
}

static inline bytes parcel_bytes(const struct parcel *p, unsigned field)
{
    return bytes_of(p->at[field] + 1, (size_t)*p->at[field]);
}

// Whether two values of fields of one type are the same.
bool parcel_equal(const struct parcel *p, unsigned field, const struct parcel *other,
                  unsigned other_field);
// What all values need in the heap of a batch.
size_t parcel_heap(const struct parcel *p);
// Sets field `to` of the row that was begun; of one type with `field`.
void parcel_put(struct record_batch *b, unsigned to, const struct parcel *p, unsigned field);
