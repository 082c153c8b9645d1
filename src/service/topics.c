#include "service/topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "bus/kafka_place.h"
#include "bus/kafka_reader.h"
#include "record/loss.h"

enum { BATCHES_AT_ONCE = 16, ORIGIN_MAX = KAFKA_TOPIC_MAX + 40 };

struct topic {
    struct topics *all;
    struct kafka_reader *reader;
    struct lines *lines;
    const struct kafka_message *message; // whose lines are being taken
};

struct topics {
    struct topics_options options;
    struct record_writer *writer;
    struct topic list[TOPICS_MAX];
    uint32_t count;
    nanos now;
    struct reading_position *positions;
    size_t position_count, position_room;
};

// ---- what a reader asks -------------------------------------------------------------------------

static bool find_position(void *context, const char *input, uint64_t *next)
{
    const struct topic *topic = context;
    const struct store *store = topic->all->options.store;
    return store && store_position(store, input, next);
}

static bool keep(void *context, struct err *err)
{
    const struct topics *t = ((struct topic *)context)->all;
    return t->options.keep(t->options.context, err);
}

static void tell(void *context, const char *sentence)
{
    const struct topics *t = ((struct topic *)context)->all;
    t->options.tell(t->options.context, sentence);
}

static void tell_lost(void *context, const char *input, uint64_t count)
{
    const struct topics *t = ((struct topic *)context)->all;
    struct loss loss = {"collect",      "topic_expired",           t->now,          t->now,
                        .count = count, .point = t->options.point, .capture = input};
    loss_tell(t->writer, &loss);
}

static void pass_dead(void *context, uint64_t line, const char *why, bytes text)
{
    const struct topic *topic = context;
    const struct topics_options *o = &topic->all->options;
    const struct kafka_message *m = topic->message;
    char origin[ORIGIN_MAX];
    if (!o->dead || !m) return;
    snprintf(origin, sizeof origin, "%s/%" PRId32 "@%" PRId64, kafka_reader_topic(topic->reader),
             m->partition, m->offset);
    o->dead(o->context, origin, line, why, text);
}

// ---- opening ------------------------------------------------------------------------------------

static bool topic_open(struct topics *t, const char *url, struct err *err)
{
    if (t->count == TOPICS_MAX) return err_set(err, ERR_USAGE, "more than %d topics", TOPICS_MAX);
    struct topic *topic = &t->list[t->count++];
    topic->all = t;
    struct kafka_reader_options options = {topic, find_position, keep, tell, tell_lost, false};
    topic->reader = kafka_reader_open(url, t->options.more, &options, err);
    if (!topic->reader) return false;
    const char *format = kafka_reader_format(topic->reader);
    if (*format && strcmp(format, "json") != 0)
        return err_set(err, ERR_USAGE,
                       "format=%s: there is format=json; packets of a topic are read by weir read",
                       format);
    struct lines_options lines = {.input = kafka_reader_name(topic->reader),
                                  .point = t->options.point,
                                  .elements = t->options.elements,
                                  .context = topic,
                                  .dead = pass_dead};
    topic->lines = lines_create(&lines, t->writer);
    return true;
}

struct topics *topics_open(const struct topics_options *options, const char *const *inputs,
                           uint32_t count, struct record_writer *writer, struct err *err)
{
    struct topics *t = memory_get(sizeof *t);
    *t = (struct topics){.options = *options, .writer = writer};
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++)
        if (kafka_is_place(inputs[i])) ok = topic_open(t, inputs[i], err);
    if (ok && t->count) return t;
    topics_close(t);
    return NULL;
}

void topics_close(struct topics *t)
{
    if (!t) return;
    for (uint32_t i = 0; i < t->count; i++) {
        kafka_reader_close(t->list[i].reader);
        lines_destroy(t->list[i].lines);
    }
    memory_free(t->positions);
    memory_free(t);
}

// ---- reading ------------------------------------------------------------------------------------

uint32_t topics_poll(const struct topics *t, struct pollfd polled[TOPICS_MAX])
{
    for (uint32_t i = 0; t && i < t->count; i++)
        polled[i] = (struct pollfd){kafka_reader_descriptor(t->list[i].reader), POLLIN, 0};
    return t ? t->count : 0;
}

static void take_messages(struct topic *topic, const struct kafka_message *list, int count)
{
    for (int i = 0; i < count; i++) {
        topic->message = &list[i];
        lines_message(topic->lines, list[i].value);
    }
    topic->message = NULL;
    kafka_reader_done(topic->reader);
}

static bool topic_read(struct topic *topic, nanos now, bool *more, struct err *err)
{
    const struct kafka_message *list;
    int n = KAFKA_MESSAGES_AT_ONCE;
    for (unsigned i = 0; i < BATCHES_AT_ONCE && n == KAFKA_MESSAGES_AT_ONCE; i++) {
        n = kafka_reader_read(topic->reader, now, &list, err);
        if (n < 0) return false;
        take_messages(topic, list, n);
    }
    *more |= n == KAFKA_MESSAGES_AT_ONCE;
    return true;
}

bool topics_read(struct topics *t, nanos now, bool *more, struct err *err)
{
    bool ok = true;
    *more = false;
    for (uint32_t i = 0; t && ok && i < t->count; i++) {
        t->now = now;
        ok = topic_read(&t->list[i], now, more, err);
    }
    return ok;
}

bool topics_are_at_end(const struct topics *t)
{
    bool at_end = true;
    for (uint32_t i = 0; t && i < t->count; i++)
        at_end = at_end && kafka_reader_is_at_end(t->list[i].reader);
    return at_end;
}

struct lines_counts topics_counts(const struct topics *t)
{
    struct lines_counts sum = {0};
    for (uint32_t i = 0; t && i < t->count; i++)
        lines_counts_add(&sum, lines_counts(t->list[i].lines));
    return sum;
}

static void rows_of(const struct kafka_reader *r, struct topic_rows *rows)
{
    struct kafka_taken taken;
    struct topic_row *row = NULL;
    for (int32_t i = 0; kafka_reader_taken(r, i, &taken); i++) {
        if (i <= TOPIC_PARTITIONS_MAX) {
            row = &rows->list[rows->count++];
            *row = (struct topic_row){.source = kafka_reader_name(r),
                                      .topic = kafka_reader_topic(r),
                                      .partition = i < TOPIC_PARTITIONS_MAX ? i : -1};
        }
        row->messages += taken.messages;
        row->bytes += taken.bytes;
        if (taken.behind > 0) row->behind += (uint64_t)taken.behind;
    }
}

void topics_rows(const struct topics *t, struct topic_rows *rows)
{
    rows->count = rows->topic_count = 0;
    for (uint32_t i = 0; t && i < t->count; i++) {
        const struct kafka_reader *r = t->list[i].reader;
        rows->sources[rows->topic_count] = kafka_reader_name(r);
        rows->topics[rows->topic_count] = kafka_reader_topic(r);
        rows->faults[rows->topic_count++] = kafka_reader_faults(r);
        rows_of(r, rows);
    }
}

// ---- what is safe -------------------------------------------------------------------------------

void topics_tell(struct topics *t)
{
    for (uint32_t i = 0; t && i < t->count; i++) lines_tell(t->list[i].lines);
}

static void add_position(void *context, const char *input, uint64_t next)
{
    struct topics *t = context;
    if (t->position_count == t->position_room) {
        t->position_room = t->position_room ? 2 * t->position_room : 64;
        t->positions = memory_resize(t->positions, t->position_room * sizeof *t->positions);
    }
    t->positions[t->position_count++] = (struct reading_position){input, next};
}

bool topics_mark(struct topics *t, struct store *store)
{
    if (!t) return false;
    t->position_count = 0;
    for (uint32_t i = 0; i < t->count; i++)
        kafka_reader_positions(t->list[i].reader, add_position, t);
    store_mark(store, t->positions, t->position_count);
    return t->position_count > 0;
}

void topics_kept(struct topics *t)
{
    for (uint32_t i = 0; t && i < t->count; i++) kafka_reader_kept(t->list[i].reader);
}
