// The bytes behind a head: passed on as they come, without their chunk framing (RFC 9112 6, 7).
#pragma once

#include "dissect/http_state.h"

enum {
    HTTP_CHUNK_LINE_MAX = 4096, // size and extensions of a chunk
    HTTP_TRAILER_MAX = 16384,
};

// Goes one step on in a phase from HTTP_BODY to HTTP_UNTIL_CLOSE; false when that takes more bytes.
bool http_body_step(struct http_run *run);

// Bytes are missing where the run stands; the run is moved behind what the body knows how to do
// without. Returns how many of `length` that is.
uint64_t http_body_gap(struct http_run *run, uint64_t length);
