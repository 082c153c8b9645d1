// Packets into a topic, as commands do it.
#pragma once

#include "engine/packets_out.h"

// `more`: options of the topic. Tells the person when brokers are away.
struct packets_out *sending_open(const char *url, const char *more, struct err *err);
// Waits until all is there, and tells unless `quiet` how many; closes it. ERR_INPUT when not all
// could be sent.
bool sending_end(struct packets_out *packets, bool quiet, struct err *err);
