// weir relocate: where the captures of a case are, and where those are that moved.
#include <inttypes.h>

#include "cmd/cmd.h"
#include "engine/catalogue.h"
#include "engine/relocate.h"
#include "store/entry.h"

struct relocate_options {
    const char *why;
};

static const struct option_row rows[] = {
    {0, "why", OPTION_TEXT, offsetof(struct relocate_options, why), "TEXT",
     "the reason, for the log of the case", 0, 0},
};

static const char *const states[] = {
    [CAPTURE_KEPT] = "in the case",
    [CAPTURE_THERE] = "there",
    [CAPTURE_MISSING] = "missing",
    [CAPTURE_FOUND] = "found",
};

// How many are not there.
static size_t print_list(const struct location_list *list)
{
    size_t missing = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct located *c = &list->captures[i];
        bool found = c->state == CAPTURE_FOUND;
        missing += c->state == CAPTURE_MISSING;
        printf("%-11s  %s", states[c->state], found ? c->now : c->path);
        if (found) printf("  (was %s)", c->path);
        if (c->state == CAPTURE_MISSING)
            printf("  (%" PRIu64 " bytes, SHA-256 %s)", c->bytes, c->sha256);
        putchar('\n');
    }
    return missing;
}

static bool list_captures(const char *path, struct location_list *list, struct err *err)
{
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct case_reader *reader = case_open(path, kinds, kind_count, err);
    bool fine = reader && locate(reader, list, err);
    case_close(reader);
    return fine;
}

static bool find_captures(const char *path, const char *const *among, uint32_t count,
                          const struct relocate_options *o, struct location_list *list,
                          struct err *err)
{
    struct author author;
    return locate_among(list, among, count, err) && command_author(&author, true, o->why, err) &&
           relocate(path, list, &author, err);
}

static int relocate_run(int argc, char **argv)
{
    struct relocate_options o = {0};
    struct location_list list = {0};
    struct err err = {0};
    argc = options_parse(&relocate_command, argc, argv, &o, &err);
    if (argc == 0)
        err_set(&err, ERR_USAGE,
                "name a case, and where its captures may be: weir relocate CASE "
                "FILE|DIR ...");
    if (argc < 1) return command_fail(&err);
    bool fine = list_captures(argv[0], &list, &err);
    if (fine && argc > 1)
        fine = find_captures(argv[0], (const char *const *)argv + 1, (uint32_t)argc - 1, &o, &list,
                             &err);
    size_t missing = fine ? print_list(&list) : 0;
    location_list_deinit(&list);
    if (!fine) return command_fail(&err);
    return missing ? ERR_DIFFERENCE : 0;
}

const struct command relocate_command = {
    "relocate", "CASE [FILE|DIR ...]",        "where its captures are; finds those that moved",
    rows,       sizeof rows / sizeof rows[0], relocate_run};
