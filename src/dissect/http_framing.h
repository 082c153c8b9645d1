// Where the body of a message ends, and how it is coded (RFC 9112 6.3, RFC 9110 8.4).
#pragma once

#include "dissect/dissect.h"
#include "dissect/http_head.h"

enum http_body_kind {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH, // `length` bytes
    HTTP_BODY_CHUNKED,
    HTTP_BODY_CLOSE,   // all that follows
    HTTP_BODY_UNKNOWN, // a request whose end cannot be told
};

struct http_framing {
    enum http_body_kind kind;
    uint64_t length;
    uint8_t coding_count;
    enum body_coding codings[BODY_CODINGS_MAX]; // in the order in which they were applied
};

// Mistakes become faults of the head. Where they leave a choice: Transfer-Encoding goes before
// Content-Length, of several lengths the first good one counts, and a length that is no number
// counts as none.
struct http_framing http_request_framing(struct http_head *head);
// `method` of the request; METHOD_OTHER when it is not known.
struct http_framing http_response_framing(struct http_head *head, enum http_method method);

// Reads a decimal number and nothing else; false when it is none, or above 2^63 - 1.
bool http_number(bytes text, uint64_t *v);
// Takes the next member out of a comma-separated list, without white space around it; false at its
// end. Empty members are left out (RFC 9110 5.6.1).
bool http_next_member(bytes *list, bytes *member);
