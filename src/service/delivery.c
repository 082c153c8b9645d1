#include "service/delivery.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "bus/kafka_place.h"
#include "engine/catalogue.h"
#include "flow/flow_kind.h"
#include "sink/record_lines.h"
#include "service/expression.h"
#include "sink/flow_export.h"
#include "sink/outlet.h"
#include "sink/topic_lines.h"

struct delivery {
    char *to, *format, *shown; // `shown`: `to` without options, which may be secret
    char *kafka, *spool;       // of topics, or NULL
    uint64_t spool_size;
    const struct record_kind *kind;
    struct filter *filter; // NULL: all
    // In messages; as lines; or as lines into a topic.
    struct outlet *outlet;
    struct flow_export *export;
    FILE *file;
    struct record_lines *lines;
    struct topic_lines *topic;
    struct delivery_counts before; // when the topic was opened
    bool is_open, has_news;
    nanos failed;     // when it was last tried in vain
    uint64_t waiting; // records that may not have left yet
    struct err err;
    struct delivery_counts counts;
};

// ---- whether it makes sense ---------------------------------------------------------------------

static const struct record_kind *kind_of(const struct config *c, const struct config_sink *sink,
                                         struct err *err)
{
    const struct record_kind *kind = catalogue_kind(bytes_text(sink->kind));
    if (kind && !kind->hidden) return kind;
    config_fail(c, sink->place, err, "there is no kind \"%s\"; weir fields lists all", sink->kind);
    return NULL;
}

static bool topic_check(const struct config *c, const struct config_sink *sink, struct err *err)
{
    struct kafka_place place;
    struct err wrong = {0};
    if (!record_lines_is(sink->format))
        return config_fail(c, sink->place, err, "into a topic records go as lines: format: %s",
                           record_lines_formats());
    if (!sink->spool)
        return config_fail(c, sink->place, err,
                           "a topic needs a folder in which records wait while it is away: spool: "
                           "FOLDER");
    bool ok = kafka_place_parse(&place, sink->to, sink->kafka, &wrong);
    if (ok) kafka_place_deinit(&place);
    return ok || config_fail(c, sink->place, err, "%s", wrong.text);
}

static bool format_check(const struct config *c, const struct config_sink *sink, struct err *err)
{
    bool is_file = !strstr(sink->to, "://");
    const struct record_kind *kind = kind_of(c, sink, err);
    if (!kind) return false;
    if (record_lines_is(sink->format) && !record_lines_fits(sink->format, kind))
        return config_fail(c, sink->place, err, "records of kind \"%s\" go as json only",
                           sink->kind);
    if (kafka_is_place(sink->to)) return topic_check(c, sink, err);
    if (record_lines_is(sink->format))
        return is_file || config_fail(c, sink->place, err, "%s goes to a file, and \"%s\" is none",
                                      sink->format, sink->to);
    if (strcmp(sink->kind, "flow") != 0)
        return config_fail(c, sink->place, err, "records of kind \"%s\" go as json only",
                           sink->kind);
    struct flow_export_options options = {.format = sink->format};
    struct err wrong = {0};
    struct flow_export *e = flow_export_create(&options, &flow_kind, &wrong);
    flow_export_destroy(e);
    if (!e) return config_fail(c, sink->place, err, "%s", wrong.text);
    if (strcmp(sink->format, "ipfix") != 0 && !outlet_is_datagrams(sink->to))
        return config_fail(c, sink->place, err, "%s goes over UDP only: udp://HOST:PORT",
                           sink->format);
    return true;
}

static bool filter_make(const struct config *c, const struct config_sink *sink,
                        const struct record_kind *kind, nanos now, struct filter **filter,
                        struct err *err)
{
    struct filter_error wrong;
    *filter = NULL;
    if (!sink->filter) return true;
    *filter = expression_compile(c, sink->filter, kind, now, &wrong);
    return *filter ||
           config_fail(c, sink->place, err, "the filter is wrong at its character %u: %s",
                       wrong.column, wrong.message);
}

bool delivery_check(const struct config *c, const struct config_sink *sink, nanos now,
                    struct err *err)
{
    struct filter *filter;
    const struct record_kind *kind = kind_of(c, sink, err);
    bool ok = kind && format_check(c, sink, err) && filter_make(c, sink, kind, now, &filter, err);
    if (ok) filter_destroy(filter);
    return ok;
}

// ---- the way out --------------------------------------------------------------------------------

static bool send_message(void *context, bytes message, uint32_t records, struct err *err)
{
    struct delivery *d = context;
    (void)records;
    return outlet_send(d->outlet, message, err);
}

static bool open_messages(struct delivery *d, struct err *err)
{
    struct flow_export_options options = {.format = d->format,
                                          .is_stream = !outlet_is_datagrams(d->to),
                                          .context = d,
                                          .send = send_message};
    d->outlet = outlet_open_within(d->to, DELIVERY_PATIENCE, err);
    d->export = d->outlet ? flow_export_create(&options, d->kind, err) : NULL;
    return d->export;
}

// Lines are added to what is there: whoever takes them away may do so at any time.
static bool open_lines(struct delivery *d, struct err *err)
{
    d->file = fopen(d->to, "ae");
    if (!d->file) return err_system(err, errno, "cannot write %s", d->to);
    d->lines = record_lines_create(d->format, d->file, d->kind, err);
    return d->lines;
}

static void topic_news(void *context, const char *sentence)
{
    struct delivery *d = context;
    err_set(&d->err, ERR_MACHINE, "%s", sentence);
    d->has_news = true;
}

static bool open_topic(struct delivery *d, struct err *err)
{
    const struct kafka_writer_options options = {d, topic_news, d->spool, d->spool_size, false};
    d->topic = topic_lines_open(d->to, d->kafka, d->format, d->kind, &options, err);
    d->before = d->counts;
    return d->topic;
}

// What waited before came into the sink before, too.
static void topic_count(struct delivery *d)
{
    struct kafka_writer_counts n = topic_lines_counts(d->topic);
    d->counts.records = d->before.records + n.delivered;
    d->counts.missed = d->before.missed + n.failed;
}

static bool topic_close(struct delivery *d, struct err *err)
{
    topic_count(d);
    uint64_t held = topic_lines_counts(d->topic).held;
    topic_lines_close(d->topic);
    d->topic = NULL;
    return !held || err_set(err, ERR_MACHINE, "%llu records wait in %s until %s takes them",
                            (unsigned long long)held, d->spool, d->shown);
}

static bool way_close(struct delivery *d, struct err *err)
{
    bool ok = true;
    if (d->lines && d->is_open) ok = record_lines_end(d->lines, err);
    record_lines_destroy(d->lines);
    if (d->file && fclose(d->file) != 0 && ok)
        ok = err_system(err, errno, "cannot write %s", d->to);
    flow_export_destroy(d->export);
    if (d->topic) ok = topic_close(d, err) && ok;
    struct err other = {0};
    if (!outlet_close(d->outlet, &other) && ok) {
        if (err) *err = other;
        ok = false;
    }
    d->lines = NULL;
    d->file = NULL;
    d->export = NULL;
    d->outlet = NULL;
    d->is_open = false;
    return ok;
}

static bool way_open(struct delivery *d, struct err *err)
{
    if (kafka_is_place(d->to)) d->is_open = open_topic(d, err);
    else d->is_open = record_lines_is(d->format) ? open_lines(d, err) : open_messages(d, err);
    struct err other;
    if (!d->is_open) way_close(d, &other);
    return d->is_open;
}

static void delivery_fail(struct delivery *d)
{
    struct err other;
    way_close(d, &other);
    d->counts.missed += d->waiting;
    d->waiting = 0;
    d->counts.faults++;
    d->has_news = true;
    d->failed = 0;
}

// Whoever is away when the service begins may come later.
static bool way_begin(struct delivery *d, nanos now, struct err *err)
{
    if (way_open(d, &d->err)) return true;
    bool is_away = strstr(d->to, "://") && !kafka_is_place(d->to) && d->err.code == ERR_MACHINE;
    if (!is_away && err) *err = d->err;
    d->counts.faults++;
    d->has_news = true;
    d->failed = now;
    return is_away;
}

// ---- life ---------------------------------------------------------------------------------------

struct delivery *delivery_open(const struct config *c, const struct config_sink *sink, nanos now,
                               struct err *err)
{
    if (!delivery_check(c, sink, now, err)) return NULL;
    struct delivery *d = memory_get(sizeof *d);
    d->to = text_copy(sink->to);
    d->shown = text_copy(sink->to);
    if (kafka_is_place(d->to)) d->shown[strcspn(d->shown, "?")] = 0;
    d->format = text_copy(sink->format);
    d->kafka = text_copy(sink->kafka);
    d->spool = text_copy(sink->spool);
    d->spool_size = sink->spool_size;
    d->kind = catalogue_kind(bytes_text(sink->kind));
    if (filter_make(c, sink, d->kind, now, &d->filter, err) && way_begin(d, now, err)) return d;
    delivery_close(d, NULL);
    return NULL;
}

bool delivery_close(struct delivery *d, struct err *err)
{
    if (!d) return true;
    bool ok = !d->export || !d->is_open || flow_export_flush(d->export, err);
    if (d->topic) {
        struct err away;
        topic_lines_turn(d->topic, &away);
    }
    struct err other = {0};
    if (!way_close(d, &other) && ok) {
        if (err) *err = other;
        ok = false;
    }
    filter_destroy(d->filter);
    memory_free(d->to);
    memory_free(d->shown);
    memory_free(d->format);
    memory_free(d->kafka);
    memory_free(d->spool);
    memory_free(d);
    return ok;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool delivery_is(const struct delivery *d, const struct config_sink *sink)
{
    return is_same(d->to, sink->to) && is_same(d->format, sink->format) &&
           is_same(d->kind->name, sink->kind) && is_same(d->kafka, sink->kafka) &&
           is_same(d->spool, sink->spool) && d->spool_size == sink->spool_size;
}

bool delivery_refilter(struct delivery *d, const struct config *c, const struct config_sink *sink,
                       nanos now, struct err *err)
{
    struct filter *filter;
    if (!filter_make(c, sink, d->kind, now, &filter, err)) return false;
    filter_destroy(d->filter);
    d->filter = filter;
    return true;
}

static bool take_row(struct delivery *d, const struct record_batch *batch, uint32_t row)
{
    if (d->topic) return topic_lines_take(d->topic, batch, row, &d->err);
    d->waiting++;
    if (d->lines) {
        record_lines_put(d->lines, batch, row);
        return true;
    }
    nanos last = (nanos)batch_get(batch, FLOW_LAST_SEEN, row);
    return flow_export_take(d->export, batch, row, last, &d->err);
}

void delivery_take(struct delivery *d, const struct record_batch *batch)
{
    if (batch->kind != d->kind) return;
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (d->filter && !filter_match(d->filter, batch, row)) continue;
        d->counts.taken++;
        if (!d->is_open) d->counts.missed++;
        else if (!take_row(d, batch, row)) delivery_fail(d);
    }
}

static bool delivery_flush(struct delivery *d)
{
    bool ok;
    if (d->topic) ok = topic_lines_turn(d->topic, &d->err);
    else if (d->export) ok = flow_export_flush(d->export, &d->err);
    else ok = record_lines_end(d->lines, &d->err);
    if (d->topic) topic_count(d);
    if (!ok) return false;
    d->counts.records += d->waiting;
    d->waiting = 0;
    return true;
}

bool delivery_turn(struct delivery *d, nanos now, struct err *err)
{
    if (d->is_open && !delivery_flush(d)) delivery_fail(d);
    if (!d->is_open && !d->failed) d->failed = now;
    if (!d->is_open && now - d->failed >= DELIVERY_AGAIN) {
        d->failed = now;
        struct err again;
        way_open(d, &again);
    }
    bool told = d->has_news;
    if (told) *err = d->err;
    d->has_news = false;
    return told;
}

struct delivery_counts delivery_counts(const struct delivery *d)
{
    return d->counts;
}

const char *delivery_to(const struct delivery *d)
{
    return d->shown;
}
