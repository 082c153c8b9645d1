// Telling by a look whether an HTTP/1.x message begins at some place: for recognition, and to find
// the way back after bytes were lost.
#pragma once

#include "base/bytes.h"

enum {
    HTTP_LINE_MAX = 8192, // a request line that is longer is not believed where it was not expected
    HTTP_STATUS_START = 12, // "HTTP/1.1 200"
};

enum http_look {
    HTTP_LOOK_NO,
    HTTP_LOOK_MORE,   // could be; more bytes would tell
    HTTP_LOOK_SIMPLE, // "GET /path" alone (HTTP/0.9), or a line of which only the beginning can be
                      // seen
    HTTP_LOOK_YES,
};

// `last`: the view will not grow.
enum http_look http_look_request(bytes view, bool last);
enum http_look http_look_response(bytes view, bool last);

// Letters of a method at the start of the view, at most HTTP_METHOD_MAX + 1: a letter, then
// letters, digits, - and _.
size_t http_method_length(bytes view);
// Where the last "HTTP/" after a space begins in a request line, with that space; line.n when there
// is none.
size_t http_version_find(bytes line);

// Finds the first believable start of a message in bytes of which the beginning belongs to nothing.
// True: *at is the start. False: *at bytes can be thrown away, the rest must be seen again with
// what follows. `in_line` is kept by the caller between calls, false at first: bytes of the same
// line were thrown away.
bool http_find_request(bytes view, bool *in_line, size_t *at);
bool http_find_response(bytes view, size_t *at);
