// HTTP/1.x (RFC 9110, RFC 9112) with the manners of real servers and clients, and HTTP/0.9 where a
// port says so.
//
// Requests and responses are paired as http_state.h tells; http_head.c reads heads, http_framing.c
// finds the end of bodies, http_body.c walks them, http_entry.c pairs, http_message.c and
// http_record.c write records.
#include "dissect/dissect.h"

#include "dissect/http_body.h"
#include "dissect/http_entry.h"
#include "dissect/http_look.h"
#include "dissect/http_message.h"
#include "dissect/http_record.h"

_Static_assert(HTTP_STATE_SIZE(HTTP_PIPELINE_MAX) <= DISSECT_STATE_MAX, "the state has to fit");
_Static_assert((int)HTTP_HEAD_MAX == (int)STREAM_VIEW_MAX, "a head is seen whole or not at all");

enum { RECOGNISE_BYTES = 512 }; // a target that is longer need not be seen to its end

// ---- recognition --------------------------------------------------------------------------------

static bytes line_ends_cut(bytes b)
{
    while (b.n && (b.p[0] == '\r' || b.p[0] == '\n')) b = bytes_after(b, 1);
    return b;
}

static enum recognition http_recognise(const struct piece *first, enum transport transport)
{
    if (transport != TRANSPORT_TCP) return RECOGNISE_NO;
    bytes data = line_ends_cut(first->data); // RFC 9112 2.2: some clients send empty lines first
    enum http_look response = http_look_response(data, first->last);
    bool enough = first->last || data.n >= RECOGNISE_BYTES;
    enum http_look request = http_look_request(data, enough);
    if (response == HTTP_LOOK_YES || request == HTTP_LOOK_YES) return RECOGNISE_YES;
    if (request == HTTP_LOOK_SIMPLE)
        return data.n >= RECOGNISE_BYTES ? RECOGNISE_YES : RECOGNISE_PORT;
    if (response == HTTP_LOOK_MORE || request == HTTP_LOOK_MORE) return RECOGNISE_MORE;
    return RECOGNISE_NO;
}

// ---- roles --------------------------------------------------------------------------------------

// A head tells who is who, unless that is known.
static void roles_learn(struct http_run *run, enum http_role role)
{
    struct http *http = run->http;
    if (http->roles_known) return;
    if (role != run->role) {
        struct http_direction direction = http->directions[0];
        http->directions[0] = http->directions[1];
        http->directions[1] = direction;
        run->role = (uint8_t)role;
        run->direction = &http->directions[role];
    }
    http->roles_known = true;
    http->client = role == HTTP_CLIENT ? run->side : !run->side;
    dissect_client_is(run->d, http->client);
}

static struct http_run run_of(struct dissect *d, uint8_t side)
{
    struct http_run run = {.d = d, .http = dissect_state(d), .side = side};
    run.role = side == run.http->client ? HTTP_CLIENT : HTTP_SERVER;
    run.direction = &run.http->directions[run.role];
    return run;
}

// ---- heads --------------------------------------------------------------------------------------

// How much of the rest shows that no head begins here, with the byte that shows it; 0 when one
// could. The start line is not all there.
static size_t request_refuted(bytes rest)
{
    size_t n = http_method_length(rest);
    if (n > HTTP_METHOD_MAX) return HTTP_METHOD_MAX;
    if (n == rest.n) return 0;
    return n == 0 || rest.p[n] != ' ' ? n + 1 : 0;
}

static size_t start_compared(bytes rest, const char *start)
{
    size_t n = 0;
    while (n < rest.n && start[n] && rest.p[n] == (uint8_t)start[n]) n++;
    return n;
}

static size_t response_refuted(bytes rest)
{
    size_t http = start_compared(rest, "HTTP/"), icy = start_compared(rest, "ICY ");
    if (http == rest.n || icy == rest.n || http == 5 || icy == 4) return 0;
    return (http > icy ? http : icy) + 1;
}

// A response is due that has no head: HTTP/0.9, which was asked for, or which an old device speaks
// whatever it was asked. Behind a first response, without a request, or before it, such bytes mean
// that something was lost, or that another protocol came first.
static bool bare_is_due(const struct http_run *run)
{
    const struct http_entry *e = http_entry_asked(run->http);
    if (!e || dissect_time_at(run->d, run->side, run->position) < e->time) return false;
    return (e->flags & ENTRY_SIMPLE) || run->position == 0;
}

// Searches on behind the byte that begins no message, lest the search finds it again.
static void head_lost(struct http_run *run, const char *anomaly, bytes detail)
{
    http_message_lost(run, anomaly, detail);
    http_run_use(run, 1);
    run->direction->in_line = true;
}

static bool head_is_bad(struct http_run *run, bytes detail)
{
    if (run->role == HTTP_SERVER && bare_is_due(run)) http_message_bare(run);
    else if (run->role == HTTP_SERVER) head_lost(run, "http_response_malformed", detail);
    else head_lost(run, "http_request_malformed", detail);
    return true;
}

// What shows that a start line is none: the same whether or not all of it was there.
static bytes first_line_refuted(const struct http_run *run)
{
    size_t refuted =
        run->role == HTTP_CLIENT ? request_refuted(run->rest) : response_refuted(run->rest);
    return bytes_first(run->rest, refuted ? refuted : bytes_find(run->rest, '\n'));
}

// The head goes on behind the view.
static bool head_goes_on(struct http_run *run)
{
    bool is_request = run->role == HTTP_CLIENT;
    if (run->direction->scanned == 0) {
        size_t refuted = is_request ? request_refuted(run->rest) : response_refuted(run->rest);
        if (refuted) return head_is_bad(run, bytes_first(run->rest, refuted));
    }
    if (run->rest.n < HTTP_HEAD_MAX) return false;
    head_lost(run, "http_head_too_long", bytes_first(run->rest, 64));
    return true;
}

// Learns from the first head of the conversation who is who; false when none can be seen here.
static bool first_head(struct http_run *run)
{
    enum http_look response = http_look_response(run->rest, run->last);
    enum http_look request = http_look_request(run->rest, run->last);
    if (response == HTTP_LOOK_MORE || request == HTTP_LOOK_MORE) return false;
    if (response == HTTP_LOOK_NO && request == HTTP_LOOK_NO) {
        head_lost(run, "http_start_in_midst", bytes_of(NULL, 0));
        return false;
    }
    roles_learn(run, response == HTTP_LOOK_YES ? HTTP_SERVER : HTTP_CLIENT);
    return true;
}

static bool step_head(struct http_run *run)
{
    struct http_direction *direction = run->direction;
    if (direction->scanned == 0) http_run_use(run, run->rest.n - line_ends_cut(run->rest).n);
    if (run->rest.n == 0) return false;
    if (!run->http->roles_known && !first_head(run)) return run->direction->phase != HTTP_HEAD;
    direction = run->direction;
    struct http_head head;
    bool is_request = run->role == HTTP_CLIENT;
    enum http_split split =
        is_request ? http_request_split(&head, run->rest, &direction->scanned, run->last)
                   : http_response_split(&head, run->rest, &direction->scanned, run->last);
    if (split == HTTP_SPLIT_MORE) return head_goes_on(run);
    if (split == HTTP_SPLIT_BAD) return head_is_bad(run, first_line_refuted(run));
    if (is_request) http_message_request(run, &head);
    else http_message_response(run, &head);
    return !run->switched;
}

// ---- other phases -------------------------------------------------------------------------------

// Behind CONNECT or Upgrade: another request shows that the server need not be waited for.
static bool step_handover(struct http_run *run)
{
    if (http_look_request(run->rest, run->last) != HTTP_LOOK_YES) return false;
    run->direction->phase = HTTP_HEAD;
    run->direction->scanned = 0;
    return true;
}

static bool step_lost(struct http_run *run)
{
    struct http_direction *direction = run->direction;
    size_t at = 0;
    bool found = run->role == HTTP_CLIENT ? http_find_request(run->rest, &direction->in_line, &at)
                                          : http_find_response(run->rest, &at);
    http_run_use(run, at);
    direction->lost += at;
    if (found) {
        direction->phase = HTTP_HEAD;
        direction->scanned = 0;
        return true;
    }
    if (direction->lost > HTTP_LOST_MAX) direction->phase = HTTP_OVER;
    return false;
}

// The client was told the outcome before it sent the body that it announced with Expect:
// 100-continue, and goes on with its next request (RFC 9110 10.1.1).
static enum http_look body_was_spared(const struct http_run *run)
{
    const struct http_direction *direction = run->direction;
    bool begins = direction->phase == HTTP_BODY || direction->phase == HTTP_CHUNK_SIZE;
    if (run->role != HTTP_CLIENT || !begins) return HTTP_LOOK_NO;
    if (direction->seen || direction->missing || direction->chunk_seen) return HTTP_LOOK_NO;
    unsigned flags = run->http->entries[direction->entry].flags;
    if (!(flags & ENTRY_EXPECTS) || !(flags & ENTRY_RESPONSE)) return HTTP_LOOK_NO;
    return http_look_request(run->rest, run->last);
}

static bool step_body(struct http_run *run)
{
    enum http_look spared = body_was_spared(run);
    if (spared == HTTP_LOOK_MORE) return false;
    if (spared != HTTP_LOOK_YES) return http_body_step(run);
    http_message_end(run, false);
    return true;
}

static bool step(struct http_run *run)
{
    switch ((enum http_phase)run->direction->phase) {
    case HTTP_HEAD:
        return step_head(run);
    case HTTP_HANDOVER:
        return step_handover(run);
    case HTTP_LOST:
        return step_lost(run);
    case HTTP_OVER:
        return false;
    case HTTP_BODY:
    case HTTP_CHUNK_SIZE:
    case HTTP_CHUNK:
    case HTTP_CHUNK_END:
    case HTTP_TRAILER:
    case HTTP_UNTIL_CLOSE:
    case HTTP_BARE:
        return step_body(run);
    }
    return false;
}

// Nothing follows: what is under way ends here.
static void direction_ends(struct http_run *run, bool closed)
{
    bool open = run->direction->phase == HTTP_UNTIL_CLOSE || run->direction->phase == HTTP_BARE;
    if (open) http_message_end(run, closed);
    else http_message_abandon(run, run->role);
    run->direction->phase = HTTP_OVER;
}

static struct progress http_stream(struct dissect *d, const struct piece *piece)
{
    struct http_run run = run_of(d, piece->side);
    run.last = piece->last;
    run.rest = piece->data;
    run.position = piece->position;
    run.direction->position = run.position;
    while (step(&run)) continue;
    struct progress progress = {.verdict = DISSECT_GO, .used = piece->data.n - run.rest.n};
    run.direction->position = run.position;
    if (run.switched) return progress;
    if (run.last) direction_ends(&run, piece->closed);
    if (run.direction->phase == HTTP_OVER) progress.verdict = DISSECT_STOP;
    // A view that is full and waits for the other direction would never change.
    if (run.rest.n == STREAM_VIEW_MAX) progress.used = piece->data.n;
    return progress;
}

static bool http_gap(struct dissect *d, uint8_t side, uint64_t position, uint64_t length)
{
    struct http_run run = run_of(d, side);
    run.position = position;
    uint64_t bridged = http_body_gap(&run, length);
    if (bridged < length && run.direction->phase != HTTP_LOST &&
        run.direction->phase != HTTP_OVER) {
        http_message_lost(&run, "http_bytes_missing", bytes_of(NULL, 0));
    }
    if (run.direction->phase == HTTP_LOST) run.direction->in_line = true;
    run.direction->position = position + length;
    return run.direction->phase != HTTP_OVER;
}

static void http_end(struct dissect *d)
{
    struct http_run run = run_of(d, 0);
    http_message_abandon(&run, HTTP_CLIENT);
    http_message_abandon(&run, HTTP_SERVER);
    http_entries_flush(&run);
}

const struct dissector http_dissector = {
    .name = "http",
    .transports = TRANSPORT_TCP,
    .ports = {80, 8080, 8000, 3128, 8008, 81, 8888},
    .state_size = HTTP_STATE_SIZE(HTTP_ENTRIES_FIRST),
    .kinds = {&http_kind},
    .recognise = http_recognise,
    .stream = http_stream,
    .gap = http_gap,
    .end = http_end,
};
