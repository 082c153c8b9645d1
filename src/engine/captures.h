// The captures of a case again: packets of them by name, each capture passed once, in the order of
// time in which a reading has them.
//
// Captures that overlap in time are open together, as they were then; the others one after
// another. Where the time of a capture goes back while another one overlaps it, their packets may
// take turns elsewhere than they did: only those asked for are looked at. Thread: one.
#pragma once

#include "engine/referred.h"

struct case_reader;
struct fetch;
struct captures;

// Keeps both. NULL and err on failure. Captures that the case let go, or has not yet, are left out;
// when none is left, that is a failure. That a file is gone is found out when its packets are
// wanted.
struct captures *captures_of(struct case_reader *reader, const struct referred_reading *readings,
                             size_t count, struct err *err);
void captures_close(struct captures *c); // NULL is fine
// How many were left out.
uint32_t captures_left_out(const struct captures *c);

// Where a packet comes from.
struct capture_place {
    uint64_t reading;          // number of it in the log; packet.capture counts within that
    const char *path;          // where that is now
    const struct fetch *fetch; // tells more of the packet (source/fetch.h)
};

// Called for every frame of the readings; all is valid during the call. False and err end the
// visit.
typedef bool captures_take(void *context, const struct packet *p, const struct capture_place *place,
                           struct err *err);
bool captures_visit(struct captures *c, captures_take *take, void *context, struct err *err);
