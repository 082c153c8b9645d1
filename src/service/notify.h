// What the service manager is told (sd_notify(3)): a datagram of NAME=VALUE lines to the socket
// that NOTIFY_SOCKET names. Without it nothing is told.
//
// Any thread.
#pragma once

#include "base/time.h"

// "READY=1", say. What the manager does not take is no failure of ours.
void notify(const char *state);
// How long the manager waits for WATCHDOG=1 of this process before it starts another; 0: for ever.
nanos notify_watchdog(void);
