// What the log says is in the case: its readings, and for each its captures and segments. What it
// does not name is not there.
//
// Thread: one. Everything is owned by the catalogue and valid until catalogue_deinit.
#pragma once

#include <string.h>

#include "base/time.h"
#include "store/chain.h"
#include "store/entry.h"
#include "store/positions.h"

enum { CASE_FORMAT = 2 };

struct catalogue_capture {
    const char *path;     // as it was read
    const char *found_at; // where it is to be looked for now
    char sha256[HEX_SHA256_SIZE];
    uint64_t bytes;
};

// Whether it was relocated. Otherwise the record `capture` has its path in full, where the log may
// name it relative to a folder that nobody knows any more.
static inline bool catalogue_is_moved(const struct catalogue_capture *c)
{
    return strcmp(c->found_at, c->path) != 0;
}

// A capture that the case keeps itself (.zst), or where packets lie in one that is elsewhere
// (.idx): store/extent.h.
struct catalogue_extent {
    uint64_t reading;    // of an entry that is being made: whose capture it is; 0: its own
    uint64_t line;       // of the log, that brought it
    uint64_t removed_by; // of that which let it go, 0: it counts
    uint64_t capture;    // its number in the reading
    nanos first, last;   // times of its packets; first > last when they are not known
    const char *path;    // below the case
    char sha256[HEX_SHA256_SIZE];
    uint64_t bytes;
    char content_sha256[HEX_SHA256_SIZE]; // of the capture's bytes, decompressed
    uint64_t content_bytes;
};

struct catalogue_segment {
    uint64_t seq;        // of the line that put it into the case
    uint64_t removed_by; // of that which took it out, 0: it counts
    const char *kind;
    const char *path; // below the case
    char sha256[HEX_SHA256_SIZE];
    uint64_t bytes, rows;
    uint32_t fields;   // how many the kind had when it was written
    uint64_t with;     // bit f: it has field f, as some row has a value there
    nanos first, last; // first > last when the kind has no times
};

// The file that lists the artifacts which the records of a reading name.
struct catalogue_names {
    bool known;    // or else only the records tell
    char path[40]; // below the case; "" when they name none
    char sha256[HEX_SHA256_SIZE];
    uint64_t bytes;
};

struct catalogue_reading {
    uint64_t seq;         // its number: of its line, or that of the tail that it was
    uint64_t line;        // of the log
    uint64_t tail;        // the tail whose rows it has, 0: it was read at once
    uint64_t tail_cut;    // bytes behind the last mark, which a killed writer left
    uint64_t replaced_by; // 0 while it counts
    bool is_recording;    // it goes on: tails bring its records and its packets
    char id[HEX_SHA256_SIZE];
    const char *options, *version;
    nanos time;
    uint64_t artifacts;
    struct catalogue_capture *captures;
    size_t capture_count;
    struct catalogue_segment *segments;
    size_t segment_count;
    struct catalogue_extent *extents;
    size_t extent_count;
    struct catalogue_names names;
    const struct reading_position *positions; // of an entry that is being made
    size_t position_count;
    uint64_t expired_by; // the last line that let some of its records go, 0: none did
    uint64_t swapped_by; // the last line that put other segments in place of some, 0: none did
};

struct catalogue {
    struct chain chain;
    char created_by[32]; // version of the program that made the case
    struct catalogue_reading *readings;
    size_t reading_count, reading_size;
    struct catalogue_segment *former; // whose place others took
    size_t former_count;
    struct positions positions;
    uint64_t signed_to;  // the last line that is a checkpoint
    uint64_t tail_taken; // the last tail whose rows are in segments
};

// Reads the log of the case in `folder`. ERR_INPUT when it is none, is damaged, or was made by a
// newer version.
bool catalogue_read(struct catalogue *c, const char *folder, struct err *err)
    __attribute__((warn_unused_result));
void catalogue_deinit(struct catalogue *c);

// The path of the log below the case.
#define CASE_LOG "log/00000001.jsonl"
// The kind of references to packets, and what captures that are kept count as.
#define CASE_PACKETS "packets"
// What exporters told of their records, for who collects into the case again. No evidence.
#define CASE_EXPORTERS "exporters"
#define CASE_TEMPLATES CASE_EXPORTERS "/templates"

// The members of an entry; they are appended by the caller (store/entry.h).
void catalogue_write_case(struct text *members, const struct author *author);
void catalogue_write_reading(struct text *members, const struct catalogue_reading *reading,
                             const uint64_t *replaces, size_t replace_count,
                             const struct author *author);
// Those that follow the members of every entry:
//   relocate: captures of this content are at `path` now, in every reading before the entry;
//   dissect: in the reading of line `seq`, `segments` take the place of those at `removes`, whose
//   files go with segment_sweep.
struct catalogue_move {
    const char *sha256, *path;
};
void catalogue_write_relocate(struct text *members, const struct catalogue_move *moves,
                              size_t count);
void catalogue_write_dissect(struct text *members, uint64_t seq,
                             const struct catalogue_segment *segments, size_t segment_count,
                             const char *const *removes, size_t remove_count);

// Takes the entry that was just appended into account.
bool catalogue_refresh(struct catalogue *c, const char *folder, struct err *err)
    __attribute__((warn_unused_result));

// Adds a copy to an entry that is being made; and frees those.
void catalogue_add_extent(struct catalogue_reading *reading, const struct catalogue_extent *extent);
void catalogue_free_extents(struct catalogue_reading *reading);
// What the reading has of a capture, or had, where only that is left; NULL when nothing.
const struct catalogue_extent *catalogue_extent_of(const struct catalogue_reading *reading,
                                                   uint64_t capture);
// Whether it is there, and has the packets themselves.
bool catalogue_is_kept(const struct catalogue_extent *extent);

// Takes an entry into account that is about to be appended, by its members: false when no reader
// would understand it.
bool catalogue_take(struct catalogue *c, bytes members, struct err *err)
    __attribute__((warn_unused_result));

// The reading that counts of a line; NULL when there is none.
struct catalogue_reading *catalogue_reading_of(const struct catalogue *c, uint64_t seq);

static inline const struct catalogue_reading *catalogue_next(const struct catalogue *c,
                                                             const struct catalogue_reading *after)
{
    const struct catalogue_reading *r = after ? after + 1 : c->readings;
    for (; r && r < c->readings + c->reading_count; r++)
        if (!r->replaced_by) return r;
    return NULL;
}
