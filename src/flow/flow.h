// What is measured of conversations: the records `conversation` and `flow`, and the service by
// port.
//
// Runs in the lane that owns the conversation.
#pragma once

#include "flow/conversation.h"
#include "flow/flow_kind.h"
#include "record/writer.h"

extern const struct record_kind conversation_kind;

// Why a flow record was closed; IPFIX flowEndReason (RFC 5102 section 5.11.3) has the same
// distinctions.
enum flow_end { FLOW_IDLE, FLOW_ACTIVE, FLOW_ENDED };

// Why the running interval is closed at `watermark`. Follows from packets and timeouts alone,
// whoever asks and however late: `end` when both sides had closed, or when it had not run out yet.
enum flow_end flow_end_at(const struct conversation *c, nanos watermark, nanos active_timeout,
                          nanos idle_timeout);

struct record_id conversation_id(const struct conversation *c);

// Makes the id of a conversation from its first packet and the observation point's name ("" when it
// has none).
void conversation_name(struct conversation *c, const struct packet *first, const char *point);

// Counts a packet in both its conversation and the running flow interval.
void conversation_count(struct conversation *c, const struct packet *p);

// Writes the running interval as a `flow` record, if any packet came in it, and ends it.
void flow_write(struct conversation *c, enum flow_end why, struct record_writer *writer);
// Fills in what a record that hangs on the conversation says of it: its id, and who spoke.
void conversation_fill(const struct conversation *c, struct row *row);
void conversation_write(const struct conversation *c, struct record_writer *writer);
