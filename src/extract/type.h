// What a file is, by its first bytes: names as libmagic and Zeek have them ("image/png",
// "application/x-dosexec").
//
// Pure functions of the bytes given; what the protocol declares has no say.
#pragma once

#include "base/bytes.h"

enum { TYPE_HEAD_SIZE = 4096 }; // more than this is never looked at

// A constant, or NULL for no bytes at all. `whole`: these are all bytes of the file, so that a
// character may not be cut at their end. Text of no known sort is "text/plain", the rest
// "application/octet-stream".
const char *type_of_content(bytes head, bool whole);

// The parts of it, for the tests and each other.
const char *type_of_zip(bytes head);              // by the names of its first entries
const char *type_of_text(bytes head, bool whole); // NULL when it is not text
