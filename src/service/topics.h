// Topics of Kafka whose messages are lines of flows (collect/lines.h), one or many in each.
//
// What came of them is safe once whoever makes it part of a case has written the positions with
// it: topics_mark before the commit, topics_kept after it. A case that has positions is gone on
// with; so after a kill at any moment each message is in it once.
//
// One thread, the caller's.
#pragma once

#include <poll.h>

#include "service/gather.h"
#include "store/store.h"

enum { TOPICS_MAX = 16 };

struct topics_options {
    const char *more;          // options of librdkafka (bus/kafka_place.h), or NULL
    const struct store *store; // whose positions count; or NULL
    const char *point;         // of the flows, "" when it has no name
    bool elements;             // keep what has no field, too
    void *context;
    bool (*keep)(void *context, struct err *err); // makes safe what came up to now
    void (*tell)(void *context, const char *sentence);
    // A line that cannot be understood; `input` is TOPIC/PARTITION@OFFSET, `line` its number in the
    // message. Or NULL.
    void (*dead)(void *context, const char *input, uint64_t line, const char *why, bytes text);
};

struct topics;

// Opens those of the inputs that are topics; NULL without an error when none is. Keeps the options.
struct topics *topics_open(const struct topics_options *options, const char *const *inputs,
                           uint32_t count, struct record_writer *writer, struct err *err);
void topics_close(struct topics *t); // NULL is fine, here and below

uint32_t topics_poll(const struct topics *t, struct pollfd polled[TOPICS_MAX]); // how many
// Takes what is there, but not for ever: `more` when there may be more at once.
bool topics_read(struct topics *t, nanos now, bool *more, struct err *err);
bool topics_are_at_end(const struct topics *t);
struct lines_counts topics_counts(const struct topics *t);

// What was taken of each partition, for metrics; those beyond TOPIC_PARTITIONS_MAX together, as
// partition -1.
enum { TOPIC_PARTITIONS_MAX = 64 };
struct topic_row {
    const char *source, *topic; // valid until topics_close
    int32_t partition;
    uint64_t messages, bytes, behind; // behind: as far as it is known
};
struct topic_rows {
    uint32_t count, topic_count;
    const char *sources[TOPICS_MAX], *topics[TOPICS_MAX];
    uint64_t faults[TOPICS_MAX];
    struct topic_row list[TOPICS_MAX * (TOPIC_PARTITIONS_MAX + 1)];
};
void topics_rows(const struct topics *t, struct topic_rows *rows);

// Tells what was lost, as records.
void topics_tell(struct topics *t);
// Has the store take how far they were read with what is committed next; false when they did not
// move on. To be followed by the commit.
bool topics_mark(struct topics *t, struct store *store);
void topics_kept(struct topics *t);
