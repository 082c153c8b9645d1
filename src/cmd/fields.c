// weir fields: what there is to ask for.
#include <string.h>

#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "record/community_id.h"

struct fields_options {
    bool json;
};

static const struct option_row rows[] = {
    {'J', "json", OPTION_FLAG, offsetof(struct fields_options, json), NULL, "one object a line", 0,
     0},
};

static void print_field(const struct record_kind *kind, const struct field *f, bool json)
{
    if (!json) {
        printf("  %-22s %-9s %s%s%s%s\n", f->name, field_type_name(f->type), f->help,
               f->unit ? " (" : "", f->unit ? f->unit : "", f->unit ? ")" : "");
        return;
    }
    printf("{\"kind\":\"%s\",\"name\":\"%s\",\"type\":\"%s\",\"help\":\"%s\"", kind->name, f->name,
           field_type_name(f->type), f->help);
    if (f->unit) printf(",\"unit\":\"%s\"", f->unit);
    if (f->ecs) printf(",\"ecs\":\"%s\"", f->ecs);
    if (f->zeek) printf(",\"zeek\":\"%s\"", f->zeek);
    puts("}");
}

// What is not stored, but computed when rows are shown.
static void print_computed(const struct record_kind *kind, bool json)
{
    unsigned tuple[COMMUNITY_FIELDS];
    static const struct field community_id = {
        .name = "community_id",
        .type = FIELD_TEXT,
        .help = "Community ID 1.0 with seed 0, computed from the tuple when it is shown",
        .ecs = "network.community_id",
        .zeek = "community_id",
    };
    if (community_id_fields(kind, tuple)) print_field(kind, &community_id, json);
}

static void print_kind(const struct record_kind *kind, bool json)
{
    if (!json) printf("%s: %s\n", kind->name, kind->help);
    for (uint32_t i = 0; i < kind->field_count; i++)
        if (!(kind->fields[i].flags & FIELD_HIDDEN) && kind->fields[i].type != FIELD_BLOB)
            print_field(kind, &kind->fields[i], json);
    print_computed(kind, json);
    if (!json) putchar('\n');
}

static int fields_run(int argc, char **argv)
{
    struct fields_options o = {0};
    struct err err = {0};
    argc = options_parse(&fields_command, argc, argv, &o, &err);
    if (argc < 0) return command_fail(&err);
    for (int i = 0; i < argc; i++) {
        const struct record_kind *kind = catalogue_kind(bytes_text(argv[i]));
        if (!kind) {
            err_set(&err, ERR_USAGE, "there is no kind \"%s\"; weir fields lists all", argv[i]);
            return command_fail(&err);
        }
        print_kind(kind, o.json);
    }
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
    for (uint32_t i = 0; argc == 0 && i < count; i++)
        if (!kinds[i]->hidden) print_kind(kinds[i], o.json);
    return 0;
}

const struct command fields_command = {
    "fields",  "[KIND ...]", "what there is to ask for", rows, sizeof rows / sizeof rows[0],
    fields_run};
