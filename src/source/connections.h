// Messages of IPFIX from TCP connections: many at one port, cut into messages by the length that
// each begins with (RFC 7011 section 10.4).
//
// One thread. Time is a parameter. Bounded: CONNECTIONS_MAX connections, of which the one that was
// silent longest makes room for another; one message of each is held until it is whole, at most for
// CONNECTION_STALL. Of each connection that has something, as much as its message has room for is
// read before it is another's turn.
#pragma once

#include "base/address.h"
#include "base/err.h"
#include "base/time.h"

enum { CONNECTIONS_MAX = 256, CONNECTION_ROOM = 65536 };
#define CONNECTION_STALL (60 * NANOS_PER_SECOND)

// Why a connection ended before its time: a word, what it means.
// clang-format off
#define CONNECTION_FAULTS(X) \
    X(not_ipfix, "What came is no message of IPFIX") \
    X(cut_connection, "It ended within a message") \
    X(stalled, "A message was not whole after a minute") \
    X(connections_full, "It made room for another")
// clang-format on

enum connection_end {
    CONNECTION_DONE, // by the other side, behind a message
#define CONNECTION_FAULT(name, help) CONNECTION_##name,
    CONNECTION_FAULTS(CONNECTION_FAULT)
#undef CONNECTION_FAULT
};

struct connection {
    struct address from;
    uint16_t port;
    uint64_t number; // from 1, never twice
};

// Told of each message, and of each connection that is over. The message is valid during the call.
struct connection_events {
    void *context;
    void (*message)(void *context, const struct connection *from, bytes message);
    void (*over)(void *context, const struct connection *from, enum connection_end why);
};

struct connections;

// `host` is an address, or "" for all; `port` 0 takes any (connections_port). NULL and err on
// failure.
struct connections *connections_open(const char *host, uint16_t port, struct err *err);
void connections_close(struct connections *c); // NULL is fine
uint16_t connections_port(const struct connections *c);
int connections_descriptor(const struct connections *c); // to wait for

// What is there, without waiting, and an end to messages that are overdue: to be called now and
// then when nothing comes, too. -1 and err when the machine failed, else how many messages.
int connections_read(struct connections *c, nanos now, const struct connection_events *events,
                     struct err *err);
