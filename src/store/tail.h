// The tail of a case: tail/SSSSSSSS.tail has the records of a collection under way that are in no
// segment yet, batch after batch, each in a frame with a checksum.
//
// A tail counts as long as no line of the log says that its rows are in segments. Its number is
// greater than that of every line when it was begun, and than that of every tail before.
//
// A mark stands behind what was made durable together, and says how far inputs were taken with it.
// Whoever reads a tail takes what is before the last mark: behind it a kill or a crash may have
// left anything.
//
// Thread: tail_create and tail_load as store/spool.h says; the rest are plain functions.
#pragma once

#include "store/catalogue.h"
#include "store/spool.h"

// What a tail is of; it becomes a reading in the log. Owned by whoever filled it in.
struct tail_about {
    uint64_t number;
    char *input, *options, *version;
    nanos begun;
    uint64_t cut_off; // bytes behind its last mark
    struct positions positions;
};
void tail_about_deinit(struct tail_about *about);

// Begins a tail; what is added to `s`, which is empty, goes there.
bool tail_create(struct spool *s, const char *folder, const struct tail_about *about,
                 struct err *err) __attribute__((warn_unused_result));
// Adds to `s` what is in the tail of this number. `about` is filled in unless it is NULL. ERR_INPUT
// when it is no tail, or one that only a newer program reads.
bool tail_load(struct spool *s, const char *folder, uint64_t number, struct tail_about *about,
               struct err *err) __attribute__((warn_unused_result));
void tail_remove(const char *folder, uint64_t number);

// The numbers of the tails that count, in order; owned. Those that do not are left by a killed
// writer.
uint64_t *tail_list(const char *folder, const struct catalogue *c, size_t *count);
// Removes those that do not.
void tail_sweep(const char *folder, const struct catalogue *c);

// "tail/SSSSSSSS.tail", and the number of such a path; 0 when it is none.
enum { TAIL_PATH_MAX = 40 };
void tail_path(char path[TAIL_PATH_MAX], uint64_t number);
uint64_t tail_number(const char *path);

// What stands before a batch: eight numbers of 64 bits, least significant byte first.
enum tail_word {
    TAIL_CHECKSUM, // of all behind it, the number of the tail and the place of the frame
    TAIL_CONTENT,  // checksum of the batch
    TAIL_SIZE,     // of the batch
    TAIL_KIND,     // its place in the list of the header; above 32 bits the number of rows
    TAIL_HEAP,
    TAIL_PRESENT,
    TAIL_FIRST,
    TAIL_LAST,
    TAIL_WORDS
};
#define TAIL_MARK UINT32_MAX // in place of a kind
struct tail_frame {
    uint64_t words[TAIL_WORDS];
};
// Of the `size` bytes that stand behind the frame.
void tail_frame_fill(struct tail_frame *frame, const struct spool_entry *entry, uint64_t size);
// Its place is known last.
void tail_frame_seal(struct tail_frame *frame, uint64_t number, uint64_t offset);
