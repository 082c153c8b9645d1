#include "dissect/http_entry.h"

#include <assert.h>

#include "dissect/http_message.h"
#include "dissect/http_record.h"

static bool is_done(const struct http_entry *e)
{
    return e->flags & (ENTRY_REQUEST_DONE | ENTRY_NO_REQUEST) &&
           e->flags & (ENTRY_RESPONSE_DONE | ENTRY_NO_RESPONSE);
}

static bool is_unanswered(const struct http_entry *e)
{
    return e->flags & ENTRY_REQUEST && !(e->flags & (ENTRY_RESPONSE | ENTRY_NO_RESPONSE));
}

static bool is_waiting(const struct http_entry *e)
{
    return e->flags & ENTRY_RESPONSE && !(e->flags & (ENTRY_REQUEST | ENTRY_NO_REQUEST));
}

// ---- records ------------------------------------------------------------------------------------

struct row *http_entry_take(struct http_run *run, uint32_t index)
{
    struct http_entry *e = &run->http->entries[index];
    if (!e->held) return NULL;
    struct row *row = dissect_take(run->d, e->held);
    e->held = 0;
    return row;
}

static void emit(struct http_run *run, const struct http_entry *e, struct row *row)
{
    if (!(e->flags & ENTRY_REQUEST)) row_uint(row, HTTP_TRANS_DEPTH, ++run->http->depth);
    row_uint(row, HTTP_REQUEST_SEEN, (e->flags & ENTRY_REQUEST) != 0);
    row_uint(row, HTTP_RESPONSE_SEEN, (e->flags & ENTRY_RESPONSE) != 0);
    dissect_emit(run->d, row);
}

static void entry_remove(struct http *http, uint32_t index)
{
    http->entry_count--;
    memmove(&http->entries[index], &http->entries[index + 1],
            (http->entry_count - index) * sizeof http->entries[0]);
    for (unsigned role = 0; role < 2; role++) {
        if (http->directions[role].entry > index) http->directions[role].entry--;
    }
}

// No more can be held: the record goes out as it is, and a response to come makes one of its own.
static void emit_early(struct http_run *run, struct http_entry *e, struct row *row)
{
    emit(run, e, row);
    if (e->flags & ENTRY_RESPONSE) return;
    e->flags = (uint16_t)((e->flags & ~ENTRY_REQUEST) | ENTRY_NO_REQUEST);
}

void http_entry_keep(struct http_run *run, uint32_t index, struct row *row)
{
    struct http_entry *e = &run->http->entries[index];
    bool done = is_done(e);
    if (row && done) {
        emit(run, e, row);
    } else if (row) {
        e->held = dissect_hold(run->d, row);
        if (!e->held) emit_early(run, e, row);
    }
    if (done) entry_remove(run->http, index);
}

// The other half will not come; true when that was all that was missing, and the entry is gone.
static bool give_up(struct http_run *run, uint32_t index, enum http_entry_flag flag)
{
    struct http_entry *e = &run->http->entries[index];
    e->flags |= (uint16_t)flag;
    if (!is_done(e)) return false;
    http_entry_keep(run, index, http_entry_take(run, index));
    return true;
}

// ---- pairing ------------------------------------------------------------------------------------

static uint32_t oldest(const struct http *http, bool (*is)(const struct http_entry *))
{
    uint32_t i = 0;
    while (i < http->entry_count && !is(&http->entries[i])) i++;
    return i;
}

static uint32_t count_of(const struct http *http, bool (*is)(const struct http_entry *))
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < http->entry_count; i++) count += is(&http->entries[i]);
    return count;
}

// Room for one entry more, in a larger state if need be. False when no larger one is to be had.
static bool state_grow(struct http_run *run)
{
    struct http *http = run->http;
    uint32_t room = http->entry_room ? http->entry_room : HTTP_ENTRIES_FIRST;
    if (http->entry_count >= room) {
        room = room * 4 < HTTP_PIPELINE_MAX ? room * 4 : HTTP_PIPELINE_MAX;
        http = dissect_state_resize(run->d, HTTP_STATE_SIZE(room));
        if (!http) return false;
        run->http = http;
        run->direction = &http->directions[run->role];
    }
    http->entry_room = room;
    return true;
}

// The lane has no memory: what is under way is told as it is.
static void let_all_go(struct http_run *run)
{
    http_message_abandon(run, run->role == HTTP_CLIENT ? HTTP_SERVER : HTTP_CLIENT);
    http_entries_flush(run);
    run->http->in_step = false;
    run->http->server_lost = true;
}

// Makes room by letting the oldest request without response go: the response that is its own will
// stand alone.
static void make_room(struct http_run *run)
{
    struct http *http = run->http;
    if (http->entry_count < HTTP_PIPELINE_MAX) {
        if (!state_grow(run)) let_all_go(run);
        return;
    }
    uint32_t index = oldest(http, is_unanswered);
    assert(index < http->entry_count); // at most HTTP_WAITING_MAX and one in each direction are of
                                       // another sort
    if (!http->overflow_told) {
        http_run_anomaly(run, "http_requests_unanswered", run->position, bytes_of(NULL, 0));
    }
    http->overflow_told = true;
    http->orphans++;
    give_up(run, index, ENTRY_NO_RESPONSE);
}

static uint32_t append(struct http_run *run, nanos time, unsigned flags)
{
    make_room(run);
    struct http *http = run->http;
    assert(http->entry_count < http->entry_room);
    http->entries[http->entry_count] = (struct http_entry){.time = time, .flags = (uint16_t)flags};
    return http->entry_count++;
}

// The packets of the two directions may have been captured in the wrong order: a response that
// waits is for this request if it was not sent before it.
static bool is_for(const struct http *http, const struct http_entry *waiting, nanos time)
{
    if (time <= waiting->time) return true;
    return http->in_step && (uint64_t)time - (uint64_t)waiting->time <= HTTP_DISORDER_MAX;
}

uint32_t http_entry_ask(struct http_run *run, nanos time)
{
    struct http *http = run->http;
    for (uint32_t i = oldest(http, is_waiting); i < http->entry_count;
         i = oldest(http, is_waiting)) {
        bool found = is_for(http, &http->entries[i], time);
        if (!found && http->in_step) {
            http_run_anomaly(run, "http_response_unasked", run->position, bytes_of(NULL, 0));
        }
        http->in_step = found;
        if (found) return i;
        give_up(run, i, ENTRY_NO_REQUEST);
    }
    bool pipelined = !http->server_lost && oldest(http, is_unanswered) < http->entry_count;
    return append(run, time, pipelined ? ENTRY_PIPELINED : 0);
}

// After a loss on the server's side: lets all requests go but the one that this response must be
// for, if there is one.
static void unanswered_thin_out(struct http_run *run)
{
    struct http *http = run->http;
    for (uint32_t left = count_of(http, is_unanswered); left > 0; left--) {
        uint32_t index = oldest(http, is_unanswered);
        if (left == 1 && !(http->entries[index].flags & ENTRY_PIPELINED)) return;
        give_up(run, index, ENTRY_NO_RESPONSE);
    }
}

uint32_t http_entry_answer(struct http_run *run, nanos time)
{
    struct http *http = run->http;
    if (http->server_lost) unanswered_thin_out(run);
    http->server_lost = false;
    if (http->orphans) {
        http->orphans--;
        return append(run, time, ENTRY_NO_REQUEST);
    }
    uint32_t index = oldest(http, is_unanswered);
    if (index < http->entry_count) {
        http->in_step = true;
        return index;
    }
    if (count_of(http, is_waiting) == HTTP_WAITING_MAX) {
        give_up(run, oldest(http, is_waiting), ENTRY_NO_REQUEST);
        http->in_step = false;
    }
    return append(run, time, 0);
}

struct http_entry *http_entry_asked(struct http *http)
{
    if (http->server_lost || http->orphans) return NULL;
    uint32_t index = oldest(http, is_unanswered);
    return index < http->entry_count ? &http->entries[index] : NULL;
}

void http_entries_lost(struct http_run *run)
{
    struct http *http = run->http;
    http->in_step = false;
    if (run->role == HTTP_SERVER) {
        http->server_lost = true;
        http->orphans = 0;
        return;
    }
    for (uint32_t i = oldest(http, is_waiting); i < http->entry_count;
         i = oldest(http, is_waiting)) {
        give_up(run, i, ENTRY_NO_REQUEST);
    }
}

void http_entries_flush(struct http_run *run)
{
    struct http *http = run->http;
    while (http->entry_count) {
        http->entries[0].flags |= ENTRY_REQUEST_DONE | ENTRY_RESPONSE_DONE;
        http_entry_keep(run, 0, http_entry_take(run, 0));
    }
}
