// weir collect --templates: what exporters told of their records.
#include <stdio.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "record/output.h"
#include "service/remember.h"
#include "service/service.h"

static const struct output_column columns[] = {
    {"exporter", false},  {"port", true},    {"version", true},     {"domain", true},
    {"id", true},         {"of", false},     {"first_told", false}, {"last_told", false},
    {"last_used", false}, {"records", true}, {"fields", false},
};

static void put_fields(struct output *out, const struct template *t)
{
    struct text name = {0};
    output_list_begin(out);
    for (unsigned i = 0; i < t->field_count; i++) {
        text_clear(&name);
        template_field_name(&name, &t->fields[i]);
        if (t->fields[i].length != TEMPLATE_VARIABLE)
            text_format(&name, ":%u", t->fields[i].length);
        output_text(out, bytes_of(name.p, name.n));
    }
    output_list_end(out);
    text_deinit(&name);
}

static void put_row(void *context, const struct exporter_template *e)
{
    struct output *out = context;
    const struct template *t = e->template;
    output_address(out, e->key.address);
    output_uint(out, e->key.port);
    output_uint(out, e->key.version);
    output_uint(out, e->key.domain);
    output_uint(out, t->id);
    output_text(out, bytes_text(t->scope_count ? "options" : "flows"));
    output_time(out, t->first);
    output_time(out, t->defined);
    if (t->used) output_time(out, t->used);
    else output_null(out);
    output_uint(out, t->records);
    put_fields(out, t);
    output_row_end(out);
}

// What one of those told who collected into the case.
static bool put_collector(const char *folder, unsigned number, struct output *out, struct err *err)
{
    struct collector_options options = {.point = ""};
    struct collector *c = collector_create(&options, NULL, err);
    if (!c) return false;
    bool ok = exporters_recall(folder, number, c, err);
    if (ok) exporters_each(c, out, put_row);
    collector_destroy(c);
    return ok;
}

bool templates_print(const char *folder, enum output_format format, uint64_t *rows, struct err *err)
{
    struct output *out =
        output_create(format, stdout, columns, sizeof columns / sizeof *columns, table_width());
    bool ok = true;
    for (unsigned i = 0; ok && i < SERVICE_SOURCES_MAX; i++)
        ok = put_collector(folder, i, out, err);
    ok = ok && output_end(out, err);
    *rows = output_rows(out);
    output_destroy(out);
    return ok;
}
