// Service names by port, as IANA registers them: a hint to people, never what a conversation is
// taken for.
//
// A table of Debian's services list is built in. services_load puts the list of IANA
// (https://www.iana.org/assignments/service-names-port-numbers) in its place, for the whole
// process: call it before threads start; afterwards the names are only read, by any number of
// threads.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { SERVICES_FILE_MAX = 64 * 1024 * 1024, SERVICE_NAME_MAX = 63 };

// The name of `port` of an IP protocol (TCP, UDP, SCTP, DCCP), or NULL. Valid until services_load
// or services_unload. Which of a conversation's two ports to ask for is the caller's business:
// usually the lower one first.
const char *service_by_port(uint16_t port, uint32_t proto);

// Reads IANA's CSV: "Service Name,Port Number,Transport Protocol,...", ranges of ports, quoted
// fields. Where a port is named more than once, the first name holds. On failure what was known
// before is kept.
bool services_load(const char *path, struct err *err) __attribute__((warn_unused_result));
// Back to the table that is built in.
void services_unload(void);
