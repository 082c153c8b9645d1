// Blocks that were packed as a whole, into the caller's memory and never beyond it. Streams are the
// business of base/decompress.h.
//
// Any thread.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

enum unpack_form { UNPACK_NONE, UNPACK_LZO, UNPACK_BZ2, UNPACK_LZ4, UNPACK_ZSTD, UNPACK_COUNT };

// False when the block is not what it should be, or does not fit. *written says how much came out.
bool unpack(enum unpack_form form, bytes packed, uint8_t *out, size_t size, size_t *written);
