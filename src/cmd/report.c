// weir report: the summary of a case again.
#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "engine/summary.h"
#include "store/case.h"

static bool report_take(void *context, const struct record_batch *batch)
{
    struct record_sink *sink = context;
    sink->take(sink->context, batch);
    return true;
}

static bool report_scan(struct case_reader *reader, const struct record_kind *kind,
                        struct summary *summary, struct err *err)
{
    const char *const *columns = summary_columns(kind->name);
    struct record_sink sink = summary_sink(summary);
    struct case_scan scan = {.kind = kind, .take = report_take, .context = &sink};
    for (; columns && *columns; columns++) {
        int field = kind_field(kind, bytes_text(*columns));
        if (field >= 0) scan.fields |= UINT64_C(1) << field;
    }
    return !scan.fields || case_scan(reader, &scan, err);
}

static int report_run(int argc, char **argv)
{
    struct err err = {0};
    argc = options_parse(&report_command, argc, argv, NULL, &err);
    if (argc >= 0 && argc != 1) err_set(&err, ERR_USAGE, "name one case: weir report CASE");
    if (argc != 1) return command_fail(&err);
    struct asked asked;
    if (!asked_open(&asked, argv[0], &err)) return command_fail(&err);
    struct summary *summary = summary_create();
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    bool ok = true;
    for (uint32_t i = 0; ok && i < kind_count; i++)
        ok = report_scan(asked.reader, kinds[i], summary, &err);
    struct summary_style style = {screen_width(), screen_colour(stdout),
                                  case_path(asked.reader) ? argv[0] : NULL};
    if (ok) summary_print(summary, &style, stdout);
    summary_destroy(summary);
    asked_close(&asked);
    return ok ? 0 : command_fail(&err);
}

const struct command report_command = {"report", "CASE|FILE", "the summary again",
                                       NULL,     0,           report_run};
