// How long what is in a case stays: by age and by size for each kind, and how much of the disk is
// left free.
//
// Thread: plain functions over the caller's data.
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "record/kind.h"

enum { LIMITS_MAX = 256 };

struct limit {
    unsigned kind; // its place in the list of kinds
    nanos age;     // 0: any
    uint64_t size; // of its segments, 0: any
};

struct limits {
    struct limit list[LIMITS_MAX]; // each kind once
    unsigned count;
    uint64_t free;         // bytes of the disk that stay free
    unsigned free_percent; // or so much of it; both 0: nothing
};

// "flow=30d,flow=200G,dns=90d", and "10G" or "5%"; NULL: none. ERR_USAGE.
bool limits_parse(struct limits *limits, const char *retain, const char *free,
                  const struct record_kind *const *kinds, unsigned kind_count, struct err *err)
    __attribute__((warn_unused_result));
const struct limit *limits_of(const struct limits *limits, unsigned kind); // NULL: none
// Bytes of the disk that are free for anybody; 0 when that is not known.
uint64_t disk_free(const char *folder);
// How many bytes are missing until as much of the disk is free as shall be; 0: none.
uint64_t limits_missing(const struct limits *limits, const char *folder);
