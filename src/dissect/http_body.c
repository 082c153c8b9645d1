#include "dissect/http_body.h"

#include "dissect/http_look.h"
#include "dissect/http_message.h"

static void pass_on(struct http_run *run, size_t n)
{
    struct http_direction *direction = run->direction;
    dissect_body_data(run->d, direction->body, bytes_first(run->rest, n));
    direction->seen += n;
    http_run_use(run, n);
}

// What stands between the body and its end when `left` is used up.
static void left_is_over(struct http_run *run)
{
    if (run->direction->left) return;
    if (run->direction->phase == HTTP_CHUNK) run->direction->phase = HTTP_CHUNK_END;
    else http_message_end(run, true);
}

static bool step_left(struct http_run *run)
{
    struct http_direction *direction = run->direction;
    size_t n = direction->left < run->rest.n ? (size_t)direction->left : run->rest.n;
    if (n == 0) return false;
    pass_on(run, n);
    direction->left -= n;
    left_is_over(run);
    return true;
}

// RFC 9112 7.1: chunk-size [ chunk-ext ]; white space may follow the size.
static bool chunk_size(bytes line, uint64_t *size)
{
    size_t n = 0;
    *size = 0;
    for (; n < line.n; n++) {
        uint8_t c = line.p[n] | 0x20;
        bool is_digit = line.p[n] >= '0' && line.p[n] <= '9';
        if (!is_digit && !(c >= 'a' && c <= 'f')) break;
        if (*size >> 59) return false; // too large to be meant
        *size = *size << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    if (n == 0) return false;
    bytes behind = bytes_after(line, n);
    return behind.n == 0 || behind.p[0] == ';' || behind.p[0] == ' ' || behind.p[0] == '\t' ||
           behind.p[0] == '\r';
}

// No chunk begins here. A server that announces chunks and sends none means its body as it is.
static void chunk_is_bad(struct http_run *run, bytes line)
{
    struct http_direction *direction = run->direction;
    if (direction->chunk_seen || run->role == HTTP_CLIENT) {
        http_message_lost(run, "http_chunk_bad", line);
        return;
    }
    http_run_anomaly(run, "http_chunk_bad", run->position, line);
    direction->phase = HTTP_UNTIL_CLOSE;
}

static bool step_chunk_size(struct http_run *run)
{
    struct http_direction *direction = run->direction;
    bytes seen = bytes_first(run->rest, HTTP_CHUNK_LINE_MAX);
    size_t end = bytes_find(seen, '\n');
    if (end == seen.n) {
        if (run->rest.n < HTTP_CHUNK_LINE_MAX) return false;
        chunk_is_bad(run, bytes_first(seen, 64));
        return true;
    }
    if (!chunk_size(bytes_first(seen, end), &direction->left)) {
        chunk_is_bad(run, bytes_first(seen, end));
        return true;
    }
    http_run_use(run, end + 1);
    direction->chunk_seen = true;
    direction->phase = direction->left ? HTTP_CHUNK : HTTP_TRAILER;
    return true;
}

// The line end behind a chunk; one that is missing is not missed.
static bool step_chunk_end(struct http_run *run)
{
    bytes rest = run->rest;
    if (rest.n == 0) return false;
    if (rest.p[0] == '\r' && rest.n < 2) return false;
    if (rest.p[0] == '\n') http_run_use(run, 1);
    else if (rest.p[0] == '\r') http_run_use(run, rest.p[1] == '\n' ? 2 : 1);
    else http_run_anomaly(run, "http_chunk_end_missing", run->position, bytes_of(NULL, 0));
    run->direction->phase = HTTP_CHUNK_SIZE;
    return true;
}

// Lines up to an empty one (RFC 9112 7.1.2); they are not kept.
static bool step_trailer(struct http_run *run)
{
    size_t end = bytes_find(run->rest, '\n');
    if (run->direction->scanned + end > HTTP_TRAILER_MAX) {
        http_message_lost(run, "http_trailer_too_long", bytes_of(NULL, 0));
        return true;
    }
    if (end == run->rest.n) return false;
    bool is_empty = end == 0 || (end == 1 && run->rest.p[0] == '\r');
    run->direction->scanned += (uint32_t)end + 1;
    http_run_use(run, end + 1);
    if (is_empty) http_message_end(run, true);
    return true;
}

static bool step_until_close(struct http_run *run)
{
    if (run->rest.n == 0) return false;
    pass_on(run, run->rest.n);
    return true;
}

static bool step_bare(struct http_run *run)
{
    size_t at;
    bool found = http_find_response(run->rest, &at);
    pass_on(run, run->last && !found ? run->rest.n : at);
    if (found) http_message_end(run, false);
    return found;
}

bool http_body_step(struct http_run *run)
{
    switch ((enum http_phase)run->direction->phase) {
    case HTTP_BODY:
    case HTTP_CHUNK:
        return step_left(run);
    case HTTP_CHUNK_SIZE:
        return step_chunk_size(run);
    case HTTP_CHUNK_END:
        return step_chunk_end(run);
    case HTTP_TRAILER:
        return step_trailer(run);
    case HTTP_UNTIL_CLOSE:
        return step_until_close(run);
    case HTTP_BARE:
        return step_bare(run);
    case HTTP_HEAD:
    case HTTP_HANDOVER:
    case HTTP_LOST:
    case HTTP_OVER:
        break;
    }
    return false;
}

uint64_t http_body_gap(struct http_run *run, uint64_t length)
{
    struct http_direction *direction = run->direction;
    bool is_open = direction->phase == HTTP_UNTIL_CLOSE || direction->phase == HTTP_BARE;
    if (!is_open && direction->phase != HTTP_BODY && direction->phase != HTTP_CHUNK) return 0;
    uint64_t n = is_open || length < direction->left ? length : direction->left;
    dissect_body_gap(run->d, direction->body, n);
    direction->missing += n;
    run->position += n;
    if (is_open) return n;
    direction->left -= n;
    left_is_over(run);
    return n;
}
