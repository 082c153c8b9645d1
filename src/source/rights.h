// Rights of the process that are needed to begin with, and to be without afterwards.
#pragma once

#include "base/err.h"

enum rights {
    RIGHTS_TO_CAPTURE,
    RIGHTS_ALL, // of root all but those that let it write where it could write before
};

// Gives up capabilities for good. Before the process has other threads, as it is done for the
// calling thread and those that it starts.
bool rights_give_up(enum rights which, struct err *err);
