// The captures of one reading again: their packets by name, each capture passed once, in the order
// in which the reading had them.
//
// Captures that overlap in time are open together, as they were then; the others one after
// another. Where the time of a capture goes back while another one overlaps it, their packets may
// take turns elsewhere than they did: only those asked for are looked at. Thread: one.
#pragma once

#include "base/err.h"
#include "engine/frames.h"

struct case_reader;
struct captures;

// Of the reading `number` of the log (0: of a memory case). NULL and err on failure; that a
// capture is gone is found out when its packets are wanted. Keeps `reader`.
struct captures *captures_of(struct case_reader *reader, uint64_t number, struct err *err);
void captures_close(struct captures *c); // NULL is fine

const char *captures_path(const struct captures *c, uint32_t capture);

// Called for every frame of the set; the packet is valid during the call. False and err end the
// visit.
typedef bool captures_packet(void *context, const struct packet *p, struct err *err);
bool captures_visit(struct captures *c, const struct frames *frames, captures_packet *take,
                    void *context, struct err *err);
