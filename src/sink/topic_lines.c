#include "sink/topic_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sink/record_lines.h"

enum { LINES_AT_ONCE = 256 };

struct topic_lines {
    struct kafka_writer *writer;
    struct record_lines *records;
    FILE *memory; // lines that were not passed on yet
    char *text;
    size_t size;
    uint32_t lines;
};

struct topic_lines *topic_lines_open(const char *url, const char *more, const char *format,
                                     const struct record_kind *kind,
                                     const struct kafka_writer_options *options, struct err *err)
{
    struct topic_lines *t = memory_get(sizeof *t);
    t->writer = kafka_writer_open(url, more, options, err);
    const char *named = t->writer ? kafka_writer_format(t->writer) : "";
    if (*named) format = named;
    bool is_known = record_lines_is(format);
    t->memory = t->writer && is_known ? open_memstream(&t->text, &t->size) : NULL;
    t->records = t->memory ? record_lines_create(format, t->memory, kind, err) : NULL;
    if (t->records) return t;
    if (!is_known)
        err_set(err, ERR_USAGE, "format=%s: records become lines: %s", format,
                record_lines_formats());
    else if (t->writer && !t->memory) err_set(err, ERR_MACHINE, "there is no memory for lines");
    topic_lines_close(t);
    return NULL;
}

static bool pass_on(struct topic_lines *t, struct err *err)
{
    bool ok = fflush(t->memory) == 0 || err_set(err, ERR_MACHINE, "there is no memory for lines");
    bytes rest = bytes_of(t->text, ok ? t->size : 0);
    while (ok && rest.n) {
        size_t end = bytes_find(rest, '\n');
        ok = kafka_writer_send(t->writer, bytes_of(NULL, 0), bytes_first(rest, end), err);
        rest = bytes_after(rest, end + 1);
    }
    rewind(t->memory);
    t->lines = 0;
    return ok;
}

void topic_lines_close(struct topic_lines *t)
{
    struct err none;
    if (!t) return;
    if (t->records) pass_on(t, &none);
    record_lines_destroy(t->records);
    if (t->memory) fclose(t->memory);
    free(t->text); // the stream's own
    kafka_writer_close(t->writer);
    memory_free(t);
}

bool topic_lines_take(struct topic_lines *t, const struct record_batch *batch, uint32_t row,
                      struct err *err)
{
    record_lines_put(t->records, batch, row);
    return ++t->lines < LINES_AT_ONCE || pass_on(t, err);
}

bool topic_lines_turn(struct topic_lines *t, struct err *err)
{
    return pass_on(t, err) && kafka_writer_turn(t->writer, err);
}

bool topic_lines_flush(struct topic_lines *t, struct err *err)
{
    return pass_on(t, err) && kafka_writer_flush(t->writer, err);
}

struct kafka_writer_counts topic_lines_counts(const struct topic_lines *t)
{
    return kafka_writer_counts(t->writer);
}
