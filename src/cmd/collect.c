// weir collect: the records of flow exporters, into a case or to standard output. The service
// (weir run) without a file.
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/serving.h"
#include "config/keys.h"
#include "record/printer.h"

struct collect_options {
    struct config_source source;
    struct config_store store;
    const char *format;
    bool templates;
    nanos idle;
};

static const struct option_row rows[] = {
    {'w', "write", OPTION_TEXT, offsetof(struct collect_options, store.path), "CASE",
     "where to keep it: a case (made, or added to), or none [none]", 0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct collect_options, format), "json",
     "all records to standard output, one object a line", 0, 0},
    OPTION_TAP(OPTION_ROW, struct collect_options, source.tap),
    OPTION_KNOWN_ONLY(OPTION_ROW, struct collect_options, source.known_only),
    OPTION_JOIN(OPTION_ROW, struct collect_options, source.join),
    {0, "templates", OPTION_FLAG, offsetof(struct collect_options, templates), NULL,
     "only list what exporters told of their records, as CASE has it", 0, 0},
    OPTION_DEAD(OPTION_ROW, struct collect_options, source.dead),
    OPTION_KAFKA(OPTION_ROW, struct collect_options, source.kafka),
    OPTION_BUFFER(OPTION_ROW, struct collect_options, source.buffer),
    OPTION_SOCKETS(OPTION_ROW, struct collect_options, source.sockets),
    {0, "idle", OPTION_DURATION, offsetof(struct collect_options, idle), "TIME",
     "end when nothing came for so long; without it Ctrl-C ends", 0, 0},
    OPTION_EVERY(OPTION_ROW, struct collect_options, store.every),
    OPTION_RETAIN(OPTION_ROW, struct collect_options, store.retain),
    OPTION_FREE(OPTION_ROW, struct collect_options, store.free),
};

static void report_lines(const struct lines_counts *n)
{
    fprintf(stderr, "weir: %llu flows in %llu lines; ", (unsigned long long)n->flows,
            (unsigned long long)n->lines);
    fprintf(stderr, "%llu tell of something else, %llu were not understood\n",
            (unsigned long long)n->other, (unsigned long long)n->dead);
}

static void report_pairs(const struct joining_counts *n)
{
    if (!n->taken) return;
    fprintf(stderr, "weir: %llu pairs of one-way flows were joined; ",
            (unsigned long long)n->joined);
    fprintf(stderr, "%llu found no other in time, %llu left for want of room, ",
            (unsigned long long)n->window, (unsigned long long)n->full);
    fprintf(stderr, "%llu were left at the end\n", (unsigned long long)(n->end + n->kept));
}

static void collect_report(const struct serving_sums *sums)
{
    const struct gather_counts *counts = &sums->gathered;
    struct collector_counts n = sums->collected;
    bool is_only_files = (counts->lines.lines || counts->nfdump.files) && !n.messages;
    if (!is_only_files)
        fprintf(stderr, "weir: %llu flows in %llu messages; %llu datagrams found no room\n",
                (unsigned long long)n.flows, (unsigned long long)n.messages,
                (unsigned long long)counts->dropped);
    if (counts->lines.lines) report_lines(&counts->lines);
    if (counts->nfdump.files)
        fprintf(stderr, "weir: %llu flows in files of nfdump; %llu were not understood\n",
                (unsigned long long)counts->nfdump.flows,
                (unsigned long long)counts->nfdump.lost[NFDUMP_LOSS_bad_record]);
    report_pairs(&counts->pairs);
    if (counts->faults)
        fprintf(stderr, "weir: %llu of %llu connections ended before their time\n",
                (unsigned long long)counts->faults, (unsigned long long)counts->connections);
    if (n.unknown_version)
        fprintf(stderr, "weir: %llu messages were of no version that is known\n",
                (unsigned long long)n.unknown_version);
}

// The configuration that the words mean.
static struct config *config_of(const struct collect_options *o, int argc, char **argv)
{
    struct config *c = config_create();
    for (int i = 0; i < argc; i++) {
        struct config_source *source = config_add_source(c);
        *source = o->source;
        source->read = argv[i];
    }
    c->store = o->store;
    if (c->store.path && strcmp(c->store.path, "none") == 0) c->store.path = NULL;
    return c;
}

static bool collect_all(const struct collect_options *o, int argc, char **argv, struct err *err)
{
    char name[SOURCE_NAME_MAX];
    source_name(name, argv[0]);
    struct serving_options options = {.name = name, .idle = o->idle, .together = true};
    struct serving_sums sums = {0};
    if (o->format) options.printer = printer_create(stdout);
    bool ok = serve(config_of(o, argc, argv), &options, &sums, err);
    if (ok) collect_report(&sums);
    printer_destroy(options.printer);
    return ok;
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
    struct collect_options o = {0};
    struct err err = {0};
    config_defaults(config_section_named("sources"), &o.source);
    config_defaults(config_section_named("store"), &o.store);
    argc = options_parse(&collect_command, argc, argv, &o, &err);
    if (argc >= 0 && o.templates) return collect_templates(&o, argc, argv);
    if (argc == 0)
        err_set(&err, ERR_USAGE, "name where flows come from: weir collect udp://:2055, or a file");
    if (argc > GATHER_INPUTS_MAX)
        err_set(&err, ERR_USAGE, "more than %d inputs", GATHER_INPUTS_MAX);
    if (argc > 0 && o.format && strcmp(o.format, "json") != 0)
        err_set(&err, ERR_USAGE, "\"%s\" is no format; there is json", o.format);
    if (err.code) return command_fail(&err);
    return collect_all(&o, argc, argv, &err) ? 0 : command_fail(&err);
}

const struct command collect_command = {
    "collect", "URL|FILE... [-w CASE]",      "the records of flow exporters",
    rows,      sizeof rows / sizeof rows[0], collect_run};
