#include "dissect/http_record.h"

#include "dissect/http_value.h"

// clang-format off
static const struct field FIELDS[] = {
    RECORD_COMMON_FIELDS,
    {"trans_depth", FIELD_UINT, NULL,
     "Number of the transaction in its conversation, from 1", NULL, NULL, 0},
    {"method", FIELD_TEXT, NULL, "Method of the request", "http.request.method", NULL, 0},
    {"host", FIELD_TEXT, NULL,
     "Host header as it was sent, or the authority of the target", NULL, NULL, 0},
    {"uri", FIELD_TEXT, NULL, "Target of the request, as it was sent", "url.original", NULL, 0},
    {"referrer", FIELD_TEXT, NULL, "Referer header", "http.request.referrer", NULL, 0},
    {"version", FIELD_TEXT, NULL, "Version of the request", "http.version", NULL, 0},
    {"user_agent", FIELD_TEXT, NULL, "User-Agent header", "user_agent.original", NULL, 0},
    {"origin", FIELD_TEXT, NULL, "Origin header", NULL, NULL, 0},
    {"request_body_len", FIELD_UINT, "bytes",
     "Body of the request, decoded", "http.request.body.bytes", NULL, 0},
    {"response_body_len", FIELD_UINT, "bytes",
     "Body of the response, decoded", "http.response.body.bytes", NULL, 0},
    {"status_code", FIELD_UINT, NULL,
     "Status of the response", "http.response.status_code", NULL, 0},
    {"status_msg", FIELD_TEXT, NULL, "Reason phrase of the response", NULL, NULL, 0},
    {"response_version", FIELD_TEXT, NULL, "Version of the response", NULL, NULL, 0},
    {"info_code", FIELD_UINT, NULL, "Status of the last interim (1xx) response", NULL, NULL, 0},
    {"info_msg", FIELD_TEXT, NULL,
     "Reason phrase of the last interim (1xx) response", NULL, NULL, 0},
    {"username", FIELD_TEXT, NULL,
     "User name of Basic or Digest credentials", "user.name", NULL, 0},
    {"proxied", FIELD_TEXTS, NULL, "Headers that tell of a proxy, as NAME -> value", NULL, NULL, 0},
    {"request_content_type", FIELD_TEXT, NULL, "Content-Type header of the request", NULL, NULL, 0},
    {"response_content_type", FIELD_TEXT, NULL,
     "Content-Type header of the response", NULL, NULL, 0},
    {"request_mime_type", FIELD_TEXT, NULL,
     "Type of the request's body, by its content", "http.request.mime_type", "orig_mime_types", 0},
    {"response_mime_type", FIELD_TEXT, NULL,
     "Type of the response's body, by its content", "http.response.mime_type",
     "resp_mime_types", 0},
    {"server", FIELD_TEXT, NULL, "Server header", NULL, NULL, 0},
    {"location", FIELD_TEXT, NULL, "Location header", NULL, NULL, 0},
    {"content_range", FIELD_TEXT, NULL, "Content-Range header of the response", NULL, NULL, 0},
    {"upgrade", FIELD_TEXT, NULL,
     "What the connection became: the protocol of a 101 response, or CONNECT", NULL, NULL, 0},
    {"request_encoded_len", FIELD_UINT, "bytes",
     "Body of the request as it was sent, without chunk framing", NULL, NULL, 0},
    {"response_encoded_len", FIELD_UINT, "bytes",
     "Body of the response as it was sent, without chunk framing", NULL, NULL, 0},
    {"request_missing_bytes", FIELD_UINT, "bytes",
     "Bytes of the request's body that were not seen", NULL, NULL, 0},
    {"response_missing_bytes", FIELD_UINT, "bytes",
     "Bytes of the response's body that were not seen", NULL, NULL, 0},
    {"request_seen", FIELD_BOOL, NULL, "The request is part of this record", NULL, NULL, 0},
    {"response_seen", FIELD_BOOL, NULL, "The response is part of this record", NULL, NULL, 0},
    {"request_complete", FIELD_BOOL, NULL, "Nothing of the request is missing", NULL, NULL, 0},
    {"response_complete", FIELD_BOOL, NULL, "Nothing of the response is missing", NULL, NULL, 0},
    {"response_time", FIELD_DURATION, "s",
     "From the first byte of the request to the first of the response", NULL, NULL, 0},
    {"request_headers", FIELD_TEXTS, NULL, "Header lines of the request, in order", NULL, NULL, 0},
    {"response_headers", FIELD_TEXTS, NULL,
     "Header lines of the response, in order", NULL, NULL, 0},
};
// clang-format on
_Static_assert(sizeof FIELDS / sizeof *FIELDS == HTTP_FIELD_COUNT,
               "enum http_field names the fields");

const struct record_kind http_kind = {
    .name = "http",
    .help = "HTTP/1.x requests, each with its response",
    .fields = FIELDS,
    .field_count = HTTP_FIELD_COUNT,
};

// ---- heads --------------------------------------------------------------------------------------

static void put_text(struct row *row, unsigned field, bytes v)
{
    if (v.n) row_text(row, field, v);
}

static void put_header(struct row *row, unsigned field, const struct http_head *head,
                       enum http_header_id id)
{
    const struct http_header *header = http_head_find(head, id);
    if (!header) return;
    uint8_t memory[ROW_TEXT_MAX];
    struct buf unfolded = buf_on(memory, header->folded ? sizeof memory : 0);
    bytes value = http_header_value(head, header);
    row_text(row, field, header->folded ? http_unfold(value, &unfolded) : value);
}

// "Name: value", whatever the white space was.
static void put_line(struct row *row, unsigned field, const struct http_head *head,
                     const struct http_header *header)
{
    if (header->plain || (header->name_length == 0 && !header->folded)) {
        row_text(row, field, http_header_line(head, header));
        return;
    }
    uint8_t memory[ROW_TEXT_MAX];
    struct buf line = buf_on(memory, sizeof memory);
    if (header->name_length) {
        buf_put(&line, http_header_name(head, header));
        buf_text(&line, ": ");
        http_unfold(http_header_value(head, header), &line);
    } else {
        http_unfold(http_header_line(head, header), &line);
    }
    row->truncated |= line.full;
    row_text(row, field, buf_bytes(&line));
}

static void put_lines(struct row *row, unsigned field, const struct http_head *head)
{
    size_t kept = 0;
    for (uint32_t i = 0; i < head->header_count; i++) {
        kept += head->headers[i].length;
        if (kept > HTTP_HEADERS_KEPT_MAX) {
            row->truncated = true;
            return;
        }
        put_line(row, field, head, &head->headers[i]);
    }
}

static const char *proxy_name(enum http_header_id id)
{
    if (id == HEADER_CLIENT_IP) return "CLIENT-IP -> ";
    if (id == HEADER_FORWARDED) return "FORWARDED -> ";
    if (id == HEADER_PROXY_CONNECTION) return "PROXY-CONNECTION -> ";
    if (id == HEADER_VIA) return "VIA -> ";
    if (id == HEADER_X_FORWARDED_FOR) return "X-FORWARDED-FOR -> ";
    if (id == HEADER_X_FORWARDED_FROM) return "X-FORWARDED-FROM -> ";
    return id == HEADER_XROXY_CONNECTION ? "XROXY-CONNECTION -> " : NULL;
}

static void put_proxied(struct row *row, const struct http_head *head)
{
    for (uint32_t i = 0; i < head->header_count; i++) {
        const char *name = proxy_name(head->headers[i].id);
        if (!name) continue;
        uint8_t memory[512];
        struct buf text = buf_on(memory, sizeof memory);
        buf_text(&text, name);
        http_unfold(http_header_value(head, &head->headers[i]), &text);
        row->truncated |= text.full;
        row_text(row, HTTP_PROXIED, buf_bytes(&text));
    }
}

// The authority in an absolute target or in that of CONNECT (RFC 9112 3.2.2, 3.2.3); empty when
// there is none.
static bytes target_authority(const struct http_head *head)
{
    if (head->method == METHOD_CONNECT) return head->target;
    size_t colon = bytes_find(head->target, ':');
    bytes rest = bytes_after(head->target, colon);
    if (!bytes_start_with(rest, "://")) return bytes_first(head->target, 0);
    rest = bytes_after(rest, 3);
    size_t end = bytes_find(rest, '/'), query = bytes_find(rest, '?');
    return bytes_first(rest, end < query ? end : query);
}

static void put_host(struct row *row, const struct http_head *head)
{
    const struct http_header *host = http_head_find(head, HEADER_HOST);
    put_text(row, HTTP_HOST, host ? http_header_value(head, host) : target_authority(head));
}

static void put_username(struct row *row, const struct http_head *head)
{
    uint8_t memory[512];
    struct buf decoded = buf_on(memory, sizeof memory);
    const struct http_header *header = http_head_find(head, HEADER_AUTHORIZATION);
    if (!header) header = http_head_find(head, HEADER_PROXY_AUTHORIZATION);
    bytes name;
    if (header && http_user_name(http_header_value(head, header), &decoded, &name)) {
        row_text(row, HTTP_USERNAME, name);
    }
}

void http_record_request(struct row *row, const struct http_head *head)
{
    row_text(row, HTTP_METHOD, head->method_text);
    put_host(row, head);
    put_text(row, HTTP_URI, head->target);
    put_text(row, HTTP_VERSION, head->version);
    put_header(row, HTTP_REFERRER, head, HEADER_REFERER);
    put_header(row, HTTP_USER_AGENT, head, HEADER_USER_AGENT);
    put_header(row, HTTP_ORIGIN, head, HEADER_ORIGIN);
    put_header(row, HTTP_REQUEST_CONTENT_TYPE, head, HEADER_CONTENT_TYPE);
    put_username(row, head);
    put_proxied(row, head);
    put_lines(row, HTTP_REQUEST_HEADERS, head);
}

void http_record_response(struct row *row, const struct http_head *head)
{
    row_uint(row, HTTP_STATUS_CODE, head->code);
    put_text(row, HTTP_STATUS_MSG, head->reason);
    put_text(row, HTTP_RESPONSE_VERSION, head->version);
    put_header(row, HTTP_RESPONSE_CONTENT_TYPE, head, HEADER_CONTENT_TYPE);
    put_header(row, HTTP_SERVER_NAME, head, HEADER_SERVER);
    put_header(row, HTTP_LOCATION, head, HEADER_LOCATION);
    put_header(row, HTTP_CONTENT_RANGE, head, HEADER_CONTENT_RANGE);
    put_lines(row, HTTP_RESPONSE_HEADERS, head);
}

// ---- bodies -------------------------------------------------------------------------------------

static void put_missing(struct row *row, unsigned field, uint64_t v)
{
    if (v) row_uint(row, field, v);
}

void http_record_body(struct row *row, bool of_response, const struct http_body_result *body)
{
    uint64_t length = body->decoded ? body->summary.file_bytes : body->seen;
    row_uint(row, of_response ? HTTP_RESPONSE_BODY_LEN : HTTP_REQUEST_BODY_LEN, length);
    row_uint(row, of_response ? HTTP_RESPONSE_ENCODED_LEN : HTTP_REQUEST_ENCODED_LEN, body->seen);
    put_missing(row, of_response ? HTTP_RESPONSE_MISSING : HTTP_REQUEST_MISSING, body->missing);
    row_uint(row, of_response ? HTTP_RESPONSE_COMPLETE : HTTP_REQUEST_COMPLETE, body->complete);
    if (!body->decoded || body->summary.media_type[0] == '\0') return;
    row_text(row, of_response ? HTTP_RESPONSE_MIME_TYPE : HTTP_REQUEST_MIME_TYPE,
             bytes_text(body->summary.media_type));
}

// What the sender calls the file; for a download else the last part of the target, as people know
// it, and so for PUT.
static bytes file_name(const struct row *row, const struct http_head *head, struct buf *out)
{
    const struct http_header *disposition = http_head_find(head, HEADER_CONTENT_DISPOSITION);
    bytes name = {NULL, 0}, uri;
    if (disposition) name = http_file_name(http_header_value(head, disposition), out);
    if (name.n) return name;
    if (head->code == 0) return head->method == METHOD_PUT ? http_last_segment(head->target) : name;
    return row_get_text(row, HTTP_URI, &uri) ? http_last_segment(uri) : name;
}

uint32_t http_body_begin(struct dissect *d, const struct row *row, const struct http_head *head,
                         const struct http_framing *framing, uint8_t side, uint64_t position)
{
    uint8_t memory[BODY_NAME_MAX];
    struct buf name = buf_on(memory, sizeof memory);
    const struct http_header *type = http_head_find(head, HEADER_CONTENT_TYPE);
    struct body_start start = {
        .source = "http",
        .record = dissect_row_id(d, row),
        .side = side,
        .position = position,
        // The first byte may be yet to come; the last of the head, if there is one, is there.
        .time = dissect_time_at(d, side, position - (head->length ? 1 : 0)),
        .file_name = bytes_first(file_name(row, head, &name), BODY_NAME_MAX),
        .media_type = type ? http_header_value(head, type) : bytes_of(NULL, 0),
        .has_length = framing->kind == HTTP_BODY_LENGTH,
        .length = framing->length,
        .coding_count = framing->coding_count,
    };
    memcpy(start.codings, framing->codings, sizeof start.codings);
    return dissect_body_open(d, &start);
}
