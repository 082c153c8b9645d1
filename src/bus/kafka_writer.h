// Messages into a topic: none lost unless it is told, none twice while this process lives.
//
// librdkafka's idempotent producer writes a message again until a broker has confirmed it, and the
// broker passes over what it has already. Each message is at any time one of: delivered, failed (no
// broker took it until the time given by message.timeout.ms), or held (on its way). Their sum is
// what was sent.
//
// One thread, and those of librdkafka behind it. Memory: what is held, at most 64 MB (a property).
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct kafka_writer_options {
    void *context;
    void (*tell)(void *context, const char *sentence);
};

struct kafka_writer_counts {
    uint64_t sent, delivered, failed, held;
};

struct kafka_writer;

// Does not wait for the brokers. `more`: bus/kafka_place.h. Keeps the options.
struct kafka_writer *kafka_writer_open(const char *url, const char *more,
                                       const struct kafka_writer_options *options, struct err *err);

// Copies the message. Waits while as much is held as may be. False and err when something failed:
// what is sent then is not taken.
bool kafka_writer_send(struct kafka_writer *w, bytes key, bytes value, struct err *err);
// Waits until nothing is held. False and err when something failed, now or before.
bool kafka_writer_flush(struct kafka_writer *w, struct err *err);
struct kafka_writer_counts kafka_writer_counts(const struct kafka_writer *w);
void kafka_writer_close(struct kafka_writer *w); // without waiting; NULL is fine
