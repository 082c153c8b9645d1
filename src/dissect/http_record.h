// The record kind `http`, and how heads and bodies become its fields.
#pragma once

#include "dissect/dissect.h"
#include "dissect/http_framing.h"
#include "dissect/http_head.h"

enum http_field {
    HTTP_TRANS_DEPTH = COMMON_COUNT,
    HTTP_METHOD,
    HTTP_HOST,
    HTTP_URI,
    HTTP_REFERRER,
    HTTP_VERSION,
    HTTP_USER_AGENT,
    HTTP_ORIGIN,
    HTTP_REQUEST_BODY_LEN,
    HTTP_RESPONSE_BODY_LEN,
    HTTP_STATUS_CODE,
    HTTP_STATUS_MSG,
    HTTP_RESPONSE_VERSION,
    HTTP_INFO_CODE,
    HTTP_INFO_MSG,
    HTTP_USERNAME,
    HTTP_PROXIED,
    HTTP_REQUEST_CONTENT_TYPE,
    HTTP_RESPONSE_CONTENT_TYPE,
    HTTP_REQUEST_MIME_TYPE,
    HTTP_RESPONSE_MIME_TYPE,
    HTTP_SERVER_NAME,
    HTTP_LOCATION,
    HTTP_CONTENT_RANGE,
    HTTP_UPGRADE,
    HTTP_REQUEST_ENCODED_LEN,
    HTTP_RESPONSE_ENCODED_LEN,
    HTTP_REQUEST_MISSING,
    HTTP_RESPONSE_MISSING,
    HTTP_REQUEST_SEEN,
    HTTP_RESPONSE_SEEN,
    HTTP_REQUEST_COMPLETE,
    HTTP_RESPONSE_COMPLETE,
    HTTP_RESPONSE_TIME,
    HTTP_REQUEST_HEADERS,
    HTTP_RESPONSE_HEADERS,
    HTTP_FIELD_COUNT,
};

enum { HTTP_HEADERS_KEPT_MAX = 10240 }; // bytes of header lines of one message in a record

extern const struct record_kind http_kind;

void http_record_request(struct row *row, const struct http_head *head);
void http_record_response(struct row *row, const struct http_head *head);

struct http_body_result {
    uint64_t seen, missing; // bytes as they were sent, without chunk framing
    bool complete;
    bool decoded; // `summary` holds
    struct body_summary summary;
};
void http_record_body(struct row *row, bool of_response, const struct http_body_result *body);

// Opens the body that `head` announces; `row` is the record it belongs to.
uint32_t http_body_begin(struct dissect *d, const struct row *row, const struct http_head *head,
                         const struct http_framing *framing, uint8_t side, uint64_t position);
