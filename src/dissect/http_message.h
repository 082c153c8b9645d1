// What is done when a head was read, a body ended, or the thread was lost.
#pragma once

#include "dissect/http_state.h"

// The heads begin at the run's rest; the view is left where it is.
void http_message_request(struct http_run *run, struct http_head *head);
void http_message_response(struct http_run *run, struct http_head *head);

// The message under way ends where the run stands.
void http_message_end(struct http_run *run, bool complete);

// The message of direction `role` that is under way, if there is one, goes no further.
void http_message_abandon(struct http_run *run, enum http_role role);

// A server that answers with nothing but a body (HTTP/0.9).
void http_message_bare(struct http_run *run);

// Where messages begin is not known any more: ends the one under way, and searches from where the
// run stands.
void http_message_lost(struct http_run *run, const char *anomaly, bytes detail);
