// weir replay: records that are stored, played again: flows as an exporter sends them, all kinds as
// lines into a topic.
#include <string.h>

#include "bus/kafka_place.h"
#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "filter/filter.h"
#include "flow/flow_kind.h"
#include "sink/flow_export.h"
#include "sink/outlet.h"
#include "sink/record_lines.h"
#include "sink/topic_lines.h"

struct replay_options {
    const char *to, *format, *only, *kind, *kafka;
    uint64_t times, rate, domain;
};

static const struct option_row rows[] = {
    {'w', "write", OPTION_TEXT, offsetof(struct replay_options, to), "TO",
     "udp://HOST:PORT, ipfix://HOST:PORT (UDP), tcp://HOST:PORT, kafka://HOST:PORT/TOPIC, a file, "
     "or - for standard output",
     0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct replay_options, format), "FORMAT",
     "ipfix, netflow9, netflow5, json, json-ipfix or json-nfdump [ipfix; json into a topic and of "
     "other kinds]",
     0, 0},
    {0, "kind", OPTION_TEXT, offsetof(struct replay_options, kind), "KIND",
     "records of which kind are played; others than flow go as json [flow]", 0, 0},
    {0, "domain", OPTION_COUNT, offsetof(struct replay_options, domain), "N",
     "observation domain (source, engine) that messages tell [0]", 0, UINT32_MAX},
    {'n', "times", OPTION_COUNT, offsetof(struct replay_options, times), "N",
     "how often all flows are played [1]", 1, UINT32_MAX},
    {0, "rate", OPTION_COUNT, offsetof(struct replay_options, rate), "N",
     "records a second [over UDP 50000, else as fast as it goes]", 1, UINT32_MAX},
    {'Y', "filter", OPTION_TEXT, offsetof(struct replay_options, only), "EXPRESSION",
     "only records for which it holds", 0, 0},
    {0, "kafka", OPTION_TEXT, offsetof(struct replay_options, kafka), "FILE",
     "options of kafka://HOST:PORT/TOPIC, NAME=VALUE on each line; or one NAME=VALUE [none]", 0, 0},
};

// One replay under way.
struct replaying {
    const struct replay_options *options;
    struct asked asked;
    const struct record_kind *kind;
    struct filter *filter;
    // Messages; lines into a topic; or lines to wherever messages may go.
    struct outlet *outlet;
    struct flow_export *export;
    struct topic_lines *lines;
    FILE *stream;
    struct record_lines *output;
    nanos began;
    uint64_t sent; // records
    struct err *err;
    bool failed;
};

static void pace(const struct replaying *r)
{
    uint64_t rate = r->options->rate;
    if (!rate && outlet_is_datagrams(r->options->to)) rate = COMMAND_DATAGRAM_RATE;
    if (rate) command_pace(r->began, r->sent, rate);
}

static bool send_message(void *context, bytes message, uint32_t records, struct err *err)
{
    struct replaying *r = context;
    pace(r);
    r->sent += records;
    return outlet_send(r->outlet, message, err);
}

static bool play_row(void *context, const struct record_batch *batch, uint32_t row)
{
    struct replaying *r = context;
    if (r->lines) {
        pace(r);
        r->sent++;
        r->failed = !topic_lines_take(r->lines, batch, row, r->err);
        return !r->failed;
    }
    if (r->output) {
        pace(r);
        r->sent++;
        record_lines_put(r->output, batch, row);
        return !ferror(r->stream);
    }
    nanos last = (nanos)batch_get(batch, FLOW_LAST_SEEN, row);
    r->failed = !flow_export_take(r->export, batch, row, last, r->err);
    return !r->failed;
}

static bool play_all(struct replaying *r, struct err *err)
{
    r->began = command_now();
    for (uint64_t i = 0; i < r->options->times; i++) {
        if (!wanted_scan(r->asked.reader, r->kind, r->filter, play_row, r, err)) return false;
        if (r->failed) return false;
    }
    if (r->output) return record_lines_end(r->output, err) || err_in(err, "%s", r->options->to);
    return r->lines ? topic_lines_flush(r->lines, err) : flow_export_flush(r->export, err);
}

static bool open_lines(struct replaying *r, const char *from, struct err *err)
{
    const struct kafka_writer_options options = {.tell = command_say};
    if (!asked_open(&r->asked, from, err)) return false;
    r->lines = topic_lines_open(r->options->to, r->options->kafka, r->options->format, r->kind,
                                &options, err);
    return r->lines;
}

// What can be wrong with the words comes first, and the file that is written last: nothing is left
// of a call that fails.
static bool open_messages(struct replaying *r, const char *from, struct err *err)
{
    const struct replay_options *o = r->options;
    bool is_stream = !outlet_is_datagrams(o->to);
    struct flow_export_options options = {.format = o->format,
                                          .domain = (uint32_t)o->domain,
                                          .is_stream = is_stream,
                                          .context = r,
                                          .send = send_message};
    r->export = flow_export_create(&options, &flow_kind, err);
    if (!r->export) return false;
    if (is_stream && strcmp(o->format, "ipfix") != 0)
        return err_set(err, ERR_USAGE, "-o %s goes over UDP only: -w udp://HOST:PORT", o->format);
    if (!asked_open(&r->asked, from, err)) return false;
    r->outlet = outlet_open(o->to, err);
    return r->outlet;
}

static bool open_output(struct replaying *r, const char *from, struct err *err)
{
    const char *to = r->options->to;
    if (outlet_is_datagrams(to))
        return err_set(err, ERR_USAGE,
                       "%s goes to a file, a connection (tcp://HOST:PORT) or a topic "
                       "(kafka://HOST:PORT/TOPIC)",
                       r->options->format);
    if (!asked_open(&r->asked, from, err)) return false;
    r->outlet = outlet_open(to, err);
    if (!r->outlet) return false;
    r->stream = outlet_stream(r->outlet);
    r->output = record_lines_create(r->options->format, r->stream, r->kind, err);
    return r->output;
}

static bool replay_open(struct replaying *r, const char *from, struct err *err)
{
    const char *format = r->options->format;
    bool is_lines = record_lines_is(format);
    if (is_lines && !record_lines_fits(format, r->kind))
        return err_set(err, ERR_USAGE, "records of %s are played as json", r->kind->name);
    if (kafka_is_place(r->options->to))
        return is_lines ? open_lines(r, from, err)
                        : err_set(err, ERR_USAGE, "into a topic records go as %s",
                                  record_lines_formats());
    if (is_lines) return open_output(r, from, err);
    if (r->kind != &flow_kind)
        return err_set(err, ERR_USAGE, "records of %s are played as json", r->kind->name);
    return open_messages(r, from, err);
}

static int report_lines(const struct replaying *r)
{
    struct kafka_writer_counts n = topic_lines_counts(r->lines);
    fprintf(stderr, "weir: %llu records sent: %llu delivered, %llu failed, %llu held\n",
            (unsigned long long)n.sent, (unsigned long long)n.delivered,
            (unsigned long long)n.failed, (unsigned long long)n.held);
    return n.sent ? 0 : ERR_DIFFERENCE;
}

static int report_output(const struct replaying *r)
{
    unsigned long long n = record_lines_rows(r->output);
    if (strcmp(r->options->to, "-") != 0) fprintf(stderr, "weir: %llu records played\n", n);
    return n ? 0 : ERR_DIFFERENCE;
}

static int replay_report(const struct replaying *r)
{
    struct flow_export_counts n = flow_export_counts(r->export);
    fprintf(stderr, "weir: %llu flows played as %llu records in %llu messages\n",
            (unsigned long long)n.flows, (unsigned long long)n.records,
            (unsigned long long)n.messages);
    if (n.untold)
        fprintf(stderr, "weir: %llu records cannot be told in %s\n", (unsigned long long)n.untold,
                r->options->format);
    if (n.left_out)
        fprintf(stderr, "weir: %llu values have no place in %s\n", (unsigned long long)n.left_out,
                r->options->format);
    return n.flows ? 0 : ERR_DIFFERENCE;
}

static const struct record_kind *replay_kind(const char *name, struct err *err)
{
    const struct record_kind *kind = catalogue_kind(bytes_text(name));
    if (kind && !kind->hidden) return kind;
    err_set(err, ERR_USAGE, "there is no kind \"%s\"; weir fields lists all", name);
    return NULL;
}

static int replay_run(int argc, char **argv)
{
    struct replay_options o = {.kind = "flow", .times = 1};
    struct err err = {0};
    argc = options_parse(&replay_command, argc, argv, &o, &err);
    if (argc >= 0 && (argc != 1 || !o.to))
        err_set(&err, ERR_USAGE,
                "name what is played and where to: weir replay CASE -w udp://HOST:PORT");
    if (err.code) return command_fail(&err);
    struct replaying r = {.options = &o, .err = &err, .kind = replay_kind(o.kind, &err)};
    if (!r.kind) return command_fail(&err);
    bool is_other = kafka_is_place(o.to) || r.kind != &flow_kind;
    if (!o.format) o.format = is_other ? "json" : "ipfix";
    if (o.only && !(r.filter = wanted_filter(o.only, r.kind))) return ERR_USAGE;
    bool ok = replay_open(&r, argv[0], &err) && play_all(&r, &err);
    int status = ok && r.export ? replay_report(&r) : ok && r.output ? report_output(&r) : 0;
    // What became of each is told also when some were not taken.
    if (r.lines) status = report_lines(&r);
    topic_lines_close(r.lines);
    record_lines_destroy(r.output);
    if (r.stream) fclose(r.stream);
    struct err other = {0};
    bool closed = outlet_close(r.outlet, &other);
    if (ok && !closed) err = other;
    flow_export_destroy(r.export);
    asked_close(&r.asked);
    filter_destroy(r.filter);
    return ok && closed ? status : command_fail(&err);
}

const struct command replay_command = {"replay",
                                       "FILE|CASE -w TO",
                                       "stored flows again, as an exporter sends them",
                                       rows,
                                       sizeof rows / sizeof rows[0],
                                       replay_run};
