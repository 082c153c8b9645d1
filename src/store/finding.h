// What a check of a case finds that is not as it should be.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct finding {
    bool changed;        // since it was written; or else it cannot be told, or means no harm
    const char *subject; // path below the case, or what else it is about
    const char *what;
    uint64_t line; // of the log: the one that put it into the case; 0 when none did
    nanos time;    // of that line
};

// Who is told. Everything is borrowed for the call.
struct finding_sink {
    void *context;
    void (*take)(void *context, const struct finding *finding);
};
