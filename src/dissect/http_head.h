// The head of an HTTP/1.x message taken apart: start line and header lines, as places in the view
// they came from.
//
// Reads what broken senders write (RFC 9112 2.2, 5.1, 5.2: bare LF, folded lines, spaces before the
// colon, lines without a colon) and notes each sort of mistake once. Nothing is copied: the head is
// valid as long as the view.
#pragma once

#include "base/bytes.h"

enum {
    HTTP_HEAD_MAX = 65536,   // longer heads are given up; the most that a view can show
    HTTP_HEADERS_MAX = 256,  // further ones are not kept, save those that frame the body
    HTTP_HEADERS_SPARE = 16, // room for these
    HTTP_METHOD_MAX = 32,
    HTTP_FAULTS_MAX = 8,
};

enum http_header_id {
    HEADER_OTHER,
    HEADER_AUTHORIZATION,
    HEADER_CLIENT_IP,
    HEADER_CONTENT_DISPOSITION,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_LENGTH,
    HEADER_CONTENT_RANGE,
    HEADER_CONTENT_TYPE,
    HEADER_EXPECT,
    HEADER_FORWARDED,
    HEADER_HOST,
    HEADER_LOCATION,
    HEADER_ORIGIN,
    HEADER_PROXY_AUTHORIZATION,
    HEADER_PROXY_CONNECTION,
    HEADER_REFERER,
    HEADER_SERVER,
    HEADER_TRANSFER_ENCODING,
    HEADER_UPGRADE,
    HEADER_USER_AGENT,
    HEADER_VIA,
    HEADER_X_FORWARDED_FOR,
    HEADER_X_FORWARDED_FROM,
    HEADER_XROXY_CONNECTION,
    HEADER_COUNT,
};

enum http_method { METHOD_OTHER, METHOD_GET, METHOD_HEAD, METHOD_CONNECT, METHOD_PUT };

// Offsets are those of the view.
struct http_header {
    uint32_t at, length;             // the line, with its folded continuations
    uint32_t value_at, value_length; // without white space around it
    uint32_t name_length;            // 0: there is no colon
    uint8_t id;                      // enum http_header_id
    bool folded;
    bool plain; // the line reads "Name: value" as it stands
};

struct http_fault {
    const char *name; // of the anomaly
    bytes detail;
};

struct http_head {
    bytes view;
    size_t length;  // of the head, with the empty line that ends it
    bool simple;    // HTTP/0.9: a lone "GET /path"
    uint8_t method; // enum http_method
    bytes method_text, target;
    bytes version; // "1.1"
    uint16_t code;
    bytes reason;
    uint32_t header_count;
    uint32_t fault_count;
    uint16_t first[HEADER_COUNT]; // 1 + index of the first header of that name; 0: there is none
    bool repeated[HEADER_COUNT];
    struct http_fault faults[HTTP_FAULTS_MAX];
    struct http_header headers[HTTP_HEADERS_MAX + HTTP_HEADERS_SPARE];
};

enum http_split {
    HTTP_SPLIT_DONE,
    HTTP_SPLIT_MORE, // the head does not end in the view; *scanned tells where to go on
    HTTP_SPLIT_BAD,  // no message begins here
};

// `scanned` is 0 at first, and kept by the caller between tries on the same, growing view. With
// `last` nothing will be added to the view: a head that begins well is then taken as far as it
// goes, with the fault http_head_incomplete.
enum http_split http_request_split(struct http_head *head, bytes view, uint32_t *scanned,
                                   bool last);
enum http_split http_response_split(struct http_head *head, bytes view, uint32_t *scanned,
                                    bool last);

// Notes a mistake; each name once.
void http_head_fault(struct http_head *head, const char *name, bytes detail);

static inline bytes http_header_line(const struct http_head *head, const struct http_header *header)
{
    return bytes_first(bytes_after(head->view, header->at), header->length);
}

static inline bytes http_header_name(const struct http_head *head, const struct http_header *header)
{
    return bytes_first(bytes_after(head->view, header->at), header->name_length);
}

static inline bytes http_header_value(const struct http_head *head,
                                      const struct http_header *header)
{
    return bytes_first(bytes_after(head->view, header->value_at), header->value_length);
}

// The first header of that name; NULL when there is none.
static inline const struct http_header *http_head_find(const struct http_head *head,
                                                       enum http_header_id id)
{
    return head->first[id] ? &head->headers[head->first[id] - 1] : NULL;
}
