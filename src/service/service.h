// What collects, keeps and passes on, as a configuration says: `weir run`, and `weir collect`,
// which is the same without a file.
//
//     source: a thread that gathers ─┐                      ┌─ the store, in parts
//     source: a thread that gathers ─┼─ one at a time ──────┼─ sinks
//     ...                           ─┘                      └─ standard output
//
// Sources put their batches through one lock into the store and the sinks. The caller's thread
// turns the rest: it makes durable what came, makes segments of it, opens again what failed,
// counts. Sources go on meanwhile.
//
// Thread: one, but the metrics, which any may ask. Time is a parameter; only connections ask
// `clock`.
#pragma once

#include "config/config.h"
#include "service/gather.h"
#include "store/entry.h"

enum { SERVICE_SOURCES_MAX = 64, SOURCE_NAME_MAX = 256 };

struct service;

struct printer;

struct service_options {
    const char *name; // of what is read, for the log of the case
    struct author author;
    nanos (*clock)(void);
    nanos idle;    // a source ends when nothing came for so long; 0: it does not end by itself
    bool together; // all sources in one thread, in their order
    struct printer *printer; // of what comes, as lines; or NULL
    void *context;
    void (*listening)(void *context, const char *input, const char *transport, uint16_t port);
    void (*remark)(void *context, const char *sentence); // what a person should know
};

// An input as it may be shown: what follows the name of a topic may be secret.
void source_name(char name[SOURCE_NAME_MAX], const char *input);

// Whether what no key can tell alone makes sense: expressions, places, formats. Opens nothing.
// ERR_USAGE.
bool service_check(const struct config *c, nanos now, struct err *err);

// Opens the store, sinks and metrics, and begins to gather. Keeps `c` and the options' strings.
// NULL and err when anything cannot be had.
struct service *service_open(const struct config *c, const struct service_options *options,
                             nanos now, struct err *err);
// Whether all sources that listen do.
bool service_is_ready(struct service *s);
// Whether nothing can come any more: all sources have ended.
bool service_is_done(struct service *s);
// Called several times a second. False when something cannot go on.
bool service_turn(struct service *s, nanos now, struct err *err);
// Takes another configuration, as far as that goes while it runs, and remarks what needs a restart.
// False and err when it makes no sense: then all stays as it was. Keeps `c` when true.
bool service_reload(struct service *s, const struct config *c, nanos now, struct err *err);
// Ends sources, keeps and passes on what came, also after a failure. `counts` and `n`: of all.
bool service_close(struct service *s, nanos now, struct gather_counts *counts,
                   struct collector_counts *n, struct err *err);

// Metrics as Prometheus reads them.
void service_metrics(struct service *s, struct text *out);
// One line for the service manager: what came so far.
void service_status(struct service *s, struct text *out);
