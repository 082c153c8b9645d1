// What the files of the reader share. Not for others.
#pragma once

#include "bus/kafka_library.h"
#include "bus/kafka_place.h"
#include "bus/kafka_reader.h"

enum {
    READER_ANSWER_MS = 10000, // for brokers that did answer
    KAFKA_AHEAD = 64,
};

// Messages of a partition that is read apart.
struct ahead {
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *fetched[KAFKA_AHEAD];
    uint32_t count, at;
};

struct partition {
    int64_t next;             // offset of the first message that was not taken; below 0: not known
    int64_t kept;             // the same, of what is safe
    int64_t told;             // the same, of what the group was told
    int64_t end;              // where it was at its end
    uint64_t messages, bytes; // that were taken
    bool is_ours, is_at_end;
    char *input;
    struct ahead *ahead; // or NULL
};

struct kafka_reader {
    struct kafka_reader_options options;
    struct kafka_place place;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic; // without a group
    rd_kafka_queue_t *queue;
    int event;
    bool is_member; // of the group that is named
    bool is_begun, is_closing;
    bool has_ends;          // of partitions, in what was read last
    bool is_telling;        // the group, and it has not answered yet
    bool is_away, was_told; // the brokers do not answer; and that was said
    bool was_explained;     // and why
    uint64_t faults;        // how often the brokers were found away
    struct err failure;     // of a callback
    nanos asked, first_asked;
    char *cluster;
    struct partition *partitions;
    int32_t partition_count;
    rd_kafka_message_t *fetched[KAFKA_MESSAGES_AT_ONCE];
    struct kafka_message list[KAFKA_MESSAGES_AT_ONCE];
    uint32_t fetched_count, list_count;
};
// kafka_reader.c
// Its descriptor is readable when the queue has something.
void reader_wake_by(struct kafka_reader *r, rd_kafka_queue_t *queue);
void reader_tell_away(struct kafka_reader *r, const char *why);
void reader_tell_back(struct kafka_reader *r);
bool reader_is_final(rd_kafka_resp_err_t error); // no waiting mends it
bool reader_fail(struct kafka_reader *r, rd_kafka_resp_err_t error, struct err *err);

// kafka_partitions.c
bool reader_open_topic(struct kafka_reader *r, struct err *err);
bool reader_grow(struct kafka_reader *r, int32_t count, struct err *err);
void reader_find_cluster(struct kafka_reader *r);
// Where to begin a partition of which a group says that it was read up to `group_next`; -1: nothing
// is said.
int64_t reader_begin_at(struct kafka_reader *r, struct partition *p, int64_t group_next);
// Asks for the topic's partitions: until they are known often, then now and then.
bool reader_look(struct kafka_reader *r, nanos now, struct err *err);
// What came in the place of a message.
bool reader_take_event(struct kafka_reader *r, const rd_kafka_message_t *m, struct err *err);
// Whether it is one that was not taken yet.
bool reader_is_new(const struct kafka_reader *r, const rd_kafka_message_t *m);
void reader_stop(struct kafka_reader *r);

// kafka_apart.c
void apart_begin(struct kafka_reader *r, struct partition *p);
void apart_end(struct partition *p);

// kafka_group.c
void group_configure(struct kafka_reader *r);
bool group_join(struct kafka_reader *r, struct err *err);
bool group_restart(struct kafka_reader *r, struct err *err);
// How far it says that the partition was read; -1: it does not.
int64_t group_next(struct kafka_reader *r, int32_t partition);
void group_tell(struct kafka_reader *r, bool wait);
