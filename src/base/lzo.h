// LZO1X, as old files of flows are packed with: into the caller's memory, and never beyond it.
//
// Any thread.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

// A whole block; false when it is none, or does not fit. *written says how much came out.
bool lzo_unpack(bytes packed, uint8_t *out, size_t size, size_t *written);
