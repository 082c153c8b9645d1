// UDP datagrams from a socket: many a call, with the kernel's time of arrival and its count of
// those that found no room.
//
// One thread a socket. Several sockets may share a port (SO_REUSEPORT): the kernel then gives each
// sender to one of them.
#pragma once

#include "base/address.h"
#include "base/err.h"
#include "base/time.h"

enum { DATAGRAMS_AT_ONCE = 64, DATAGRAM_MAX = 65535 };

struct datagram {
    bytes data;
    struct address from;
    uint16_t port;
    nanos received; // by the kernel
};

struct datagrams;

// `host` is an address, or "" for all; `port` 0 takes any (datagrams_port). `buffer` is what the
// kernel may keep while we are busy; it gives less where the machine says so. `is_shared`: others
// that say so have the port, too. NULL and err on failure.
struct datagrams *datagrams_open(const char *host, uint16_t port, uint64_t buffer, bool is_shared,
                                 struct err *err);
void datagrams_close(struct datagrams *d); // NULL is fine
uint16_t datagrams_port(const struct datagrams *d);
int datagrams_descriptor(const struct datagrams *d); // to wait for

// What is there, at most DATAGRAMS_AT_ONCE, without waiting; valid until the next call. 0 when
// there is nothing; -1 and err when the machine failed.
int datagrams_read(struct datagrams *d, const struct datagram **list, struct err *err);
// How many the kernel had no room for, since the socket was opened.
uint64_t datagrams_dropped(struct datagrams *d);
