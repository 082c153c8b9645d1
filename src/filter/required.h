// What a regular expression requires: bytes that must stand where it matches. Not for other
// folders.
#pragma once

#include "base/bytes.h"

// The longest run of bytes that every match of the pattern has, as far as it is easily told:
// outside of groups, classes and what may be left out; nothing where the pattern has alternatives
// at its outermost level, or anything that is not known here for sure. Case does not count: an
// option may have changed what it means. Stands in `memory`, which is as long as the pattern.
bytes required_bytes(bytes pattern, uint8_t *memory);
