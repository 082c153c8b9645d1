// What `weir run` and `weir collect` share: one service from its start to its end, and signals.
#pragma once

#include "service/service.h"

struct serving_options {
    const char *name; // for the log of the case
    const char *file; // of the configuration, looked at for changes; NULL: there is none
    nanos idle;
    bool together;           // service/service.h
    struct printer *printer; // of what comes; or NULL
};

struct serving_sums {
    struct gather_counts gathered;
    struct collector_counts collected;
};

// Runs until nothing can come any more, or SIGINT or SIGTERM. Takes `c`. False and err when
// something failed; what came before that is kept all the same.
bool serve(struct config *c, const struct serving_options *options, struct serving_sums *sums,
           struct err *err);
