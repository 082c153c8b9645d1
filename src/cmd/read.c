// weir read: captures into a case, and the report on the screen.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/kafka_place.h"
#include "cmd/cmd.h"
#include "cmd/interfaces.h"
#include "cmd/sending.h"
#include "config/keys.h"
#include "engine/ingest.h"
#include "engine/passing.h"
#include "flow/services.h"
#include "record/printer.h"
#include "service/packet_options.h"
#include "sink/outlet.h"
#include "store/store.h"

struct read_options {
    struct config_source source; // what packets of interfaces have in common with those of files
    const char *pass_to, *pass_as, *packets_to, *to, *bpf, *services, *format, *why;
    uint64_t domain, kept_max;
    bool again, keep, quiet, index;
    const char *free_input;
    struct interface_options live;
};

static const struct option_row rows[] = {
    {'w', "write", OPTION_TEXT, offsetof(struct read_options, to), "CASE",
     "where to keep it: a case (made, or added to), none, memory [NAME.weir here]", 0, 0},
    {'r', "read", OPTION_TEXT, offsetof(struct read_options, free_input), "FILE",
     "the same as a free argument", 0, 0},
    {'i', "interface", OPTION_TEXTS, offsetof(struct read_options, live.interfaces), "NAME",
     "packets of this network interface as they come, until Ctrl-C; may be given again", 0, 0},
    {'f', "filter", OPTION_TEXT, offsetof(struct read_options, bpf), "BPF",
     "only packets that match, as in tcpdump", 0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct read_options, format), "json",
     "all records to standard output, one object a line; without -w nothing is kept", 0, 0},
    OPTION_LANES(OPTION_ROW, struct read_options, source.lanes),
    {'q', "quiet", OPTION_FLAG, offsetof(struct read_options, quiet), NULL,
     "no progress and no report", 0, 0},
    OPTION_TAP(OPTION_ROW, struct read_options, source.tap),
    OPTION_TIMEOUT(OPTION_ROW, struct read_options, source.timeout),
    OPTION_ACTIVE_TIMEOUT(OPTION_ROW, struct read_options, source.active_timeout),
    OPTION_IDLE_TIMEOUT(OPTION_ROW, struct read_options, source.idle_timeout),
    OPTION_NO_DISSECT(OPTION_ROW, struct read_options, source.no_dissect),
    {0, "file-limit", OPTION_SIZE, offsetof(struct read_options, kept_max), "SIZE",
     "most that is kept of one file [25M]", 0, 0},
    OPTION_OVERLAP(OPTION_ROW, struct read_options, source.overlap),
    {0, "services", OPTION_TEXT, offsetof(struct read_options, services), "FILE",
     "names of services by port: IANA's CSV", 0, 0},
    {0, "keep", OPTION_FLAG, offsetof(struct read_options, keep), NULL,
     "take the captures into the case, compressed; standard input always", 0, 0},
    {0, "again", OPTION_FLAG, offsetof(struct read_options, again), NULL,
     "replace an earlier reading of the same captures", 0, 0},
    {0, "index", OPTION_FLAG, offsetof(struct read_options, index), NULL,
     "make the index for weir search, too", 0, 0},
    OPTION_NO_PROMISCUOUS(OPTION_ROW, struct read_options, live.not_promiscuous),
    {0, "buffer", OPTION_SIZE, offsetof(struct read_options, live.buffer), "SIZE",
     "what the kernel may keep for each interface [64M]", 65536, INT32_MAX},
    {0, "every", OPTION_DURATION, offsetof(struct read_options, live.every), "TIME",
     "how often records of interfaces become segments, when they are not many before; and what "
     "--follow has read, part of the case [1h]",
     0, 0},
    {0, "follow", OPTION_FLAG, offsetof(struct read_options, live.follow), NULL,
     "go on behind the end of a topic, until Ctrl-C", 0, 0},
    {'c', "count", OPTION_COUNT, offsetof(struct read_options, live.packets), "N",
     "end after so many packets of interfaces", 1, 0},
    {0, "for", OPTION_DURATION, offsetof(struct read_options, live.duration), "TIME",
     "end after this time of capturing", 0, 0},
    {0, "idle", OPTION_DURATION, offsetof(struct read_options, live.idle), "TIME",
     "end when no interface had a packet for so long", 0, 0},
    {0, "kafka", OPTION_TEXT, offsetof(struct read_options, live.kafka), "FILE",
     "options of kafka://HOST:PORT/TOPIC, NAME=VALUE on each line; or one NAME=VALUE [none]", 0, 0},
    {0, "export", OPTION_TEXT, offsetof(struct read_options, pass_to), "TO",
     "records as they are made, to udp://HOST:PORT, tcp://HOST:PORT or a file", 0, 0},
    {0, "export-as", OPTION_TEXT, offsetof(struct read_options, pass_as), "FORMAT",
     "flows as ipfix, netflow9, netflow5, json-ipfix or json-nfdump; or all records as json "
     "[ipfix]",
     0, 0},
    {0, "packets-to", OPTION_TEXT, offsetof(struct read_options, packets_to), "TOPIC",
     "the packets, each as a message: kafka://HOST:PORT/TOPIC; without -w nothing else", 0, 0},
    {0, "domain", OPTION_COUNT, offsetof(struct read_options, domain), "N",
     "observation domain (source, engine) that --export tells [0]", 0, UINT32_MAX},
    {0, "why", OPTION_TEXT, offsetof(struct read_options, why), "TEXT",
     "the reason, for the log of the case", 0, 0},
};

// ---- progress -----------------------------------------------------------------------------------

struct screen {
    bool progress, drawn;
    nanos last;
};

static void show_progress(void *context, uint64_t done, uint64_t total, uint64_t packets)
{
    enum { BAR = 30 };
    struct screen *s = context;
    nanos now = command_now();
    if (now - s->last < NANOS_PER_SECOND / 10) return;
    s->last = now;
    s->drawn = true;
    if (!total) {
        fprintf(stderr, "\r%llu packets, %.1f MB ", (unsigned long long)packets,
                (double)done / 1e6);
        return;
    }
    char bar[BAR + 1] = {0};
    unsigned full = (unsigned)(done * BAR / total);
    for (unsigned i = 0; i < BAR; i++) bar[i] = i < full ? '#' : '.';
    fprintf(stderr, "\r[%s] %3.0f %%  %llu packets ", bar, 100.0 * (double)done / (double)total,
            (unsigned long long)packets);
}

static void screen_clear(struct screen *s)
{
    if (s->drawn) fprintf(stderr, "\r%*s\r", 79, "");
    s->drawn = false;
}

static void show_remark(void *context, const char *sentence)
{
    screen_clear(context);
    fprintf(stderr, "weir: %s\n", sentence);
}

// ---- the command --------------------------------------------------------------------------------

// The default case: the first capture's name without folder and endings, in the current folder.
static void case_name(const char *path, char *name, size_t size)
{
    static const char *const endings[] = {".gz",   ".zst", ".lz4",  ".pcapng",
                                          ".pcap", ".cap", ".snoop"};
    size_t n = strlen(path);
    while (n && path[n - 1] == '/') n--;
    size_t from = n;
    while (from && path[from - 1] != '/') from--;
    bytes base = {(const uint8_t *)path + from, n - from};
    if (kafka_is_place(path)) base = bytes_first(base, bytes_find(base, '?'));
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t length = strlen(endings[i]);
        if (base.n > length && memcmp(base.p + base.n - length, endings[i], length) == 0)
            base.n -= length;
    }
    if (!base.n || (base.n == 1 && base.p[0] == '-') || bytes_equal(base, bytes_text(".")))
        base = bytes_text("capture");
    snprintf(name, size, "%.*s.weir", (int)base.n, (const char *)base.p);
}

static void ingest_fill(struct ingest_options *in, const struct read_options *o,
                        struct screen *screen)
{
    in->reading.lane.kept_max = o->kept_max;
    if (screen->progress) {
        in->reading.progress = show_progress;
        in->reading.progress_context = screen;
    }
    in->source.bpf = o->bpf;
    in->services = o->services;
    in->again = o->again;
    in->keep = o->keep;
    in->now = command_now;
    in->every = o->live.every;
    in->remark = show_remark;
    in->remark_context = screen;
}

static void set_target(struct ingest_options *in, const struct read_options *o,
                       const char *default_name)
{
    bool is_passed = o->format || o->pass_to || o->packets_to;
    in->case_path = o->to ? o->to : is_passed ? "none" : default_name;
    in->target = INGEST_CASE;
    if (strcmp(in->case_path, "none") == 0) in->target = INGEST_NONE;
    if (strcmp(in->case_path, "memory") == 0) in->target = INGEST_MEMORY;
}

// What is left to say when the case had all or some of the captures.
static void tell_skipped(const struct ingest_options *in, const struct ingest_outcome *out)
{
    const char *case_path = in->case_path;
    if (!out->captures_skipped) return;
    if (in->source.live)
        fprintf(stderr, "weir: %s has all that is in %s\n", case_path, live_name(in->source.live));
    else
        fprintf(stderr, "weir: %u capture%s in %s already, read with the same options; %s\n",
                out->captures_skipped, out->captures_skipped == 1 ? " is" : "s are", case_path,
                out->captures ? "only the others were read" : "nothing to add");
}

static int read_finish(const struct ingest_options *in, const struct ingest_outcome *out,
                       bool quiet)
{
    if (in->target == INGEST_CASE && !(quiet && in->source.live)) tell_skipped(in, out);
    if (!quiet && out->captures) {
        struct summary_style style = {screen_width(), screen_colour(stdout),
                                      in->target == INGEST_CASE ? in->case_path : NULL};
        summary_print(in->summary, &style, stdout);
    }
    store_close(out->store);
    return out->incomplete ? ERR_INPUT : 0;
}

// Where records go besides the store: to standard output, when that was asked for.
static bool read_print(struct ingest_options *in, const char *format, struct printer **printer,
                       struct err *err)
{
    *printer = NULL;
    if (!format) return true;
    if (strcmp(format, "json") != 0)
        return err_set(err, ERR_USAGE, "\"%s\" is no format; there is json", format);
    *printer = printer_create(stdout);
    in->records = printer_sink(*printer);
    return true;
}

// Nobody slows down who reads a file and sends datagrams.
static void read_pace(void *context, uint64_t sent)
{
    command_pace(*(const nanos *)context, sent, COMMAND_DATAGRAM_RATE);
}

static bool read_pass(struct ingest_options *in, const struct read_options *o, nanos *began,
                      struct passing **passing, struct err *err)
{
    struct passing_options options = {.to = o->pass_to,
                                      .format = o->pass_as ? o->pass_as : "ipfix",
                                      .domain = (uint32_t)o->domain,
                                      .is_live = in->source.live,
                                      .context = began};
    *passing = NULL;
    if (!o->pass_to) return true;
    if (o->format) return err_set(err, ERR_USAGE, "-o and --export exclude each other");
    if (!options.is_live && outlet_is_datagrams(o->pass_to)) options.pace = read_pace;
    *began = command_now();
    *passing = passing_open(&options, err);
    if (*passing) in->records = passing_sink(*passing);
    return *passing;
}

static bool read_passed(struct passing *passing, bool quiet, struct err *err)
{
    if (!passing) return true;
    struct flow_export_counts n = passing_counts(passing);
    bool ok = passing_end(passing, err);
    if (ok && !quiet && n.records)
        fprintf(stderr, "weir: %llu records exported\n",
                (unsigned long long)passing_counts(passing).records);
    passing_close(passing);
    return ok;
}

static bool read_send(struct ingest_options *in, const struct read_options *o,
                      struct packets_out **packets, struct err *err)
{
    *packets = NULL;
    if (!o->packets_to) return true;
    *packets = sending_open(o->packets_to, o->live.kafka, err);
    in->reading.frames = packets_out_batch;
    in->reading.frames_context = *packets;
    return *packets;
}

// Reads and reports; the exit status.
static int read_all(struct ingest_options *in, struct screen *screen, bool quiet, struct err *err)
{
    in->summary = quiet ? NULL : summary_create();
    struct ingest_outcome out;
    bool ok = ingest(in, &out, err);
    screen_clear(screen);
    int status = ok ? read_finish(in, &out, quiet) : command_fail(err);
    summary_destroy(in->summary);
    return status;
}

static bool read_index(const char *case_path, struct err *err)
{
    struct asked asked;
    if (!asked_open(&asked, case_path, err)) return false;
    bool ok = index_make(asked.reader, case_path, err);
    asked_close(&asked);
    return ok;
}

static int read_paths(const struct read_options *o, const char *const *paths, uint32_t path_count,
                      struct live *live)
{
    struct err err = {0};
    char name[4096];
    if (o->services && !services_load(o->services, &err)) return command_fail(&err);
    case_name(live ? interfaces_first(&o->live, paths) : paths[0], name, sizeof name);
    struct screen screen = {.progress = !o->quiet && isatty(STDERR_FILENO)};
    struct ingest_options in = {.reading = READING_DEFAULTS,
                                .source = {.paths = paths, .path_count = path_count, .live = live}};
    if (!packet_options_fill(&o->source, &in.reading, &err)) return command_fail(&err);
    ingest_fill(&in, o, &screen);
    set_target(&in, o, name);
    if (o->index && in.target != INGEST_CASE) {
        err_set(&err, ERR_USAGE, "--index is for a case that is kept: name one with -w");
        return command_fail(&err);
    }
    if (!command_author(&in.author, in.target == INGEST_CASE, o->why, &err))
        return command_fail(&err);
    struct printer *printer;
    struct passing *passing;
    struct packets_out *packets;
    nanos began = 0;
    if (!read_print(&in, o->format, &printer, &err)) return command_fail(&err);
    if (!read_pass(&in, o, &began, &passing, &err)) return command_fail(&err);
    if (!read_send(&in, o, &packets, &err)) return command_fail(&err);
    bool quiet = o->quiet || o->live.follow || printer || passing || packets;
    int status = read_all(&in, &screen, quiet, &err);
    if (printer && !printer_end(printer, &err) && !status) status = command_fail(&err);
    printer_destroy(printer);
    if (!read_passed(passing, o->quiet, &err) && !status) status = command_fail(&err);
    if (packets && !sending_end(packets, o->quiet, &err) && !status) status = command_fail(&err);
    bool is_read = status == 0 || status == ERR_INPUT;
    if (live && is_read) live_kept(live);
    bool is_kept = in.target == INGEST_CASE && is_read;
    return o->index && is_kept && !read_index(in.case_path, &err) ? command_fail(&err) : status;
}

static int read_once(const struct read_options *o, const char *const *paths, uint32_t path_count)
{
    struct err err = {0};
    struct live *live = NULL;
    bool is_live = interfaces_named(&o->live, paths, path_count);
    bool ok = is_live ? interfaces_open(&o->live, paths, path_count, o->bpf, &live, &err)
                      : !interfaces_unneeded(&o->live, &err);
    if (ok && o->live.follow && !live)
        ok = err_set(&err, ERR_USAGE, "--follow is for a topic: name one");
    if (ok && o->live.kafka && !o->packets_to && !(live && live_is_topics(live)))
        ok = err_set(&err, ERR_USAGE, "--kafka is for a topic: name one");
    if (!ok) return command_fail(&err);
    if (live && !live_is_topics(live) && !o->quiet)
        fprintf(stderr, "weir: capturing at %s until Ctrl-C\n", live_name(live));
    int status = read_paths(o, paths, path_count, live);
    interfaces_remark(live);
    live_close(live);
    return status;
}

// What is behind the end of a topic comes with the next readings, each of which counts as a whole.
static int read_all_named(const struct read_options *o, const char *const *paths,
                          uint32_t path_count)
{
    int status;
    do status = read_once(o, paths, path_count);
    while (o->live.follow && !interfaces_stopped() && (status == 0 || status == ERR_INPUT));
    return status;
}

static int read_run(int argc, char **argv)
{
    struct read_options o = {.kept_max = 25000000, .live.every = 3600 * NANOS_PER_SECOND};
    struct err err = {0};
    config_defaults(config_section_named("sources"), &o.source);
    argc = options_parse(&read_command, argc, argv, &o, &err);
    if (argc < 0) return command_fail(&err);
    if (!argc && !o.free_input && !o.live.interfaces.count) {
        err_set(&err, ERR_USAGE,
                "name what to read: weir read FILE|DIR|- ..., or an interface with -i");
        return command_fail(&err);
    }
    const char **paths = memory_get(((size_t)argc + 1) * sizeof *paths);
    uint32_t path_count = 0;
    if (o.free_input) paths[path_count++] = o.free_input;
    for (int i = 0; i < argc; i++) paths[path_count++] = argv[i];
    int status = read_all_named(&o, paths, path_count);
    memory_free(paths);
    return status;
}

const struct command read_command = {"read",
                                     "FILE|DIR|-|-i NAME|kafka://... ... [-w CASE]",
                                     "captures into a case, then the report",
                                     rows,
                                     sizeof rows / sizeof rows[0],
                                     read_run};
