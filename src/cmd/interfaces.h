// Network interfaces and topics as an input of commands: their options, and opening them.
#pragma once

#include "cmd/options.h"
#include "source/live.h"

struct interface_options {
    struct option_texts interfaces;
    uint64_t buffer, packets;
    nanos duration, idle;
    bool not_promiscuous;
    const char *kafka; // options of topics
    // Of topics: not to their end, but for `every`, again and again.
    bool follow;
    nanos every;
};

// Whether an option or one of the words ("interface:NAME", "kafka://...") names any; and the first
// that is named.
bool interfaces_named(const struct interface_options *o, const char *const *words, uint32_t n);
const char *interfaces_first(const struct interface_options *o, const char *const *words);
// Whether an option was given that says something of interfaces only; then err is set.
bool interfaces_unneeded(const struct interface_options *o, struct err *err);

// Opens them, gives up the rights that this took, and has signals end the capture. ERR_USAGE when
// one of the words is no interface. The live is the caller's.
bool interfaces_open(const struct interface_options *o, const char *const *words, uint32_t n,
                     const char *bpf, struct live **live, struct err *err);
// Whether a signal has ended it.
bool interfaces_stopped(void);
// Tells what became of interfaces that are gone.
void interfaces_remark(const struct live *live);
