#include "dissect/http_head.h"

#include "dissect/http_look.h"

// ---- header names -------------------------------------------------------------------------------

struct known {
    const char *name;
    uint8_t id;
};

// By length of the name, then by its first letter, so that a name is compared once at most, twice
// for length 16.
// clang-format off
static const struct known KNOWN[] = {
    {"via", HEADER_VIA},
    {"host", HEADER_HOST},
    {"expect", HEADER_EXPECT}, {"origin", HEADER_ORIGIN}, {"server", HEADER_SERVER},
    {"referer", HEADER_REFERER}, {"upgrade", HEADER_UPGRADE},
    {"location", HEADER_LOCATION},
    {"client-ip", HEADER_CLIENT_IP}, {"forwarded", HEADER_FORWARDED},
    {"user-agent", HEADER_USER_AGENT},
    {"content-type", HEADER_CONTENT_TYPE},
    {"authorization", HEADER_AUTHORIZATION}, {"content-range", HEADER_CONTENT_RANGE},
    {"content-length", HEADER_CONTENT_LENGTH},
    {"x-forwarded-for", HEADER_X_FORWARDED_FOR},
    {"content-encoding", HEADER_CONTENT_ENCODING}, {"proxy-connection", HEADER_PROXY_CONNECTION},
    {"x-forwarded-from", HEADER_X_FORWARDED_FROM}, {"xroxy-connection", HEADER_XROXY_CONNECTION},
    {"transfer-encoding", HEADER_TRANSFER_ENCODING},
    {"content-disposition", HEADER_CONTENT_DISPOSITION},
    {"proxy-authorization", HEADER_PROXY_AUTHORIZATION},
};

// First entry of KNOWN for each length of name; the next number ends it.
enum { NAME_LENGTH_MAX = 19 };
static const uint8_t KNOWN_FROM[NAME_LENGTH_MAX + 2] = {
    0, 0, 0, 0, 1, 2, 2, 5, 7, 8, 10, 11, 11, 12, 14, 15, 16, 20, 21, 21, 23,
};
// clang-format on

static enum http_header_id header_id(bytes name)
{
    if (name.n > NAME_LENGTH_MAX || name.n == 0) return HEADER_OTHER;
    uint8_t first = name.p[0] | 0x20;
    for (size_t i = KNOWN_FROM[name.n]; i < KNOWN_FROM[name.n + 1]; i++) {
        if ((uint8_t)KNOWN[i].name[0] != first) continue;
        if (bytes_equal_nocase(name, bytes_of(KNOWN[i].name, name.n))) return KNOWN[i].id;
    }
    return HEADER_OTHER;
}

// ---- header lines -------------------------------------------------------------------------------

void http_head_fault(struct http_head *head, const char *name, bytes detail)
{
    for (uint32_t i = 0; i < head->fault_count; i++) {
        if (strcmp(head->faults[i].name, name) == 0) return;
    }
    if (head->fault_count < HTTP_FAULTS_MAX) {
        head->faults[head->fault_count++] = (struct http_fault){name, detail};
    }
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Narrows [*at, *at + *length) to what stands between white space.
static void trim(bytes view, uint32_t *at, uint32_t *length)
{
    while (*length && is_blank(view.p[*at])) {
        ++*at;
        --*length;
    }
    while (*length && is_blank(view.p[*at + *length - 1])) --*length;
}

// RFC 9112 6: these decide where the body ends, so they are kept even when there are too many
// headers.
static bool frames_body(enum http_header_id id)
{
    return id == HEADER_CONTENT_LENGTH || id == HEADER_TRANSFER_ENCODING;
}

static void header_keep(struct http_head *head, struct http_header header)
{
    uint32_t limit = HTTP_HEADERS_MAX + (frames_body(header.id) ? HTTP_HEADERS_SPARE : 0);
    if (head->header_count >= limit) {
        http_head_fault(head, "http_headers_too_many", http_header_line(head, &header));
        return;
    }
    head->headers[head->header_count++] = header;
    if (!head->first[header.id]) head->first[header.id] = (uint16_t)head->header_count;
    else head->repeated[header.id] = true;
}

static void header_take(struct http_head *head, uint32_t at, bytes line)
{
    struct http_header header = {.at = at, .length = (uint32_t)line.n};
    uint32_t colon = (uint32_t)bytes_find(line, ':');
    header.value_at = at + colon;
    if (colon == line.n) {
        http_head_fault(head, "http_header_without_colon", line);
        header_keep(head, header);
        return;
    }
    uint32_t name_length = colon;
    while (name_length && is_blank(line.p[name_length - 1])) name_length--;
    if (name_length != colon || colon == 0)
        http_head_fault(head, "http_header_name_malformed", line);
    header.name_length = name_length;
    header.value_at = at + colon + 1;
    header.value_length = (uint32_t)line.n - colon - 1;
    trim(head->view, &header.value_at, &header.value_length);
    header.plain = name_length == colon && header.value_at == at + colon + 2 &&
                   header.value_at + header.value_length == at + line.n && line.p[colon + 1] == ' ';
    header.id = (uint8_t)header_id(bytes_first(line, name_length));
    header_keep(head, header);
}

// A line that begins with white space goes on with the one before (RFC 9112 5.2, obsolete but
// alive).
static void header_fold(struct http_head *head, uint32_t at, bytes line)
{
    http_head_fault(head, "http_header_folded", line);
    if (head->header_count == 0) {
        http_head_fault(head, "http_header_name_malformed", line);
        return;
    }
    struct http_header *header = &head->headers[head->header_count - 1];
    header->length = at + (uint32_t)line.n - header->at;
    header->folded = true;
    header->plain = false;
    if (header->name_length == 0) return;
    header->value_length = at + (uint32_t)line.n - header->value_at;
    trim(head->view, &header->value_at, &header->value_length);
}

// ---- start lines --------------------------------------------------------------------------------

static enum http_method method_of(bytes name)
{
    if (bytes_equal(name, bytes_text("GET"))) return METHOD_GET;
    if (bytes_equal(name, bytes_text("HEAD"))) return METHOD_HEAD;
    if (bytes_equal(name, bytes_text("CONNECT"))) return METHOD_CONNECT;
    if (bytes_equal(name, bytes_text("PUT"))) return METHOD_PUT;
    return METHOD_OTHER;
}

static bool is_upper(bytes name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] >= 'a' && name.p[i] <= 'z') return false;
    }
    return true;
}

static bytes spaces_cut(bytes b)
{
    while (b.n && b.p[0] == ' ') b = bytes_after(b, 1);
    while (b.n && b.p[b.n - 1] == ' ') b.n--;
    return b;
}

static bool version_is_good(bytes version)
{
    return version.n == 3 && version.p[0] >= '0' && version.p[0] <= '1' && version.p[1] == '.' &&
           version.p[2] >= '0' && version.p[2] <= '9';
}

// RFC 9112 3: method SP request-target SP HTTP-version. Spaces in the target are kept, as servers
// do.
static bool request_line(struct http_head *head, bytes line)
{
    size_t method_length = http_method_length(line);
    if (method_length == 0 || method_length == line.n || line.p[method_length] != ' ') return false;
    head->method_text = bytes_first(line, method_length);
    head->method = (uint8_t)method_of(head->method_text);
    size_t version_at = http_version_find(line);
    head->simple = version_at == line.n;
    head->target = spaces_cut(bytes_after(bytes_first(line, version_at), method_length + 1));
    head->version =
        head->simple ? bytes_text("0.9") : spaces_cut(bytes_after(line, version_at + 6));
    if (head->simple) return head->method == METHOD_GET && head->target.n > 0;
    if (bytes_equal(head->method_text, bytes_text("PRI"))) return false; // HTTP/2 (RFC 9113 3.4)
    if (!version_is_good(head->version)) http_head_fault(head, "http_version_unknown", line);
    if (head->target.n && bytes_find(head->target, ' ') == head->target.n) return true;
    http_head_fault(head, "http_target_malformed", line);
    return is_upper(head->method_text); // else these are words of something else
}

// RFC 9112 4: HTTP-version SP status-code SP [ reason ]. "ICY" is what streaming servers say in
// place of it.
static bool status_line(struct http_head *head, bytes line)
{
    bool is_icy = bytes_start_with(line, "ICY ");
    if (!is_icy && !bytes_start_with(line, "HTTP/")) return false;
    bytes rest = bytes_after(line, is_icy ? 0 : 5);
    size_t version_length = bytes_find(rest, ' ');
    head->version = bytes_first(rest, version_length);
    rest = spaces_cut(bytes_after(rest, version_length));
    size_t digits = 0;
    unsigned code = 0;
    for (; digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9' && digits < 4;
         digits++) {
        code = code * 10 + (rest.p[digits] - '0');
    }
    if (digits == 0 || digits > 3) return false;
    head->code = (uint16_t)code;
    head->reason = spaces_cut(bytes_after(rest, digits));
    if (!version_is_good(head->version)) http_head_fault(head, "http_version_unknown", line);
    if (code < 100 || code > 999) http_head_fault(head, "http_status_malformed", line);
    return true;
}

// ---- whole heads --------------------------------------------------------------------------------

static bytes line_end_cut(bytes line)
{
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    return line;
}

// Whether an empty line stands in the view from *scanned on, which is the begin of a line; moves it
// on if not.
static bool head_ends(bytes view, uint32_t *scanned)
{
    bytes rest = bytes_after(view, *scanned);
    for (;;) {
        size_t end = bytes_find(rest, '\n');
        if (end == rest.n) return false;
        if (line_end_cut(bytes_first(rest, end)).n == 0) return true;
        rest = bytes_after(rest, end + 1);
        *scanned += (uint32_t)end + 1;
    }
}

static void head_init(struct http_head *head, bytes view)
{
    memset(head, 0, offsetof(struct http_head, faults));
    head->view = view;
}

static void line_take(struct http_head *head, uint32_t at, bytes line)
{
    if (memchr(line.p, 0, line.n)) http_head_fault(head, "http_header_with_nul", line);
    if (line.p[0] == ' ' || line.p[0] == '\t') header_fold(head, at, line);
    else header_take(head, at, line);
}

// The view ends within the head: the rest of it is a line that was cut.
static enum http_split head_cut(struct http_head *head, uint32_t at, bytes line)
{
    http_head_fault(head, "http_head_incomplete", line);
    if (line.n) line_take(head, at, line);
    head->length = head->view.n;
    return HTTP_SPLIT_DONE;
}

static enum http_split split(struct http_head *head, bytes view, uint32_t *scanned, bool last,
                             bool (*start_line)(struct http_head *, bytes))
{
    head_init(head, view);
    if (*scanned && !last && !head_ends(view, scanned)) return HTTP_SPLIT_MORE;
    uint32_t at = 0;
    for (;;) {
        bytes rest = bytes_after(view, at);
        size_t end = bytes_find(rest, '\n');
        bytes line = line_end_cut(bytes_first(rest, end));
        if (end == rest.n) {
            *scanned = at;
            if (!last || at == 0) return last ? HTTP_SPLIT_BAD : HTTP_SPLIT_MORE;
            return head_cut(head, at, line);
        }
        if (at == 0 && !start_line(head, line)) return HTTP_SPLIT_BAD;
        if (at != 0 && line.n) line_take(head, at, line);
        bool ends = (at != 0 && line.n == 0) || head->simple;
        at += (uint32_t)end + 1;
        if (!ends) continue;
        head->length = at;
        return HTTP_SPLIT_DONE;
    }
}

enum http_split http_request_split(struct http_head *head, bytes view, uint32_t *scanned, bool last)
{
    return split(head, view, scanned, last, request_line);
}

enum http_split http_response_split(struct http_head *head, bytes view, uint32_t *scanned,
                                    bool last)
{
    return split(head, view, scanned, last, status_line);
}
