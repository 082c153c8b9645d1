// weir collect: the records of flow exporters, into a case or to standard output.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "bus/kafka_place.h"
#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "engine/gather.h"
#include "engine/remember.h"
#include "engine/topics.h"
#include "record/printer.h"
#include "store/entry.h"
#include "store/store.h"

struct collect_options {
    const char *to, *tap, *format, *dead, *kafka;
    bool known_only, templates;
    uint64_t buffer;
    nanos idle, every;
};

static const struct option_row rows[] = {
    {'w', "write", OPTION_TEXT, offsetof(struct collect_options, to), "CASE",
     "where to keep it: a case (made, or added to), or none [none]", 0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct collect_options, format), "json",
     "all records to standard output, one object a line", 0, 0},
    {0, "tap", OPTION_TEXT, offsetof(struct collect_options, tap), "NAME",
     "name of the place where this was seen [none]", 0, 0},
    {0, "known-only", OPTION_FLAG, offsetof(struct collect_options, known_only), NULL,
     "leave out what has no field of its own", 0, 0},
    {0, "templates", OPTION_FLAG, offsetof(struct collect_options, templates), NULL,
     "only list what exporters told of their records, as CASE has it", 0, 0},
    {0, "dead", OPTION_TEXT, offsetof(struct collect_options, dead), "FILE",
     "where to add lines that cannot be understood: place, reason and line [nowhere]", 0, 0},
    {0, "kafka", OPTION_TEXT, offsetof(struct collect_options, kafka), "FILE",
     "options of kafka://HOST:PORT/TOPIC, NAME=VALUE on each line; or one NAME=VALUE [none]", 0, 0},
    {0, "buffer", OPTION_SIZE, offsetof(struct collect_options, buffer), "SIZE",
     "what the kernel may keep for each socket [64M]", 4096, INT32_MAX},
    {0, "idle", OPTION_DURATION, offsetof(struct collect_options, idle), "TIME",
     "end when nothing came for so long; without it Ctrl-C ends", 0, 0},
    {0, "every", OPTION_DURATION, offsetof(struct collect_options, every), "TIME",
     "how often what came is made part of the case [60s]", 0, 0},
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

enum { INPUTS_MAX = 4096 };

// One collection under way.
struct collecting {
    const struct collect_options *options;
    char inputs[INPUTS_MAX]; // the first, for the log
    struct author author;
    struct store *store;
    struct printer *printer;
    struct record_writer *writer;
    struct collector *collector;
    struct topics *topics;
    FILE *dead;
    bool is_live;    // from ports
    bool failed;     // what came since the last commit is gone, and nothing may count as taken
    nanos committed; // time of the last message that is in the case
};

static void collect_take(void *context, const struct record_batch *batch)
{
    struct collecting *c = context;
    struct record_sink sink;
    if (c->store) {
        sink = store_sink(c->store);
        sink.take(sink.context, batch);
    }
    if (c->printer) {
        sink = printer_sink(c->printer);
        sink.take(sink.context, batch);
    }
}

// A part of a collection is named by what it is of and by when it began: nothing is the same twice.
static void part_name(const struct collecting *c, uint8_t name[SHA256_SIZE])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, bytes_text(c->inputs));
    sha256_add(&h, bytes_of(&c->author.time, sizeof c->author.time));
    sha256_end(&h, name);
}

// Times of files are of their own: what was told then says nothing of what arrives now.
static bool is_live(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (gather_is_port(argv[i])) return true;
    return false;
}

// What is not on disk was not kept.
static bool dead_sync(const struct collecting *c, struct err *err)
{
    if (!c->dead) return true;
    bool ok = fflush(c->dead) == 0 && !ferror(c->dead) &&
              (fdatasync(fileno(c->dead)) == 0 || errno == EINVAL);
    return ok || err_set(err, ERR_MACHINE, "%s could not be written to its end", c->options->dead);
}

static bool store_part(struct collecting *c, struct err *err)
{
    if (topics_mark(c->topics, c->store) || store_rows(c->store)) {
        struct reading_capture capture = {.path = c->inputs};
        c->author.time = command_now();
        part_name(c, capture.sha256);
        struct reading reading = {&capture, 1, "collect", c->author.version, c->author.time};
        if (!store_commit(c->store, &reading, false, err)) return false;
    }
    return !c->is_live || exporters_keep(c->options->to, c->collector, err);
}

static bool collect_commit(struct collecting *c, struct err *err)
{
    collector_tell(c->collector);
    topics_tell(c->topics);
    writer_flush(c->writer);
    c->failed = c->failed || !dead_sync(c, err) || (c->store && !store_part(c, err)) ||
                (c->printer && !printer_end(c->printer, err));
    if (!c->failed) topics_kept(c->topics);
    return !c->failed;
}

static bool collect_keep(void *context, struct err *err)
{
    return collect_commit(context, err);
}

static void collect_say(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "weir: %s\n", sentence);
}

static bool collect_rest(void *context, nanos now, struct err *err)
{
    struct collecting *c = context;
    if (!c->committed) c->committed = now;
    if (now - c->committed < c->options->every) return true;
    c->committed = now;
    return collect_commit(c, err);
}

static void tell_listening(void *context, const char *input, const char *transport, uint16_t port)
{
    (void)context;
    fprintf(stderr, "weir: listening at %s port %u (%s)\n", transport, port, input);
}

// FILE:LINE, why, and the line as it came, with tabs between: cut -f3- gives the lines back.
static void dead_write(void *context, const char *input, uint64_t line, const char *why, bytes text)
{
    const struct collecting *c = context;
    if (!c->dead) return;
    fprintf(c->dead, "%s:%llu\t%s\t", input, (unsigned long long)line, why);
    fwrite(text.p, 1, text.n, c->dead);
    fputc('\n', c->dead);
}

static bool dead_open(struct collecting *c, struct err *err)
{
    const char *path = c->options->dead;
    if (!path) return true;
    c->dead = fopen(path, "ae");
    return c->dead || err_set(err, ERR_USAGE, "%s cannot be written: %s", path, strerror(errno));
}

static bool dead_close(struct collecting *c, struct err *err)
{
    bool ok = dead_sync(c, err);
    if (c->dead) fclose(c->dead);
    c->dead = NULL;
    return ok;
}

static bool collect_open(struct collecting *c, struct err *err)
{
    const struct collect_options *o = c->options;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    bool is_kept = o->to && strcmp(o->to, "none") != 0;
    struct err damaged = {0};
    if (o->format && strcmp(o->format, "json") != 0)
        return err_set(err, ERR_USAGE, "\"%s\" is no format; there is json", o->format);
    if (!dead_open(c, err)) return false;
    if (!command_author(&c->author, is_kept, NULL, err)) return false;
    c->writer = writer_create(kinds, kind_count, (struct record_sink){c, collect_take});
    if (o->format) c->printer = printer_create(stdout);
    struct collector_options options = {.point = o->tap, .elements = !o->known_only};
    c->collector = collector_create(&options, c->writer, err);
    if (!c->collector || !is_kept) return c->collector;
    c->store = store_open(o->to, kinds, kind_count, &c->author, err);
    if (c->store && c->is_live && !exporters_recall(o->to, c->collector, &damaged))
        fprintf(stderr, "weir: %s\n", damaged.text);
    return c->store;
}

static bool open_topics(struct collecting *c, int argc, char **argv, struct err *err)
{
    struct topics_options options = {.more = c->options->kafka,
                                     .store = c->store,
                                     .point = c->options->tap,
                                     .elements = !c->options->known_only,
                                     .context = c,
                                     .keep = collect_keep,
                                     .tell = collect_say,
                                     .dead = dead_write};
    c->topics = topics_open(&options, (const char *const *)argv, (uint32_t)argc, c->writer, err);
    return c->topics || !err->code;
}

static bool collect_all(struct collecting *c, int argc, char **argv, struct gather_counts *counts,
                        struct err *err)
{
    struct gather_options options = {.inputs = (const char *const *)argv,
                                     .input_count = (uint32_t)argc,
                                     .buffer = c->options->buffer,
                                     .idle = c->options->idle,
                                     .stop = &stopped,
                                     .context = c,
                                     .rest = collect_rest,
                                     .listening = tell_listening,
                                     .clock = command_now,
                                     .point = c->options->tap,
                                     .elements = !c->options->known_only,
                                     .dead = dead_write};
    if (!collect_open(c, err) || !open_topics(c, argc, argv, err)) return false;
    options.topics = c->topics;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    bool ok = gather(&options, c->collector, c->writer, counts, err);
    // What came before a failure is kept all the same.
    struct err other = {0};
    collector_end(c->collector);
    bool kept = collect_commit(c, &other);
    if (ok && !kept) *err = other;
    kept = dead_close(c, ok && kept ? err : &other) && kept;
    return ok && kept;
}

static void report_lines(const struct lines_counts *n)
{
    fprintf(stderr, "weir: %llu flows in %llu lines; ", (unsigned long long)n->flows,
            (unsigned long long)n->lines);
    fprintf(stderr, "%llu tell of something else, %llu were not understood\n",
            (unsigned long long)n->other, (unsigned long long)n->dead);
}

static void collect_report(const struct collecting *c, const struct gather_counts *counts)
{
    struct collector_counts n = collector_counts(c->collector);
    bool is_only_lines = counts->lines.lines && !n.messages;
    if (!is_only_lines)
        fprintf(stderr, "weir: %llu flows in %llu messages; %llu datagrams found no room\n",
                (unsigned long long)n.flows, (unsigned long long)n.messages,
                (unsigned long long)counts->dropped);
    if (counts->lines.lines) report_lines(&counts->lines);
    if (counts->faults)
        fprintf(stderr, "weir: %llu of %llu connections ended before their time\n",
                (unsigned long long)counts->faults, (unsigned long long)counts->connections);
    if (n.unknown_version)
        fprintf(stderr, "weir: %llu messages were of no version that is known\n",
                (unsigned long long)n.unknown_version);
}

static int collect_templates(const struct collect_options *o, int argc, char **argv)
{
    struct err err = {0};
    uint64_t templates = 0;
    bool is_json = o->format && strcmp(o->format, "json") == 0;
    if (argc != 1 || access(argv[0], F_OK) != 0)
        err_set(&err, ERR_USAGE, "name one case: weir collect --templates CASE");
    else templates_print(argv[0], is_json ? OUTPUT_JSON : OUTPUT_TABLE, &templates, &err);
    if (err.code) return command_fail(&err);
    return templates ? 0 : ERR_DIFFERENCE;
}

static int collect_run(int argc, char **argv)
{
    struct collect_options o = {.tap = "", .buffer = GATHER_BUFFER, .every = 60 * NANOS_PER_SECOND};
    struct err err = {0};
    argc = options_parse(&collect_command, argc, argv, &o, &err);
    if (argc >= 0 && o.templates) return collect_templates(&o, argc, argv);
    if (argc == 0)
        err_set(&err, ERR_USAGE, "name where flows come from: weir collect udp://:2055, or a file");
    if (argc <= 0) return command_fail(&err);
    struct collecting c = {.options = &o, .is_live = is_live(argc, argv)};
    struct gather_counts counts = {0};
    // What follows a topic may be secret.
    int shown = kafka_is_place(argv[0]) ? (int)strcspn(argv[0], "?") : INPUTS_MAX;
    snprintf(c.inputs, sizeof c.inputs, "%.*s", shown, argv[0]);
    bool ok = collect_all(&c, argc, argv, &counts, &err);
    lines_counts_add(&counts.lines, topics_counts(c.topics));
    if (ok) collect_report(&c, &counts);
    topics_close(c.topics);
    collector_destroy(c.collector);
    store_close(c.store);
    if (c.writer) writer_destroy(c.writer);
    printer_destroy(c.printer);
    return ok ? 0 : command_fail(&err);
}

const struct command collect_command = {
    "collect", "URL|FILE... [-w CASE]",      "the records of flow exporters",
    rows,      sizeof rows / sizeof rows[0], collect_run};
