// Frames into a topic, each a message (record/packet_message.h), byte for byte with their times.
//
// Both directions of a conversation go to one partition: which, is said by the addresses, ports and
// protocol that Community ID has, of the innermost packet; by the addresses alone for fragments,
// and by nothing for what is no IP.
//
// One thread. What is lost or held is told by bus/kafka_writer.h.
#pragma once

#include "bus/kafka_writer.h"
#include "record/packet.h"

struct packets_out;

struct packets_out_counts {
    uint64_t packets, delivered, failed;
    uint64_t too_long; // for a message: not sent
};

// `more`: options of the place (bus/kafka_place.h), or NULL.
struct packets_out *packets_out_open(const char *url, const char *more,
                                     const struct kafka_writer_options *options, struct err *err);
// Of the packet only what the source sets is looked at.
bool packets_out_take(struct packets_out *o, const struct packet *p, struct err *err);
// The same of all packets of a batch, as reading_options.frames has it; `out` is the packets_out.
bool packets_out_batch(void *out, const struct packet_batch *batch, struct err *err);
// Waits until all of it was confirmed.
bool packets_out_end(struct packets_out *o, struct err *err);
struct packets_out_counts packets_out_counts(const struct packets_out *o);
void packets_out_close(struct packets_out *o); // NULL is fine
