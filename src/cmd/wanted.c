// Rows of one kind for which an expression holds: the filter decides, SQL only keeps most others
// from being read.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "service/expression.h"

// The networks that expressions may name: those of the service's file, where one is asked for.
static bool networks_read(const char *expression, struct config **c, struct err *err)
{
    static const char usual[] = "/etc/weir/weir.yaml";
    const char *named = getenv("WEIR_CONFIG");
    *c = NULL;
    if (!strchr(expression, '$')) return true;
    if (named && *named) return (*c = config_read(named, err));
    return access(usual, F_OK) != 0 || (*c = config_read(usual, err));
}

struct filter *wanted_filter(const char *expression, const struct record_kind *kind)
{
    struct filter_error error;
    struct config *c;
    struct err err = {0};
    if (!networks_read(expression, &c, &err)) {
        command_fail(&err);
        return NULL;
    }
    struct filter *f = expression_compile(c, expression, kind, command_now(), &error);
    config_destroy(c);
    if (f) return f;
    fputs("weir: the expression of -Y is wrong\n", stderr);
    filter_error_print(stderr, expression, &error);
    return NULL;
}

struct wanted {
    const struct filter *filter;
    wanted_row *take;
    void *context;
};

static bool wanted_take(void *context, const struct record_batch *batch)
{
    const struct wanted *w = context;
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (w->filter && !filter_match(w->filter, batch, row)) continue;
        if (!w->take(w->context, batch, row)) return false;
    }
    return true;
}

bool wanted_scan(struct case_reader *reader, const struct record_kind *kind,
                 const struct filter *filter, wanted_row *take, void *context, struct err *err)
{
    struct wanted wanted = {filter, take, context};
    struct text where = {0};
    bool some = filter && filter_sql(filter, kind, &where);
    struct case_scan scan = {.kind = kind,
                             .fields = CASE_ALL_FIELDS,
                             .where = some ? where.p : NULL,
                             .take = wanted_take,
                             .context = &wanted};
    if (filter && filter_fields(filter, kind) & kind_asked_fields(kind))
        scan.fields = UINT64_MAX >> (64 - kind->field_count);
    bool ok = case_scan(reader, &scan, err);
    text_deinit(&where);
    uint64_t given_up = filter ? filter_given_up(filter) : 0;
    if (given_up)
        fprintf(stderr,
                "weir: a pattern took too many steps on %llu texts, which count as not matching\n",
                (unsigned long long)given_up);
    return ok;
}
