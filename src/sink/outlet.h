// Where messages go: datagrams (UDP), a connection (TCP), or a file, one behind the other as RFC
// 5655 has them.
//
// One thread.
#pragma once

#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/time.h"

struct outlet;

// "udp://HOST:PORT" or "ipfix://HOST:PORT" (the same, on port 4739 when none is named),
// "tcp://HOST:PORT", "-" for standard output, or the path of a file that is not there yet. NULL and
// err on failure.
struct outlet *outlet_open(const char *to, struct err *err);
// The same, but a connection that cannot be made, or takes nothing, for so long fails: for who has
// more to do than to wait. 0: waits.
struct outlet *outlet_open_within(const char *to, nanos patience, struct err *err);
// Whether messages to there may get lost, when whoever receives them does not keep up.
bool outlet_is_datagrams(const char *to);
bool outlet_send(struct outlet *o, bytes message, struct err *err);
// A stream through which lines go there. Closed before the outlet; what could not be sent is its
// error.
FILE *outlet_stream(struct outlet *o);
// False when not everything arrived as far as can be known. Frees it; NULL is fine.
bool outlet_close(struct outlet *o, struct err *err);
