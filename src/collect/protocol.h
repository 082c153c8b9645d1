// The inside of the collector: what its protocols share. Not for other folders.
#pragma once

#include "collect/collector.h"

// One message while it is read.
struct message {
    struct collector *collector;
    const struct export_message *from;
    struct session *session; // once the protocol has found it
    struct flow_origin origin;
    struct flow_rows *rows;
    struct collector_counts *counts;
    bool has_uncounted; // sets whose records cannot be told apart without their template
};

struct export_protocol {
    uint16_t version;
    // The message with its version; counts what is broken.
    void (*take)(struct message *m, struct reader r);
};

extern const struct export_protocol *const export_protocols[];
extern const uint32_t export_protocol_count;

struct sessions *collector_sessions(const struct collector *c);

// Sets m->session and what of the origin hangs on it.
void message_open(struct message *m, uint16_t version, uint32_t domain, nanos exported);
// What the exporter's system counted at the time of the message, in milliseconds.
void message_uptime(struct message *m, uint32_t uptime);
// Takes what options told of it in its place.
void message_began(struct message *m);
void message_lose(struct message *m, enum export_loss why, uint64_t n);

// sets.c: sets of templates and records, which NetFlow 9 and IPFIX have in common. Each takes the
// content of one set; the number of records that were flows or options.
void set_templates(struct message *m, struct reader set, bool is_ipfix);
void set_options_templates_9(struct message *m, struct reader set);
void set_options_templates_ipfix(struct message *m, struct reader set);
uint32_t set_records(struct message *m, uint16_t id, struct reader set);
