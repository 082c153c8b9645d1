#include "cmd/interfaces.h"

#include <signal.h>
#include <stdio.h>

#include "engine/version.h"
#include "source/rights.h"

enum { REMARK_MAX = 512 };

static bool stopped;

// A second signal ends the program as if it were not handled.
static void stop(int number)
{
    __atomic_store_n(&stopped, true, __ATOMIC_RELAXED);
    signal(number, SIG_DFL);
}

bool interfaces_named(const struct interface_options *o, const char *const *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (live_interface_of(words[i])) return true;
    return o->interfaces.count > 0;
}

bool interfaces_unneeded(const struct interface_options *o, struct err *err)
{
    bool any = o->buffer || o->packets || o->duration || o->idle || o->not_promiscuous;
    return any &&
           !err_set(err, ERR_USAGE,
                    "--count, --for, --idle, --buffer and --no-promiscuous are for a network "
                    "interface: name one with -i");
}

const char *interfaces_first(const struct interface_options *o, const char *const *words)
{
    return o->interfaces.count ? o->interfaces.list[0] : live_interface_of(words[0]);
}

static bool collect_names(const struct interface_options *o, const char *const *words, uint32_t n,
                          struct option_texts *names, struct err *err)
{
    *names = o->interfaces;
    for (uint32_t i = 0; i < n; i++) {
        const char *name = live_interface_of(words[i]);
        if (!name)
            return err_set(err, ERR_USAGE,
                           "%s and an interface cannot be read together: read one after the other "
                           "into the same case",
                           words[i]);
        if (names->count == OPTION_TEXTS_MAX)
            return err_set(err, ERR_USAGE, "more than %d interfaces", OPTION_TEXTS_MAX);
        names->list[names->count++] = name;
    }
    return true;
}

bool interfaces_open(const struct interface_options *o, const char *const *words, uint32_t n,
                     const char *bpf, struct live **live, struct err *err)
{
    struct option_texts names;
    if (!collect_names(o, words, n, &names, err)) return false;
    struct live_options options = {.interfaces = names.list,
                                   .interface_count = names.count,
                                   .bpf = bpf,
                                   .quiet = o->not_promiscuous,
                                   .buffer = o->buffer,
                                   .program = "weir " WEIR_VERSION,
                                   .stop = &stopped,
                                   .packets = o->packets,
                                   .duration = o->duration,
                                   .idle = o->idle};
    *live = live_open(&options, err);
    if (!*live) return false;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    if (rights_give_up(RIGHTS_ALL, err)) return true;
    live_close(*live);
    *live = NULL;
    return false;
}

void interfaces_remark(const struct live *live)
{
    char sentence[REMARK_MAX];
    if (live && live_remark(live, sentence, sizeof sentence))
        fprintf(stderr, "weir: %s\n", sentence);
}
