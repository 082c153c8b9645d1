// What sockets that wait at a port have in common: both families at once, and one sentence when a
// port cannot be had.
//
// Any thread.
#pragma once

#include <netinet/in.h>

#include "base/address.h"
#include "base/err.h"

// A socket that does not block, for IPv6 and IPv4; -1 and err on failure.
int listen_open(int type, struct err *err);
// `host` is an address, or "" for all; `port` 0 takes any, and `*own` has which. `transport` is its
// name, for people.
bool listen_bind(int socket, const char *transport, const char *host, uint16_t port, uint16_t *own,
                 struct err *err);
struct address listen_address(const struct sockaddr_in6 *from);
