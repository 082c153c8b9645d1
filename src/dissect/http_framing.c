#include "dissect/http_framing.h"

enum { LIST_MAX = 32 }; // members of Transfer-Encoding or Content-Encoding that are looked at

bool http_number(bytes text, uint64_t *v)
{
    *v = 0;
    if (text.n == 0) return false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c < '0' || c > '9' || *v > (INT64_MAX - 9) / 10) return false;
        *v = *v * 10 + (c - '0');
    }
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool http_next_member(bytes *list, bytes *member)
{
    while (list->n) {
        size_t end = bytes_find(*list, ',');
        bytes m = bytes_first(*list, end);
        *list = bytes_after(*list, end + 1);
        while (m.n && is_blank(m.p[0])) m = bytes_after(m, 1);
        while (m.n && is_blank(m.p[m.n - 1])) m.n--;
        *member = m;
        if (m.n) return true;
    }
    return false;
}

// ---- codings ------------------------------------------------------------------------------------

static bool coding_of(bytes name, enum body_coding *coding)
{
    static const struct {
        const char *name;
        enum body_coding coding;
    } CODINGS[] = {
        {"gzip", BODY_GZIP}, {"x-gzip", BODY_GZIP}, {"deflate", BODY_DEFLATE},
        {"br", BODY_BROTLI}, {"zstd", BODY_ZSTD},   {"identity", BODY_PLAIN},
    };
    for (size_t i = 0; i < sizeof CODINGS / sizeof *CODINGS; i++) {
        *coding = CODINGS[i].coding;
        if (bytes_equal_nocase(name, bytes_text(CODINGS[i].name))) return true;
    }
    return false;
}

// A coding that nobody can undo hides what was applied before it.
static void coding_add(struct http_framing *framing, struct http_head *head, bytes name)
{
    enum body_coding coding;
    if (!coding_of(name, &coding)) {
        http_head_fault(head, "http_coding_unknown", name);
        framing->coding_count = 0;
    } else if (coding == BODY_PLAIN) {
        return;
    } else if (framing->coding_count == BODY_CODINGS_MAX) {
        http_head_fault(head, "http_codings_too_many", name);
    } else {
        framing->codings[framing->coding_count++] = coding;
    }
}

// Calls for each member of all headers `id`, in order.
static void content_codings(struct http_framing *framing, struct http_head *head)
{
    if (!head->first[HEADER_CONTENT_ENCODING]) return;
    unsigned members = 0;
    for (uint32_t i = head->first[HEADER_CONTENT_ENCODING] - 1u; i < head->header_count; i++) {
        if (head->headers[i].id != HEADER_CONTENT_ENCODING) continue;
        bytes list = http_header_value(head, &head->headers[i]), name;
        while (members++ < LIST_MAX && http_next_member(&list, &name))
            coding_add(framing, head, name);
    }
}

// A part of a coded body cannot be decoded unless it is the first (RFC 9110 14.2: ranges count
// coded bytes).
static bool is_later_part(const struct http_head *head)
{
    const struct http_header *range = http_head_find(head, HEADER_CONTENT_RANGE);
    return head->code == 206 && range &&
           !bytes_start_with(http_header_value(head, range), "bytes 0-");
}

// ---- transfer -----------------------------------------------------------------------------------

// Reads all Transfer-Encoding headers; true when the last coding is chunked.
static bool transfer_codings(struct http_framing *framing, struct http_head *head)
{
    bool chunked = false;
    unsigned members = 0;
    for (uint32_t i = head->first[HEADER_TRANSFER_ENCODING] - 1u; i < head->header_count; i++) {
        if (head->headers[i].id != HEADER_TRANSFER_ENCODING) continue;
        bytes list = http_header_value(head, &head->headers[i]), name;
        while (members++ < LIST_MAX && http_next_member(&list, &name)) {
            if (chunked) http_head_fault(head, "http_chunked_not_last", name);
            chunked = bytes_equal_nocase(name, bytes_text("chunked"));
            if (!chunked) coding_add(framing, head, bytes_first(name, bytes_find(name, ';')));
        }
    }
    return chunked;
}

// The value of Content-Length: the first good one of all members of all such headers.
static bool content_length(struct http_head *head, uint64_t *length)
{
    bool found = false;
    if (!head->first[HEADER_CONTENT_LENGTH]) return false;
    for (uint32_t i = head->first[HEADER_CONTENT_LENGTH] - 1u; i < head->header_count; i++) {
        if (head->headers[i].id != HEADER_CONTENT_LENGTH) continue;
        bytes list = http_header_value(head, &head->headers[i]), member;
        if (list.n == 0) http_head_fault(head, "http_content_length_bad", list);
        for (unsigned n = 0; n < LIST_MAX && http_next_member(&list, &member); n++) {
            uint64_t v;
            if (!http_number(member, &v)) {
                http_head_fault(head, "http_content_length_bad", member);
            } else if (found) {
                http_head_fault(head,
                                v == *length ? "http_content_length_repeated"
                                             : "http_content_length_conflict",
                                member);
            } else {
                *length = v;
                found = true;
            }
        }
    }
    return found;
}

static void transfer_framing(struct http_framing *framing, struct http_head *head,
                             enum http_body_kind otherwise)
{
    const struct http_header *first = http_head_find(head, HEADER_TRANSFER_ENCODING);
    if (http_head_find(head, HEADER_CONTENT_LENGTH)) {
        http_head_fault(head, "http_length_and_transfer_encoding", http_header_line(head, first));
    }
    if (bytes_equal(head->version, bytes_text("1.0"))) {
        http_head_fault(head, "http_transfer_encoding_in_1_0", http_header_line(head, first));
    }
    framing->kind = transfer_codings(framing, head) ? HTTP_BODY_CHUNKED : otherwise;
}

static void length_framing(struct http_framing *framing, struct http_head *head,
                           enum http_body_kind otherwise)
{
    framing->kind = otherwise;
    if (!content_length(head, &framing->length)) return;
    framing->kind = framing->length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
}

struct http_framing http_request_framing(struct http_head *head)
{
    struct http_framing framing = {.kind = HTTP_BODY_NONE};
    if (head->simple) return framing;
    content_codings(&framing, head);
    if (!head->first[HEADER_TRANSFER_ENCODING]) length_framing(&framing, head, HTTP_BODY_NONE);
    else transfer_framing(&framing, head, HTTP_BODY_UNKNOWN);
    return framing;
}

struct http_framing http_response_framing(struct http_head *head, enum http_method method)
{
    struct http_framing framing = {.kind = HTTP_BODY_NONE};
    bool tunnels = method == METHOD_CONNECT && head->code / 100 == 2;
    if (method == METHOD_HEAD || tunnels || head->code / 100 == 1 || head->code == 204 ||
        head->code == 304) {
        return framing;
    }
    content_codings(&framing, head);
    if (!head->first[HEADER_TRANSFER_ENCODING]) length_framing(&framing, head, HTTP_BODY_CLOSE);
    else transfer_framing(&framing, head, HTTP_BODY_CLOSE);
    if (is_later_part(head)) framing.coding_count = 0;
    return framing;
}
