// weir query: rows by SQL, or by kind and filter.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "filter/filter.h"
#include "record/output.h"
#include "store/case.h"

struct query_options {
    const char *kind, *expression, *format;
};

static const struct option_row rows[] = {
    {'k', "kind", OPTION_TEXT, offsetof(struct query_options, kind), "KIND",
     "rows of one kind instead of SQL", 0, 0},
    {'Y', "filter", OPTION_TEXT, offsetof(struct query_options, expression), "EXPR",
     "of them those for which this holds: 'status_code >= 400 and src_addr in 10.0.0.0/8'", 0, 0},
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
    static const char *const names[] = {[CASE_TABLE] = "table",
                                        [CASE_JSON] = "json",
                                        [CASE_CSV] = "csv",
                                        [CASE_PARQUET] = "parquet"};
    *format = CASE_TABLE;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (o->format && strcmp(o->format, names[i]) != 0) continue;
        *format = i;
        return true;
    }
    return err_set(err, ERR_USAGE, "\"%s\" is no format; there are table, json, csv and parquet",
                   o->format);
}

// ---- rows of a kind -----------------------------------------------------------------------------

struct rows_query {
    const struct record_kind *kind; // NULL: SQL is asked
    struct filter *filter;          // NULL for all rows
    enum case_format format;
};

static bool take_row(void *context, const struct record_batch *batch, uint32_t row)
{
    output_batch_row(context, batch, row);
    return true;
}

static bool query_rows(struct case_reader *reader, const struct rows_query *q, uint64_t *count,
                       struct err *err)
{
    static const enum output_format formats[] = {
        [CASE_TABLE] = OUTPUT_TABLE, [CASE_JSON] = OUTPUT_JSON, [CASE_CSV] = OUTPUT_CSV};
    struct output *output = output_create_for(formats[q->format], stdout, q->kind, table_width());
    bool ok =
        wanted_scan(reader, q->kind, q->filter, take_row, output, err) && output_end(output, err);
    *count = output_rows(output);
    output_destroy(output);
    return ok;
}

// ---- the command --------------------------------------------------------------------------------

// What is asked, known to be well formed before anything is read. The exit status.
static int query_prepare(const struct query_options *o, struct rows_query *q)
{
    struct err err = {0};
    q->kind = catalogue_kind(bytes_text(o->kind));
    if (!q->kind || q->kind->hidden) {
        err_set(&err, ERR_USAGE, "there is no kind \"%s\"; weir fields lists all", o->kind);
    } else if (q->format == CASE_PARQUET) {
        err_set(&err, ERR_USAGE,
                "rows of a kind are written as table, json or csv; Parquet is for SQL: "
                "weir query CASE 'SELECT * FROM %s' -o parquet",
                o->kind);
    } else if (o->expression && !(q->filter = wanted_filter(o->expression, q->kind))) {
        return ERR_USAGE;
    }
    return err.code ? command_fail(&err) : 0;
}

static bool query_ask(struct case_reader *reader, const char *sql, const struct rows_query *q,
                      uint64_t *count, struct err *err)
{
    running = reader;
    signal(SIGINT, stop);
    bool ok = q->kind ? query_rows(reader, q, count, err)
                      : case_sql(reader, sql, q->format, stdout, table_width(), count, err);
    signal(SIGINT, SIG_DFL);
    return ok;
}

static int query_answer(const char *path, const char *sql, const struct rows_query *q)
{
    struct err err = {0};
    struct asked asked;
    uint64_t count = 0;
    if (!asked_open(&asked, path, &err)) return command_fail(&err);
    bool ok = query_ask(asked.reader, sql, q, &count, &err);
    asked_close(&asked);
    if (!ok) return command_fail(&err);
    return count ? 0 : ERR_DIFFERENCE;
}

static int query_run(int argc, char **argv)
{
    struct query_options o = {0};
    struct rows_query q = {0};
    struct err err = {0};
    argc = options_parse(&query_command, argc, argv, &o, &err);
    if (argc < 0 || !query_format(&o, &q.format, &err)) return command_fail(&err);
    if (argc != (o.kind ? 1 : 2) || (o.expression && !o.kind)) {
        err_set(&err, ERR_USAGE,
                "write weir query CASE 'SQL', or weir query CASE -k KIND [-Y EXPR]");
        return command_fail(&err);
    }
    int status = o.kind ? query_prepare(&o, &q) : 0;
    if (status == 0) status = query_answer(argv[0], argv[1], &q);
    filter_destroy(q.filter);
    return status;
}

const struct command query_command = {
    "query", "CASE|FILE 'SQL' | -k KIND [-Y EXPR]", "rows, by SQL or by filter",
    rows,    sizeof rows / sizeof rows[0],          query_run};
