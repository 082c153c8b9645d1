// Messages of flow exporters to rows of `flow`: NetFlow 5, 7 and 9 (RFC 3954), IPFIX (RFC 7011).
//
// A protocol is one file with a constant struct export_protocol and one line in the list of
// collect/meson.build; the version in the first two bytes of a message chooses it. Broken messages
// are data: counted by exporter and reason, and told as `loss` records of the stage "collect".
//
// One collector, one thread. Time is a parameter: each message comes with that of its arrival.
#pragma once

#include "collect/session.h"

struct collector_options {
    const char *point; // name of the observation point, "" when it has none
    bool elements;     // keep what has no field of its own
};

struct export_message {
    bytes data;
    struct address from;
    uint16_t port;
    uint64_t connection; // 0: a datagram
    nanos received;
};

struct collector_counts {
    uint64_t messages, flows, options, unknown_version;
};

static inline void collector_counts_add(struct collector_counts *sum, struct collector_counts n)
{
    sum->messages += n.messages;
    sum->flows += n.flows;
    sum->options += n.options;
    sum->unknown_version += n.unknown_version;
}

struct collector;

// Borrows the writer and the options' strings. NULL and err when address space is short.
struct collector *collector_create(const struct collector_options *options,
                                   struct record_writer *writer, struct err *err);
void collector_destroy(struct collector *c);

void collector_take(struct collector *c, const struct export_message *m);
// A connection is over: what was told in it holds for no other (RFC 7011 section 10.4).
void collector_close(struct collector *c, uint64_t connection);
// Tells what every exporter lost since the last call; at the end, and now and then before.
void collector_tell(struct collector *c);
// Nothing will come any more: what waits for a template is lost. Tells all.
void collector_end(struct collector *c);
struct collector_counts collector_counts(const struct collector *c);
