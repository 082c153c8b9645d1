// Bodies worth keeping, on their way to where they are kept by hash (store/artifact.h on disk).
//
// Thread: lanes call at the same time; the calls for one slot come from one lane at a time. A sink
// never fails towards its caller: what could not be written is noted by the sink's owner, and the
// reading is then not committed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct artifact_sink {
    void *context;

    // A slot for one body, from 1; 0 when too many are open, and then add and end do nothing. May
    // not block.
    uint32_t (*begin)(void *context);

    // The next bytes of it; borrowed for the call. May block on the disk.
    void (*add)(void *context, uint32_t slot, bytes content);

    // All of it was given, and `sha256` is its hash: keeps it under that name, or drops it. The
    // slot is free again.
    void (*end)(void *context, uint32_t slot, const uint8_t sha256[32], bool keep);
};
