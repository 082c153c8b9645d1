// The packets of a capture where they are now: kept in the case, at the path from which they were
// read, or where weir relocate found them.
//
// Thread: one.
#pragma once

#include "source/fetch.h"

struct case_reader;

struct evidence;

// A capture of a reading.
struct evidence_of {
    uint64_t reading; // the line of the log; 0 in memory
    uint32_t number;
    const char *path; // as it was read
    uint64_t bytes;   // of the file, as it was read
};

// Opens it, to fetch from its beginning on. ERR_INPUT with where it was and what to do when it is
// not there any more. Of a file outside the case only the size is compared; its SHA-256 stands in
// the log, for whoever wants to know more. Keeps nothing of `of` and `reader`.
struct evidence *evidence_open(const struct case_reader *reader, const struct evidence_of *of,
                               struct err *err);
// Whether the case kept it and does not have it any more, or not yet. False with err and why.
bool evidence_is_left(const struct case_reader *reader, const struct evidence_of *of,
                      struct err *err);
void evidence_close(struct evidence *e); // NULL is fine

struct fetch *evidence_fetch(struct evidence *e);
// The path at which it is now; of what is kept in the case, that from which it was read.
const char *evidence_path(const struct evidence *e);
