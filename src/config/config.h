// What `weir run` is to do, as one file says it: networks, elements, sources, store, sinks,
// metrics.
//
// Sections and keys are rows of tables (keys.c): reading, checking, `--dump`, the manual and what
// needs a restart come from them. A message about the file names file, line and column, and the key
// that was probably meant. What only the engine can judge (an expression, a place) it tells with
// config_fail.
//
// Belongs to one thread; constant once it was read.
#pragma once

#include <stdio.h>

#include "base/address.h"
#include "config/option.h"
#include "config/tree.h"

// Where an item begins in the file; line 0 when it stands in none.
struct config_place {
    uint32_t line, column;
};

// Items of one type; each begins with its place.
struct config_list {
    void *items;
    uint32_t count;
};

struct config_network {
    struct config_place place;
    const char *name;
    struct prefix *prefixes;
    uint32_t prefix_count;
};

struct config_element {
    struct config_place place;
    const char *name, *type, *fills;
    uint64_t enterprise, number;
};

struct config_source {
    struct config_place place;
    const char *listen, *read; // one of them
    const char *tap, *dead, *kafka, *bpf;
    bool known_only;
    uint64_t buffer, sockets;
    nanos join; // 0: one-way flows are not joined
    // Of an interface.
    const char *overlap;
    nanos timeout, active_timeout, idle_timeout;
    uint64_t lanes;
    bool keep, no_dissect, no_promiscuous;
};

struct config_store {
    struct config_place place;
    const char *path; // NULL: nothing is kept
    nanos every;
    const char *retain, *free; // store/store.h, store_limit
};

struct config_sink {
    struct config_place place;
    const char *to, *kind, *filter, *format;
    const char *kafka, *spool; // of topics
    uint64_t spool_size;
};

struct config_metrics {
    struct config_place place;
    const char *listen; // NULL: none
};

struct config {
    struct tree tree; // owns the texts
    struct config_list networks, elements, sources, sinks;
    struct config_store store;
    struct config_metrics metrics;
    struct config_place place;
};

// All defaults, and no sources.
struct config *config_create(void);
// NULL and err when the file cannot be read (ERR_USAGE, too: its name is one of the words), or says
// what it must not. Keeps `path`.
struct config *config_read(const char *path, struct err *err);
// The same of text at hand, which `name` calls.
struct config *config_parse(const char *name, bytes content, struct err *err);
void config_destroy(struct config *c); // NULL is fine

// The defaults of an item that is not in a file.
struct config_source *config_add_source(struct config *c);

// "FILE:LINE:COLUMN: " and a sentence, or the sentence alone; always false.
bool config_fail(const struct config *c, struct config_place at, struct err *err,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

// The effective values, as a file that config_read takes; *** in place of secrets.
void config_dump(const struct config *c, struct text *out);
// All keys with their meaning and default.
void config_manual(FILE *out);
// Names of what differs and takes effect only when the program starts again, "store.path, sources";
// nothing when there is none.
void config_restart(const struct config *old, const struct config *new, struct text *out);
