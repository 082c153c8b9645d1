// Messages of one topic, each of them once for whoever remembers how far it came.
//
// How far it came is remembered by the caller, with what was made of the messages: so both are
// there after a kill, or neither. Where a group is named its offsets follow, so that its members
// share partitions, and lag can be watched; they are never ahead of what the caller has.
//
// One thread, and those of librdkafka behind it. Memory: what librdkafka fetches ahead (64 MB, or
// 8 MB of each partition where they are read apart; a property).
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/time.h"

enum { KAFKA_MESSAGES_AT_ONCE = 1000, KAFKA_PARTITIONS_MAX = 65536, KAFKA_INPUT_MAX = 512 };

struct kafka_message {
    bytes key, value; // valid until kafka_reader_done
    int32_t partition;
    int64_t offset;
    nanos time; // of messages that are taken apart: when it was sent; 0: not known
};

struct kafka_reader_options {
    void *context;
    // The offset of the first message that the caller does not have; false when it knows none.
    // `input` names the partition: kafka:CLUSTER/TOPIC/PARTITION.
    bool (*position)(void *context, const char *input, uint64_t *next);
    // Partitions go to another member of the group: what came from them is to be made safe now.
    bool (*keep)(void *context, struct err *err);
    void (*tell)(void *context, const char *sentence);
    // Messages that were gone before they were read.
    void (*lost)(void *context, const char *input, uint64_t count);
    // Messages are taken from each partition apart (below), of all of them: a group is told how far
    // they are safe, and has no members.
    bool is_apart;
};

struct kafka_reader;

// Does not wait for the brokers: kafka_reader_read does what is needed once they answer. Keeps the
// options. `more`: bus/kafka_place.h.
struct kafka_reader *kafka_reader_open(const char *url, const char *more,
                                       const struct kafka_reader_options *options, struct err *err);
void kafka_reader_close(struct kafka_reader *r); // NULL is fine

const char *kafka_reader_name(const struct kafka_reader *r); // without options: may be shown
const char *kafka_reader_topic(const struct kafka_reader *r);
const char *kafka_reader_format(const struct kafka_reader *r); // "" when none is named
const char *kafka_reader_link(const struct kafka_reader *r);   // the same
// To be polled for reading; kafka_reader_read is to be called now and then all the same.
int kafka_reader_descriptor(const struct kafka_reader *r);

// What is there, KAFKA_MESSAGES_AT_ONCE at most: then there may be more at once. -1 and err on
// failure; brokers that are away are none.
int kafka_reader_read(struct kafka_reader *r, nanos now, const struct kafka_message **list,
                      struct err *err);
// All messages of the list were taken; those of a list for which this is not called come again.
void kafka_reader_done(struct kafka_reader *r);

// The same for messages of each partition apart, so that whoever takes them says in which order:
// first this, now and then, which returns how many partitions there are (0: not known yet) or -1,
int32_t kafka_reader_turn(struct kafka_reader *r, nanos now, struct err *err);
// then the first message of one that was not passed, the same until it is.
enum kafka_next { KAFKA_MESSAGE, KAFKA_NONE_YET, KAFKA_AT_END, KAFKA_FAILED };
enum kafka_next kafka_reader_next(struct kafka_reader *r, int32_t partition,
                                  struct kafka_message *message, struct err *err);
void kafka_reader_pass(struct kafka_reader *r, int32_t partition);

// Whether all that was there was read, when no more is wanted (until=end).
bool kafka_reader_is_at_end(const struct kafka_reader *r);

// How far the partitions were taken that moved on since kafka_reader_kept; `take` keeps nothing.
void kafka_reader_positions(const struct kafka_reader *r,
                            void (*take)(void *context, const char *input, uint64_t next),
                            void *context);
// What was taken up to now is safe: tells the group.
void kafka_reader_kept(struct kafka_reader *r);

// What was taken of a partition; `behind`: what is there and was not taken, as far as brokers told;
// below 0: not known. False when there is no such partition.
struct kafka_taken {
    uint64_t messages, bytes;
    int64_t behind;
};
bool kafka_reader_taken(const struct kafka_reader *r, int32_t partition, struct kafka_taken *taken);
uint64_t kafka_reader_faults(const struct kafka_reader *r); // how often the brokers were away
