// weir dissect: stored conversations once more, with this version.
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "engine/again.h"
#include "engine/catalogue.h"
#include "filter/filter.h"
#include "flow/flow.h"
#include "record/printer.h"
#include "store/entry.h"
#include "store/store.h"

struct dissect_options {
    const char *expression, *format, *why;
    uint64_t kept_max;
};

static const struct option_row rows[] = {
    {'Y', "filter", OPTION_TEXT, offsetof(struct dissect_options, expression), "EXPR",
     "only conversations for which this holds [all]", 0, 0},
    {'o', "output", OPTION_TEXT, offsetof(struct dissect_options, format), "json",
     "print what is made, one object a line, and change nothing", 0, 0},
    {0, "file-limit", OPTION_SIZE, offsetof(struct dissect_options, kept_max), "SIZE",
     "most that is kept of one file [as when it was read]", 0, 0},
    {0, "why", OPTION_TEXT, offsetof(struct dissect_options, why), "TEXT",
     "the reason, for the log of the case", 0, 0},
};

struct chosen {
    struct record_id *ids;
    size_t count, room;
};

static bool take_conversation(void *context, const struct record_batch *b, uint32_t row)
{
    struct chosen *c = context;
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 256;
        c->ids = memory_resize(c->ids, c->room * sizeof *c->ids);
    }
    c->ids[c->count++] =
        batch_get_id(b, (unsigned)kind_field(&conversation_kind, bytes_text("id")), row);
    return true;
}

// Everything in the case is chosen without an expression: then `ids` stays NULL.
static bool choose(struct chosen *c, struct case_reader *reader, const struct filter *filter,
                   struct err *err)
{
    if (!filter) return true;
    if (!wanted_scan(reader, &conversation_kind, filter, take_conversation, c, err)) return false;
    return c->count || err_set(err, ERR_DIFFERENCE, "no conversation matches");
}

static bool dissect_print(struct case_reader *reader, const struct again_options *options,
                          struct err *err)
{
    struct again_counts counts;
    struct printer *printer = printer_create(stdout);
    bool ok = again_tell(reader, options, printer_sink(printer), &counts, err);
    ok = printer_end(printer, ok ? err : &(struct err){0}) && ok;
    printer_destroy(printer);
    return ok;
}

static bool dissect_replace(const char *path, const char *why, const struct again_options *options,
                            struct err *err)
{
    struct author author;
    struct again_counts counts;
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    if (!command_author(&author, true, why, err)) return false;
    struct store *store = store_open(path, kinds, kind_count, &author, err);
    bool ok = store && again_replace(store, options, &counts, err);
    store_close(store);
    if (ok)
        fprintf(stderr, "weir: %llu conversations dissected again, %llu records\n",
                (unsigned long long)counts.conversations, (unsigned long long)counts.records);
    return ok;
}

static bool dissect_check(const struct dissect_options *o, int argc, struct err *err)
{
    if (argc < 0) return false;
    if (argc != 1) return err_set(err, ERR_USAGE, "name one case: weir dissect CASE [-Y EXPR]");
    return !o->format || strcmp(o->format, "json") == 0 ||
           err_set(err, ERR_USAGE, "\"%s\" is no format; there is json", o->format);
}

static bool dissect_all(const struct dissect_options *o, const char *path,
                        const struct filter *filter, struct err *err)
{
    struct asked asked;
    struct chosen chosen = {0};
    if (!asked_open(&asked, path, err)) return false;
    bool ok = choose(&chosen, asked.reader, filter, err);
    struct again_options again = {chosen.ids, chosen.count, o->kept_max};
    if (ok && o->format) ok = dissect_print(asked.reader, &again, err);
    bool in_memory = !case_path(asked.reader);
    asked_close(&asked);
    if (ok && !o->format && in_memory)
        ok = err_set(err, ERR_USAGE, "%s is no case: -o json prints what is made of it", path);
    else if (ok && !o->format) ok = dissect_replace(path, o->why, &again, err);
    memory_free(chosen.ids);
    return ok;
}

static int dissect_run(int argc, char **argv)
{
    struct dissect_options o = {0};
    struct err err = {0};
    struct filter *filter = NULL;
    argc = options_parse(&dissect_command, argc, argv, &o, &err);
    if (!dissect_check(&o, argc, &err)) return command_fail(&err);
    if (o.expression && !(filter = wanted_filter(o.expression, &conversation_kind)))
        return ERR_USAGE;
    bool ok = dissect_all(&o, argv[0], filter, &err);
    filter_destroy(filter);
    return ok ? 0 : command_fail(&err);
}

const struct command dissect_command = {
    "dissect", "CASE [-Y EXPR] [-o json]",   "stored conversations once more",
    rows,      sizeof rows / sizeof rows[0], dissect_run};
