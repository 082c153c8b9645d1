// The conversations that carry others in tunnels: what parent_id names.
//
// Belongs to the dispatcher, which sees all packets in their order, so that they do not depend on
// lanes. They are counted like any other and written as `conversation` records that say so; their
// service is the tunnel, and no streams are made of them. Packets that carry nothing are not among
// them: these are conversations of their own, in a lane. No flow records: what they measure is
// measured inside.
#pragma once

#include "engine/lane.h"
#include "record/writer.h"

struct carriers;

// Borrows the options' strings and the writer. NULL and err on failure.
struct carriers *carriers_create(const struct lane_options *options, struct record_writer *writer,
                                 struct err *err);
void carriers_destroy(struct carriers *c);

// Counts the packets around `p`, outermost first, and names its parent.
void carriers_packet(struct carriers *c, struct packet *p, const struct packet *around, unsigned n);
// Runs the timers that are due at `watermark`.
void carriers_run(struct carriers *c, nanos watermark);
void carriers_end(struct carriers *c);
