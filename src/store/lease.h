// Who may do what with a case at the same time, by locks of the kernel on the file `lock`: they end
// with the process.
//
// One writer holds byte 0. A reader holds byte 1000 + G, shared, for the generation G of the log
// (its last line's number) that it asks; a writer removes files that generation G names only when
// nobody holds G or an older one.
//
// Thread: one.
#pragma once

#include <stdint.h>

#include "base/err.h"

struct lease {
    int file; // -1 when there is none
    bool writes;
    bool inherited; // by a writer, from one that was killed and may have left files behind
};

enum lease_state {
    LEASE_FREE,
    LEASE_HELD, // somebody writes
    LEASE_LEFT, // the last who wrote was killed
};
// Who writes; asks for nothing.
enum lease_state lease_writer(const char *folder);

// The right to write, or ERR_INPUT with who has it.
bool lease_write(struct lease *l, const char *folder, struct err *err)
    __attribute__((warn_unused_result));

// Opens for reading: nothing is held yet. A case on a medium that cannot be written may have no
// lock file; then there is nobody to be protected from, and no lock.
void lease_read(struct lease *l, const char *folder);
void lease_hold(struct lease *l, uint64_t generation);
void lease_drop(struct lease *l, uint64_t generation);
void lease_end(struct lease *l);
// For a writer: ends it as if it had been killed, so that the next one looks for what is left.
void lease_leave(struct lease *l);

// For the writer: whether somebody reads a generation below `generation`.
bool lease_is_read_below(const struct lease *l, uint64_t generation);
