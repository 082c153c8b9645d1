// Rows of `flow` as messages of flow exporters: IPFIX (RFC 7011, biflows as RFC 5103 has them),
// NetFlow 9 (RFC 3954) and NetFlow 5.
//
// A format is one file with a constant struct export_format and one line in the list of
// sink/meson.build. Which element tells which field stands in record/elements.tsv. Values are told
// as they are, or not at all: what a format has no place for is counted, never cut.
//
// One exporter, one thread. Time is a parameter. Memory: fixed, taken at creation.
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "record/batch.h"

// Messages fit into a datagram that no network of today cuts. Over datagrams templates are told
// again so often, for those who came late or lost them (RFC 7011 section 8.4).
enum { EXPORT_MESSAGE_MAX = 1400, EXPORT_REFRESH_MESSAGES = 512 };
#define EXPORT_REFRESH_TIME (60 * NANOS_PER_SECOND)

struct flow_export_options {
    const char *format;
    uint32_t domain; // observation domain, source, engine
    bool is_stream;  // nothing gets lost on the way: templates are told once
    void *context;
    // A message that is complete, with how many records it has; borrowed for the call.
    bool (*send)(void *context, bytes message, uint32_t records, struct err *err);
};

struct flow_export_counts {
    uint64_t flows, records, messages;
    uint64_t untold;   // records that the format cannot tell: IPv6 in NetFlow 5
    uint64_t left_out; // values that it has no place for
};

struct flow_export;

// `kind` is that of `flow`; its fields are known by name. ERR_USAGE when there is no such format.
struct flow_export *flow_export_create(const struct flow_export_options *options,
                                       const struct record_kind *kind, struct err *err);
void flow_export_destroy(struct flow_export *e); // NULL is fine

// Adds a row at time `now`, and sends what is full. A message has the latest time of its rows.
// False when sending failed.
bool flow_export_take(struct flow_export *e, const struct record_batch *batch, uint32_t row,
                      nanos now, struct err *err);
bool flow_export_flush(struct flow_export *e, struct err *err);
struct flow_export_counts flow_export_counts(const struct flow_export *e);

// Names of all formats, for people: "ipfix, netflow9, netflow5".
const char *flow_export_formats(void);
