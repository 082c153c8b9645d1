// The captures of one reading on their way into the case: those that are kept, compressed frame by
// frame (store/extent.h), and of the others where their packets lie.
//
// Until the reading is committed they lie in packets/.new: then they are made durable and moved,
// and the log names them. Memory: a frame for each capture that is open, smaller ones when there
// are more than EXTENTS_LARGE_MAX, and some 100 bytes for each 1 MB of capture.
//
// Thread: the sink's calls as record/capture.h says; the rest by one thread when no capture is
// being read.
#pragma once

#include "base/compress.h"
#include "base/lock.h"
#include "record/capture.h"
#include "store/catalogue.h"

enum {
    EXTENTS_LARGE_MAX = 16,
    EXTENTS_PLACES_MIN = 1024 * 1024, // smaller captures are read from their beginning
};

struct extent_slot;
struct recorder;

struct extents {
    char *folder;     // of the case; NULL: nothing is kept
    struct lock lock; // of what follows, and of slots once they were told to the sink
    struct frame_codec *codec;
    uint8_t *frame; // room for the next one, as it is stored
    size_t frame_room;
    int error; // errno of the first write that failed
    struct extent_slot **slots;
    uint32_t count, room, open;
    bool is_paused;             // what recordings are given now goes nowhere
    struct recorder *recorders; // of recordings
};

bool extents_init(struct extents *x, const char *folder, struct err *err)
    __attribute__((warn_unused_result));
void extents_deinit(struct extents *x);
struct capture_sink extents_sink(struct extents *x, bool keep);

// What a reading that is replaced kept of the same captures, `entry` keeps: nobody who reads again
// with other options thereby gives packets away.
void extents_carry(const struct catalogue_reading *replaced, struct catalogue_reading *entry);
// Makes what came since the last commit part of the case, under names by entry->seq, and adds to
// `entry` what the log is to say of it.
bool extents_commit(struct extents *x, struct catalogue_reading *entry, struct err *err)
    __attribute__((warn_unused_result));
// Forgets it.
void extents_abort(struct extents *x);

// ---- recordings, whose captures follow one another without end ----------------------------------

// The captures of a recording, always kept; from a thread of its own, while others commit.
struct capture_sink extents_record(struct extents *x, uint64_t reading);
// Makes those captures of recordings part of the case that came to their end since the last call.
bool extents_publish(struct extents *x, struct catalogue_reading *entry, struct err *err)
    __attribute__((warn_unused_result));
// Bytes of recordings that are in no part of the case yet, and whether a capture of theirs came to
// its end.
uint64_t extents_waiting(struct extents *x, bool *any_over);
// The disk is full, or is not any more: a capture that misses bytes goes as a whole.
void extents_pause(struct extents *x, bool is_paused);

// Removes what no reading names, and what a killed writer left.
void extents_sweep(const char *folder, const struct catalogue *c);
