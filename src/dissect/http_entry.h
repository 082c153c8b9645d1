// The queue of transactions under way: which response answers which request, and when a record is
// done (http_state.h tells by what rules).
#pragma once

#include "dissect/http_state.h"

// The entry of a request, or of a final response, that begins at `time`: its index. It may already
// have the other half. Both may move the state: the run knows, other pointers into it are void.
uint32_t http_entry_ask(struct http_run *run, nanos time);
uint32_t http_entry_answer(struct http_run *run, nanos time);

// The request that an interim response is for; NULL when there is none.
struct http_entry *http_entry_asked(struct http *http);

// The record of entry `index` for writing, or NULL when it was emitted early; give it back with
// http_entry_keep, which emits the record when both halves are done, and drops the entry (indices
// above it then move down by one).
struct row *http_entry_take(struct http_run *run, uint32_t index);
void http_entry_keep(struct http_run *run, uint32_t index, struct row *row);

// Bytes of the run's direction were lost, and with them perhaps whole messages.
void http_entries_lost(struct http_run *run);
// Emits all that is held.
void http_entries_flush(struct http_run *run);
