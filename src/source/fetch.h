// Packets of a capture again, by their ordinals: reads the file from its beginning, compressed or
// not, and gives those asked for.
//
// One thread. That the file is still the one that was read (its SHA-256) is for the caller to
// check.
#pragma once

#include "base/err.h"
#include "record/packet.h"

struct fetch;

struct fetch *fetch_open(const char *path, struct err *err); // NULL and err on failure
void fetch_close(struct fetch *f);                           // NULL is fine

// The packet `ordinal`, which must be greater than that of the call before. What a source sets is
// set; the data are valid until the next call. False and err when the capture has no such packet.
bool fetch_next(struct fetch *f, uint64_t ordinal, struct packet *out, struct err *err);
