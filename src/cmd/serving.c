#include "cmd/serving.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "cmd/cmd.h"
#include "service/notify.h"

enum { TURN_MS = 100 };
#define LOOK_EVERY NANOS_PER_SECOND
#define STATUS_EVERY (10 * NANOS_PER_SECOND)

struct serving {
    const struct serving_options *options;
    struct config *first, *current; // what runs borrows from the first
    struct service *service;
    struct stat file;
    nanos looked, told, petted, watchdog;
    bool is_ready;
};

static void tell(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "weir: %s\n", sentence);
}

static void tell_listening(void *context, const char *input, const char *transport, uint16_t port)
{
    (void)context;
    fprintf(stderr, "weir: listening at %s port %u (%s)\n", transport, port, input);
}

// ---- signals ------------------------------------------------------------------------------------

// They wait until they are asked for, in every thread that is begun from here on.
static void signals_hold(sigset_t *set, bool has_file)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    if (has_file) sigaddset(set, SIGHUP);
    sigprocmask(SIG_BLOCK, set, NULL);
}

// 0 when none came within a turn.
static int signal_next(const sigset_t *set)
{
    struct timespec wait = {0, TURN_MS * NANOS_PER_MILLI};
    int number = sigtimedwait(set, NULL, &wait);
    return number > 0 ? number : 0;
}

// ---- another configuration ----------------------------------------------------------------------

static bool has_changed(struct serving *s, nanos now)
{
    struct stat file;
    if (!s->options->file || now - s->looked < LOOK_EVERY) return false;
    s->looked = now;
    if (stat(s->options->file, &file) != 0) return false; // in the middle of being replaced
    bool same = file.st_ino == s->file.st_ino && file.st_size == s->file.st_size &&
                file.st_mtim.tv_sec == s->file.st_mtim.tv_sec &&
                file.st_mtim.tv_nsec == s->file.st_mtim.tv_nsec;
    s->file = file;
    return !same;
}

static void config_drop(struct serving *s, struct config *c)
{
    if (c != s->first) config_destroy(c);
}

static void reload(struct serving *s, nanos now)
{
    struct err err = {0};
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)(command_monotonic() / NANOS_PER_MICRO));
    notify(state);
    stat(s->options->file, &s->file);
    struct config *c = config_read(s->options->file, &err);
    if (c && service_reload(s->service, c, now, &err)) {
        config_drop(s, s->current);
        s->current = c;
        fprintf(stderr, "weir: %s was read again\n", s->options->file);
    } else {
        config_destroy(c);
        fprintf(stderr, "weir: %s; what runs stays as it was\n", err.text);
    }
    notify("READY=1");
}

// ---- the service manager ------------------------------------------------------------------------

static void tell_manager(struct serving *s, nanos now)
{
    if (!s->is_ready && service_is_ready(s->service)) {
        s->is_ready = true;
        notify("READY=1");
    }
    if (s->watchdog && now - s->petted >= s->watchdog / 2) {
        s->petted = now;
        notify("WATCHDOG=1");
    }
    if (now - s->told < STATUS_EVERY) return;
    s->told = now;
    struct text status = {0};
    text_add(&status, "STATUS=");
    service_status(s->service, &status);
    notify(status.p);
    text_deinit(&status);
}

// ---- all ----------------------------------------------------------------------------------------

static bool turn(struct serving *s, const sigset_t *signals, struct err *err)
{
    for (;;) {
        int number = signal_next(signals);
        nanos now = command_now();
        if (number == SIGINT || number == SIGTERM) return true;
        if (number == SIGHUP || has_changed(s, now)) reload(s, now);
        bool is_done = service_is_done(s->service);
        if (!service_turn(s->service, now, err)) return false;
        if (is_done) return true;
        tell_manager(s, now);
    }
}

bool serve(struct config *c, const struct serving_options *options, struct serving_sums *sums,
           struct err *err)
{
    struct serving s = {.options = options, .first = c, .current = c};
    sigset_t signals;
    bool is_kept = c->store.path;
    struct service_options o = {.name = options->name,
                                .clock = command_now,
                                .idle = options->idle,
                                .together = options->together,
                                .printer = options->printer,
                                .listening = tell_listening,
                                .remark = tell};
    if (options->file) stat(options->file, &s.file);
    s.watchdog = notify_watchdog();
    signals_hold(&signals, options->file);
    bool ok = command_author(&o.author, is_kept, NULL, err);
    if (ok) s.service = service_open(c, &o, command_now(), err);
    ok = s.service && turn(&s, &signals, err);
    if (s.service) notify("STOPPING=1");
    struct err other = {0};
    bool closed =
        service_close(s.service, command_now(), &sums->gathered, &sums->collected, &other);
    if (ok && !closed) *err = other;
    config_drop(&s, s.current);
    config_destroy(s.first);
    return ok && closed;
}
