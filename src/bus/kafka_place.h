// A topic as a person names it: kafka://HOST:PORT[,HOST:PORT...]/TOPIC[?NAME=VALUE&...].
//
// Names are ours (group, from, until, format, link) or properties of librdkafka, which need no list
// here; %XX stands for a byte. Values may be secrets, so nothing but `name` is ever shown.
//
// One thread. A place is plain; its `conf` goes to whoever makes a client of it.
#pragma once

#include "base/err.h"
#include "base/text.h"

enum { KAFKA_NAME_MAX = 512, KAFKA_TOPIC_MAX = 250, KAFKA_WORD_MAX = 256 };

enum kafka_from {
    KAFKA_FROM_UNSAID,    // the beginning, and a place that is not there any more is an error
    KAFKA_FROM_BEGINNING, // also when the place where it was left is not there any more
    KAFKA_FROM_END,
};

struct kafka_place {
    char name[KAFKA_NAME_MAX]; // scheme, brokers and topic: may be shown
    char brokers[KAFKA_NAME_MAX];
    char topic[KAFKA_TOPIC_MAX];
    char group[KAFKA_WORD_MAX]; // "": none
    char format[KAFKA_WORD_MAX];
    char link[KAFKA_WORD_MAX]; // of frames
    enum kafka_from from;
    bool until_end;               // what is there now, and no more
    struct rd_kafka_conf_s *conf; // or NULL
};

bool kafka_is_place(const char *word);
// `more` is NAME=VALUE, or a file with one such line each (# begins a comment), where secrets
// belong; or NULL. Loads librdkafka. ERR_USAGE and what is wrong.
bool kafka_place_parse(struct kafka_place *place, const char *url, const char *more,
                       struct err *err);
// One more property that is not a person's.
bool kafka_place_set(struct kafka_place *place, const char *name, const char *value,
                     struct err *err);
void kafka_place_deinit(struct kafka_place *place); // zeroed is fine
// What was given as `url` or `more`, with *** in place of values that are secrets.
void kafka_show(const char *word, struct text *out);
