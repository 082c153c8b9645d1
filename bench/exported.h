// Flows as exporters tell of them, made from a seed: what is told, and in which form.
//
// Flow number i of a seed is always the same one, in every form; sFlow tells of one packet of it.
// Nothing here knows files, sockets or clocks.
#pragma once

#include "base/buf.h"
#include "base/time.h"

struct exported_flow {
    uint32_t src, dst, input, output, src_as, dst_as, packets, bytes;
    uint16_t src_port, dst_port;
    uint8_t proto, tcp_flags, tos;
    int64_t first_ms, last_ms; // since 1970
};

// `exported_ms` is when it is told: it ended within the second before.
struct exported_flow exported_flow(uint64_t seed, uint64_t number, int64_t exported_ms);

// The other direction of it, which began a moment later.
struct exported_flow exported_answer(const struct exported_flow *flow);

enum { EXPORTED_MESSAGE_MAX = 1472, EXPORTED_FLOWS_MAX = 30 };

// What is around the flows of a message.
struct exported_message {
    const struct exported_flow *flows;
    uint32_t flow_count;
    uint32_t domain;         // of the exporter, and what its address ends in
    int64_t ms, up_ms;       // when it is told, and when the exporter's system began to count
    uint64_t messages, told; // of this exporter before it: messages, and flows
};

struct exported_form {
    const char *name;
    uint32_t flows; // a message
    uint16_t port;  // where collectors listen
    void (*put)(struct buf *b, const struct exported_message *m);
};

// NULL when there is none of that name.
const struct exported_form *exported_form(const char *name);
