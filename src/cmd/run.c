// weir run: sources, store and sinks as one file says, until it is told to end.
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/serving.h"

struct run_options {
    const char *file;
    bool check, dump, keys;
};

static const struct option_row rows[] = {
    {'c', "config", OPTION_TEXT, offsetof(struct run_options, file), "FILE",
     "what to do [/etc/weir/weir.yaml]", 0, 0},
    {'T', "test", OPTION_FLAG, offsetof(struct run_options, check), NULL,
     "only look whether the file makes sense", 0, 0},
    {0, "dump", OPTION_FLAG, offsetof(struct run_options, dump), NULL,
     "only print all values that hold, as such a file, *** for secrets", 0, 0},
    {0, "keys", OPTION_FLAG, offsetof(struct run_options, keys), NULL,
     "only print what may stand in the file", 0, 0},
};

static void dump(const struct config *c)
{
    struct text out = {0};
    config_dump(c, &out);
    fwrite(out.p, 1, out.n, stdout);
    text_deinit(&out);
}

static bool run_file(const struct run_options *o, struct err *err)
{
    struct config *c = config_read(o->file, err);
    if (!c) return false;
    if (o->check || o->dump) {
        bool fine = service_check(c, command_now(), err);
        if (fine && o->dump) dump(c);
        config_destroy(c);
        return fine;
    }
    struct serving_options options = {.name = o->file, .file = o->file};
    struct serving_sums sums = {0};
    return serve(c, &options, &sums, err);
}

static int run_run(int argc, char **argv)
{
    struct run_options o = {.file = "/etc/weir/weir.yaml"};
    struct err err = {0};
    argc = options_parse(&run_command, argc, argv, &o, &err);
    if (argc > 0) err_set(&err, ERR_USAGE, "name the file with -c: weir run -c %s", argv[0]);
    if (err.code) return command_fail(&err);
    if (o.keys) config_manual(stdout);
    return o.keys || run_file(&o, &err) ? 0 : command_fail(&err);
}

const struct command run_command = {"run",
                                    "[-c FILE]",
                                    "the service that collects, keeps and passes on",
                                    rows,
                                    sizeof rows / sizeof rows[0],
                                    run_run};
