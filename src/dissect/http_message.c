#include "dissect/http_message.h"

#include "dissect/http_entry.h"
#include "dissect/http_framing.h"
#include "dissect/http_record.h"

static bool under_way(const struct http_direction *direction)
{
    switch ((enum http_phase)direction->phase) {
    case HTTP_BODY:
    case HTTP_CHUNK_SIZE:
    case HTTP_CHUNK:
    case HTTP_CHUNK_END:
    case HTTP_TRAILER:
    case HTTP_UNTIL_CLOSE:
    case HTTP_BARE:
        return true;
    case HTTP_HEAD:
    case HTTP_HANDOVER:
    case HTTP_LOST:
    case HTTP_OVER:
        return false;
    }
    return false;
}

static void faults_tell(struct http_run *run, const struct http_head *head)
{
    for (uint32_t i = 0; i < head->fault_count; i++) {
        http_run_anomaly(run, head->faults[i].name, run->position, head->faults[i].detail);
    }
}

static bool is_cut(const struct http_head *head)
{
    for (uint32_t i = 0; i < head->fault_count; i++) {
        if (strcmp(head->faults[i].name, "http_head_incomplete") == 0) return true;
    }
    return false;
}

// ---- ends ---------------------------------------------------------------------------------------

static void next_message(struct http_direction *direction)
{
    direction->phase = HTTP_HEAD;
    direction->scanned = 0;
    direction->body = 0;
    direction->left = 0;
    direction->seen = 0;
    direction->missing = 0;
}

static void entry_done(struct http_run *run, struct row *row, const struct http_body_result *body)
{
    struct http_direction *direction = run->direction;
    struct http_entry *e = &run->http->entries[direction->entry];
    e->flags |= run->role == HTTP_SERVER ? ENTRY_RESPONSE_DONE : ENTRY_REQUEST_DONE;
    if (row) {
        http_record_body(row, run->role == HTTP_SERVER, body);
        row_range(row, run->side, direction->begin, run->position - direction->begin);
    }
    http_entry_keep(run, direction->entry, row);
}

void http_message_end(struct http_run *run, bool complete)
{
    struct http_direction *direction = run->direction;
    struct http_body_result body = {
        .seen = direction->seen,
        .missing = direction->missing,
        .complete = complete && direction->missing == 0,
        .decoded = direction->body != 0,
    };
    dissect_body_close(run->d, direction->body, body.complete, &body.summary);
    entry_done(run, http_entry_take(run, direction->entry), &body);
    next_message(direction);
}

void http_message_abandon(struct http_run *run, enum http_role role)
{
    struct http_run other = *run;
    other.direction = &run->http->directions[role];
    if (!under_way(other.direction)) return;
    other.role = (uint8_t)role;
    other.side = role == HTTP_CLIENT ? run->http->client : !run->http->client;
    other.position = other.direction->position;
    http_message_end(&other, false);
}

// ---- bodies -------------------------------------------------------------------------------------

static void body_expect(struct http_run *run, const struct http_framing *framing)
{
    struct http_direction *direction = run->direction;
    direction->scanned = 0;
    direction->chunk_seen = false;
    direction->left = framing->length;
    switch (framing->kind) {
    case HTTP_BODY_LENGTH:
        direction->phase = HTTP_BODY;
        break;
    case HTTP_BODY_CHUNKED:
        direction->phase = HTTP_CHUNK_SIZE;
        break;
    case HTTP_BODY_CLOSE:
        direction->phase = HTTP_UNTIL_CLOSE;
        break;
    case HTTP_BODY_NONE:
    case HTTP_BODY_UNKNOWN:
        break;
    }
}

// Behind a head that was read: the body begins, or the message is over. `row` is the record, not
// held.
static void head_done(struct http_run *run, struct row *row, const struct http_head *head,
                      const struct http_framing *framing)
{
    struct http_direction *direction = run->direction;
    direction->begin = run->position;
    http_run_use(run, head->length);
    bool has_body = framing->kind != HTTP_BODY_NONE && framing->kind != HTTP_BODY_UNKNOWN;
    if (has_body && !is_cut(head)) {
        direction->body = http_body_begin(run->d, row, head, framing, run->side, run->position);
        http_entry_keep(run, direction->entry, row);
        body_expect(run, framing);
        return;
    }
    struct http_body_result none = {.complete = !is_cut(head) && framing->kind == HTTP_BODY_NONE};
    entry_done(run, row, &none);
    next_message(direction);
}

// ---- requests -----------------------------------------------------------------------------------

static unsigned request_flags(const struct http_head *head)
{
    unsigned flags = ENTRY_REQUEST;
    const struct http_header *expect = http_head_find(head, HEADER_EXPECT);
    if (head->simple) flags |= ENTRY_SIMPLE;
    if (expect && bytes_equal_nocase(http_header_value(head, expect), bytes_text("100-continue"))) {
        flags |= ENTRY_EXPECTS;
    }
    return flags;
}

// The record for a head that begins where the run stands: with its other half, or new.
static struct row *head_row(struct http_run *run, nanos time)
{
    struct row *row = http_entry_take(run, run->direction->entry);
    return row ? row : dissect_row(run->d, &http_kind, run->side, run->position, time);
}

void http_message_request(struct http_run *run, struct http_head *head)
{
    nanos time = dissect_time_at(run->d, run->side, run->position);
    uint32_t entry = http_entry_ask(run, time); // moves the state
    run->direction->entry = (uint8_t)entry;
    struct http_entry *e = &run->http->entries[entry];
    struct http_framing framing = http_request_framing(head);
    e->flags |= (uint16_t)request_flags(head);
    e->method = head->method;
    faults_tell(run, head);
    struct row *row = head_row(run, time);
    row_uint(row, HTTP_TRANS_DEPTH, ++run->http->depth);
    http_record_request(row, head);
    bool hands_over = !(e->flags & ENTRY_RESPONSE) &&
                      (head->method == METHOD_CONNECT || http_head_find(head, HEADER_UPGRADE));
    head_done(run, row, head, &framing);
    if (framing.kind == HTTP_BODY_UNKNOWN) {
        http_message_lost(run, "http_body_end_unknown", head->target);
    } else if (hands_over && run->direction->phase == HTTP_HEAD) {
        run->direction->phase = HTTP_HANDOVER;
    }
}

// ---- responses ----------------------------------------------------------------------------------

// 1xx: another response follows (RFC 9110 15.2).
static void interim(struct http_run *run, const struct http_head *head)
{
    struct http_entry *e = http_entry_asked(run->http);
    struct row *row = NULL;
    uint32_t index = 0;
    if (e) {
        index = (uint32_t)(e - run->http->entries);
        row = http_entry_take(run, index);
    }
    if (row) {
        row_uint(row, HTTP_INFO_CODE, head->code);
        if (head->reason.n) row_text(row, HTTP_INFO_MSG, head->reason);
        http_entry_keep(run, index, row);
    } else {
        run->http->info_code = head->code;
    }
    http_run_use(run, head->length);
    run->direction->scanned = 0;
}

// A tunnel whose CONNECT was not seen: proxies say so in words, and such a response has no body of
// its own.
static bool reads_like_tunnel(const struct http_head *head)
{
    static const char *const WORDS[] = {"Connection established", "Connection Established",
                                        "Tunnel established"};
    if (head->code != 200 || http_head_find(head, HEADER_CONTENT_LENGTH) ||
        http_head_find(head, HEADER_TRANSFER_ENCODING)) {
        return false;
    }
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (bytes_equal_nocase(head->reason, bytes_text(WORDS[i]))) return true;
    }
    return false;
}

static bool hands_over(const struct http_entry *e, const struct http_head *head)
{
    if (head->code == 101) return true;
    if (e->flags & ENTRY_REQUEST) return e->method == METHOD_CONNECT && head->code / 100 == 2;
    return reads_like_tunnel(head);
}

// The connection is something else from here on.
static void hand_over(struct http_run *run, struct row *row, const struct http_head *head)
{
    const struct http_header *upgrade = http_head_find(head, HEADER_UPGRADE);
    struct http_body_result none = {.complete = true};
    if (head->code != 101) row_text(row, HTTP_UPGRADE, bytes_text("CONNECT"));
    else if (upgrade) row_text(row, HTTP_UPGRADE, http_header_value(head, upgrade));
    run->direction->begin = run->position;
    http_run_use(run, head->length);
    entry_done(run, row, &none);
    http_message_abandon(run, HTTP_CLIENT);
    http_entries_flush(run);
    if (head->code != 101) dissect_tunnel(run->d, "connect");
    dissect_switch(run->d, NULL);
    run->switched = true;
}

static void client_released(struct http *http)
{
    struct http_direction *client = &http->directions[HTTP_CLIENT];
    bool is_its_answer = client->entry == http->directions[HTTP_SERVER].entry;
    if (client->phase == HTTP_HANDOVER && is_its_answer) next_message(client);
}

static void response_fill(struct http_run *run, struct row *row, const struct http_entry *e,
                          const struct http_head *head, nanos time)
{
    http_record_response(row, head);
    if (run->http->info_code) row_uint(row, HTTP_INFO_CODE, run->http->info_code);
    run->http->info_code = 0;
    if (e->flags & ENTRY_REQUEST && time >= e->time)
        row_time(row, HTTP_RESPONSE_TIME, (nanos)((uint64_t)time - (uint64_t)e->time));
}

void http_message_response(struct http_run *run, struct http_head *head)
{
    nanos time = dissect_time_at(run->d, run->side, run->position);
    if (head->code / 100 == 1 && head->code != 101) {
        faults_tell(run, head);
        interim(run, head);
        return;
    }
    uint32_t entry = http_entry_answer(run, time); // moves the state
    run->direction->entry = (uint8_t)entry;
    struct http_entry *e = &run->http->entries[entry];
    struct http_framing framing = http_response_framing(head, e->method);
    e->flags |= ENTRY_RESPONSE;
    faults_tell(run, head);
    struct row *row = head_row(run, time);
    response_fill(run, row, e, head, time);
    client_released(run->http);
    if (hands_over(e, head) && !is_cut(head)) hand_over(run, row, head);
    else head_done(run, row, head, &framing);
}

void http_message_bare(struct http_run *run)
{
    struct http_head head = {.view = run->rest};
    struct http_framing framing = {.kind = HTTP_BODY_CLOSE};
    nanos time = dissect_time_at(run->d, run->side, run->position);
    uint32_t entry = http_entry_answer(run, time); // moves the state
    run->direction->entry = (uint8_t)entry;
    struct http_entry *e = &run->http->entries[entry];
    if (!(e->flags & ENTRY_SIMPLE)) {
        http_run_anomaly(run, "http_response_without_head", run->position, bytes_of(NULL, 0));
    }
    e->flags |= ENTRY_RESPONSE;
    struct row *row = head_row(run, time);
    row_text(row, HTTP_RESPONSE_VERSION, bytes_text("0.9"));
    if (e->flags & ENTRY_REQUEST && time >= e->time)
        row_time(row, HTTP_RESPONSE_TIME, (nanos)((uint64_t)time - (uint64_t)e->time));
    bool asked_for = (e->flags & ENTRY_SIMPLE) != 0;
    head_done(run, row, &head, &framing);
    if (!asked_for) run->direction->phase = HTTP_BARE;
}

// ---- losses -------------------------------------------------------------------------------------

void http_message_lost(struct http_run *run, const char *anomaly, bytes detail)
{
    struct http_direction *direction = run->direction;
    if (direction->losses_told < HTTP_LOSSES_TOLD_MAX) {
        http_run_anomaly(run, anomaly, run->position, detail);
        direction->losses_told++;
    }
    if (under_way(direction)) http_message_end(run, false);
    http_entries_lost(run);
    direction->phase = HTTP_LOST;
    direction->in_line = false;
    direction->lost = 0;
}
