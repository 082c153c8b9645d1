// weir query: rows by SQL, or by kind and filter.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "record/output.h"
#include "store/case.h"

struct query_options {
    const char *kind, *expression, *format;
};

static const struct option_row rows[] = {
    {'k', "kind", OPTION_TEXT, offsetof(struct query_options, kind), "KIND", "rows of one kind instead of SQL", 0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct query_options, format), "FORMAT",
     "table, json (one object a line), csv, parquet [table]", 0, 0},
};

static struct case_reader *running;

static void stop(int number)
{
    (void)number;
    case_interrupt(running);
}

static bool query_format(const struct query_options *o, enum case_format *format, struct err *err)
{
    static const char *const names[] = {
        [CASE_TABLE] = "table", [CASE_JSON] = "json", [CASE_CSV] = "csv", [CASE_PARQUET] = "parquet"};
    *format = CASE_TABLE;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (o->format && strcmp(o->format, names[i]) != 0) continue;
        *format = i;
        return true;
    }
    return err_set(err, ERR_USAGE, "\"%s\" is no format; there are table, json, csv and parquet", o->format);
}

static unsigned query_width(void)
{
    return isatty(STDOUT_FILENO) ? screen_width() : 0;
}

static int query_run(int argc, char **argv)
{
    struct query_options o = {0};
    struct err err = {0};
    enum case_format format = CASE_TABLE;
    argc = options_parse(&query_command, argc, argv, &o, &err);
    if (argc < 0 || !query_format(&o, &format, &err)) return command_fail(&err);
    if (argc != (o.kind ? 1 : 2)) {
        err_set(&err, ERR_USAGE, "write weir query CASE 'SQL', or weir query CASE -k KIND [-Y EXPR]");
        return command_fail(&err);
    }
    struct asked asked;
    if (!asked_open(&asked, argv[0], &err)) return command_fail(&err);
    running = asked.reader;
    signal(SIGINT, stop);
    uint64_t count = 0;
    bool ok = case_sql(asked.reader, argv[1], format, stdout, query_width(), &count, &err);
    signal(SIGINT, SIG_DFL);
    asked_close(&asked);
    if (!ok) return command_fail(&err);
    return count ? 0 : ERR_DIFFERENCE;
}

const struct command query_command = {"query", "CASE|FILE 'SQL' | -k KIND [-Y EXPR]", "rows, by SQL or by filter",
                                      rows, sizeof rows / sizeof rows[0], query_run};
