// Packets of a capture again, by their ordinals: walks through it from its beginning, compressed or
// not, or from the nearest place behind that which a map of it knows.
//
// One thread. That the bytes are still those that were read (their SHA-256) is for the caller to
// check.
#pragma once

#include "base/err.h"
#include "record/capture.h"
#include "record/packet.h"
#include "source/interface.h"

struct fetch;

// What is to be fetched from.
struct fetch_from {
    const char *path;                // of the capture, or what to call the content
    struct capture_content *content; // the bytes, instead of the file; or NULL
    // Where packets lie in it, or NULL. What it says is followed, not believed: a wrong map gives
    // other packets or none. Not for compressed files.
    const struct capture_map *map;
};

// Keeps what `from` refers to, and copies the path. NULL and err on failure.
struct fetch *fetch_open(const struct fetch_from *from, struct err *err);
void fetch_close(struct fetch *f); // NULL is fine

// The packet `ordinal`, which must be greater than that of the call before. What a source sets is
// set; the data are valid until the next call. False and err when the capture has no such packet.
bool fetch_next(struct fetch *f, uint64_t ordinal, struct packet *out, struct err *err);

// Of the packet that was given last: what its capture says of its interface, and its comments, by
// number from 0; empty behind the last. Valid until the next packet is asked for.
void fetch_interface(const struct fetch *f, struct capture_interface *out);
bytes fetch_comment(const struct fetch *f, unsigned number);
