// Records of one kind into a topic of Kafka, each a message with a line of JSON, without the end of
// the line.
//
// One thread. What is lost or held is told by bus/kafka_writer.h.
#pragma once

#include "bus/kafka_writer.h"
#include "record/batch.h"

struct topic_lines;

// `more`: options of the place (bus/kafka_place.h), or NULL. `format`: that of sink/record_lines.h,
// unless the place names another.
struct topic_lines *topic_lines_open(const char *url, const char *more, const char *format,
                                     const struct record_kind *kind,
                                     const struct kafka_writer_options *options, struct err *err);
bool topic_lines_take(struct topic_lines *t, const struct record_batch *batch, uint32_t row,
                      struct err *err);
// With a spool, several times a second: passes on what was taken and what waits
// (bus/kafka_writer.h).
bool topic_lines_turn(struct topic_lines *t, struct err *err);
// Waits until all of it was confirmed.
bool topic_lines_flush(struct topic_lines *t, struct err *err);
struct kafka_writer_counts topic_lines_counts(const struct topic_lines *t);
void topic_lines_close(struct topic_lines *t); // as kafka_writer_close; NULL is fine
