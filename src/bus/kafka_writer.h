// Messages into a topic: none lost unless it is told, none twice while this process lives.
//
// librdkafka's idempotent producer writes a message again until a broker has confirmed it, and the
// broker passes over what it has already. Each message is at any time one of: delivered, failed (no
// broker took it until the time given by message.timeout.ms), or held (on its way). Their sum is
// what was sent.
//
// With a spool, what is sent waits on disk until it was delivered: brokers may be away for as long
// as there is room, nobody waits for them, and what is left when the process ends goes on with the
// next one (a message may come twice then). What finds no room has failed.
//
// One thread, and those of librdkafka behind it. Memory: what is held by librdkafka, at most
// 100,000 messages (a property); with a spool WRITER_AHEAD.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum { WRITER_AHEAD = 16384 };

struct kafka_writer_options {
    void *context;
    void (*tell)(void *context, const char *sentence);
    const char *spool; // a folder of its own; NULL: none
    uint64_t spool_bytes_max;
    // Who sends says by a number which messages go to one partition (kafka_writer_send_by). Without
    // a spool only.
    bool by_number;
};

struct kafka_writer_counts {
    uint64_t sent, delivered, failed, held;
};

struct kafka_writer;

// Does not wait for the brokers. `more`: bus/kafka_place.h. Keeps the options.
struct kafka_writer *kafka_writer_open(const char *url, const char *more,
                                       const struct kafka_writer_options *options, struct err *err);

const char *kafka_writer_format(const struct kafka_writer *w); // "" when none is named
const char *kafka_writer_link(const struct kafka_writer *w);   // the same

// Copies the message. Without a spool it waits while as much is held as may be. False and err when
// something failed that time does not mend: what is sent then is not taken.
bool kafka_writer_send(struct kafka_writer *w, bytes key, bytes value, struct err *err);
// The same for writers by number, as long as the topic has as many partitions as it has.
bool kafka_writer_send_by(struct kafka_writer *w, uint64_t number, bytes key, bytes value,
                          struct err *err);
// Waits until nothing is held. False and err when something failed, now or before.
bool kafka_writer_flush(struct kafka_writer *w, struct err *err);
// With a spool, called several times a second: passes on what waits there. False and err as above;
// then another writer goes on with the spool.
bool kafka_writer_turn(struct kafka_writer *w, struct err *err);
struct kafka_writer_counts kafka_writer_counts(const struct kafka_writer *w);
// Without waiting, but for a moment for what can be delivered from a spool. NULL is fine.
void kafka_writer_close(struct kafka_writer *w);
