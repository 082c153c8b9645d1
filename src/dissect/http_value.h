// Values of headers that are coded in themselves: credentials, file names, folded lines.
#pragma once

#include "base/buf.h"
#include "base/bytes.h"

// The user's name out of Authorization (RFC 7617 Basic, RFC 7616 Digest); false when there is none.
// The result lies in `out` or in `value`.
bool http_user_name(bytes value, struct buf *out, bytes *name);

// The file's name out of Content-Disposition (RFC 6266; filename* by RFC 8187 goes before
// filename). What does not fit into `out` is cut off. Empty when there is none.
bytes http_file_name(bytes value, struct buf *out);

// What stands behind the last slash of a target, without its query.
bytes http_last_segment(bytes target);

// Writes `line` with each folding as one space (RFC 9112 5.2); cut when `out` is full.
bytes http_unfold(bytes line, struct buf *out);
