// Whether a case is what its log says: every segment and artifact is there and has the content it
// had when it was committed. (That the log itself is unbroken is found when it is opened.)
//
// Reads every byte of the case once. Files of a reading that is being committed at the same time
// are not looked at.
#pragma once

#include "store/case.h"

struct case_checking {
    // Called for each thing that is not as it should be: its path below the case, and what is
    // wrong.
    void (*found)(void *context, const char *path, const char *what);
    void *context;
};

struct case_checked {
    uint64_t segments, artifacts; // that were looked at
    uint64_t bytes;
    uint64_t found;
};

// False when it could not be done. A memory case has nothing to check.
bool case_check(struct case_reader *c, const struct case_checking *checking,
                struct case_checked *checked, struct err *err) __attribute__((warn_unused_result));
