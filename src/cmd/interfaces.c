#include "cmd/interfaces.h"

#include <signal.h>
#include <stdio.h>

#include "bus/kafka_place.h"
#include "cmd/cmd.h"
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

bool interfaces_stopped(void)
{
    return __atomic_load_n(&stopped, __ATOMIC_RELAXED);
}

static const char *name_in(const char *word)
{
    return kafka_is_place(word) ? word : live_interface_of(word);
}

bool interfaces_named(const struct interface_options *o, const char *const *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (name_in(words[i])) return true;
    return o->interfaces.count > 0;
}

static bool is_of_interfaces(const struct interface_options *o)
{
    return o->buffer || o->packets || o->duration || o->idle || o->not_promiscuous;
}

bool interfaces_unneeded(const struct interface_options *o, struct err *err)
{
    return is_of_interfaces(o) &&
           !err_set(err, ERR_USAGE,
                    "--count, --for, --idle, --buffer and --no-promiscuous are for a network "
                    "interface: name one with -i");
}

const char *interfaces_first(const struct interface_options *o, const char *const *words)
{
    return o->interfaces.count ? o->interfaces.list[0] : name_in(words[0]);
}

static bool collect_names(const struct interface_options *o, const char *const *words, uint32_t n,
                          struct option_texts *names, struct err *err)
{
    *names = o->interfaces;
    for (uint32_t i = 0; i < n; i++) {
        const char *name = name_in(words[i]);
        if (!name)
            return err_set(err, ERR_USAGE,
                           "%s cannot be read together with an interface or a topic: read one "
                           "after the other into the same case",
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
                                   .idle = o->idle,
                                   .more = o->kafka,
                                   .until_end = !o->follow,
                                   .tell = command_say};
    bool are_topics = kafka_is_place(names.list[0]);
    if (o->follow) options.duration = o->every;
    if (are_topics && is_of_interfaces(o))
        return err_set(err, ERR_USAGE,
                       "--count, --for, --idle, --buffer and --no-promiscuous are for a network "
                       "interface, not for a topic");
    if (o->follow && !are_topics)
        return err_set(err, ERR_USAGE, "--follow is for a topic: name one");
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
