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
};

// The right to write, or ERR_INPUT with who has it.
bool lease_write(struct lease *l, const char *folder, struct err *err)
    __attribute__((warn_unused_result));

// Opens for reading: nothing is held yet. A case on a medium that cannot be written may have no
// lock file; then there is nobody to be protected from, and no lock.
void lease_read(struct lease *l, const char *folder);
void lease_hold(struct lease *l, uint64_t generation);
void lease_drop(struct lease *l, uint64_t generation);
void lease_end(struct lease *l);

// For the writer: whether somebody reads a generation below `generation`.
bool lease_is_read_below(const struct lease *l, uint64_t generation);
