// Sections and keys of the configuration file as tables, and the rows that commands share with
// them.
#pragma once

#include "config/config.h"

enum config_key_traits {
    KEY_NEEDED = 1,
    KEY_RESTART = 2, // takes effect when the program starts again
    KEY_SECRET = 4,  // a place of Kafka or an option of one, which may hold a secret
    KEY_PACKETS = 8, // of a source that is an interface
};

struct config_key {
    struct option_row option;
    const char *fallback; // the default, NULL: none
    unsigned traits;      // of enum config_key_traits
};

enum config_form { CONFIG_ONE, CONFIG_LIST, CONFIG_NETWORKS };

struct config_section {
    const char *name, *noun; // "sources", "a source"
    const char *help;
    enum config_form form;
    size_t offset, item_size; // in struct config; of a list's items
    const struct config_key *keys;
    unsigned key_count;
    // The key that an item of one word stands for, or NULL.
    const char *(*alone)(const char *word);
    // What no key can tell alone, or NULL. `item` is of the section's type.
    bool (*check)(const struct config *c, const void *item, struct err *err);
};

extern const struct config_section config_sections[];
extern const unsigned config_section_count;

// Sets all values of an item to their defaults.
void config_defaults(const struct config_section *section, void *item);
const struct config_section *config_section_named(const char *name);

// networks.c: name: [prefix, ...]
bool config_networks_bind(struct config *c, const struct tree_node *map, struct err *err);
void config_networks_dump(const struct config *c, struct text *out);
void config_networks_deinit(struct config *c);

// dump.c: a value that YAML takes back as it was.
void config_dump_value(struct text *out, bytes value);

// A row, as X(letter, name, type, struct, member, argument, help, default or "none", minimum,
// maximum).
// clang-format off
#define OPTION_ROW(letter, name, type, S, F, argument, help, fallback, minimum, maximum) \
    {letter,  name, OPTION_##type, offsetof(S, F), argument, help " [" fallback "]", \
     minimum, maximum}

#define OPTION_TAP(X, S, F) \
    X(0, "tap", TEXT, S, F, "NAME", "name of the place where this was seen", "none", 0, 0)
#define OPTION_KNOWN_ONLY(X, S, F) \
    X(0, "known-only", FLAG, S, F, NULL, "leave out what has no field of its own", "no", 0, 0)
#define OPTION_JOIN(X, S, F) \
    X(0, "join", SPAN, S, F, "TIME", \
      "join pairs of one-way flows that are no further apart; alone: 60s", "no", \
      60 * NANOS_PER_SECOND, 0)
#define OPTION_DEAD(X, S, F) \
    X(0, "dead", TEXT, S, F, "FILE", \
      "where to add lines that cannot be understood: place, reason and line", "none", 0, 0)
#define OPTION_KAFKA(X, S, F) \
    X(0, "kafka", TEXT, S, F, "FILE", \
      "options of kafka://HOST:PORT/TOPIC, NAME=VALUE on each line; or one NAME=VALUE", "none", 0, \
      0)
#define OPTION_BUFFER(X, S, F) \
    X(0, "buffer", SIZE, S, F, "SIZE", "what the kernel may keep for each socket", "64M", 4096, \
      INT32_MAX)
#define OPTION_SOCKETS(X, S, F) \
    X(0, "sockets", COUNT, S, F, "N", \
      "UDP sockets for each port, each with a thread of its own; an exporter keeps to one", \
      "1", 1, 16)
#define OPTION_TIMEOUT(X, S, F) \
    X(0, "timeout", DURATION, S, F, "TIME", "silence that ends a conversation", "600s", 0, 0)
#define OPTION_ACTIVE_TIMEOUT(X, S, F) \
    X(0, "active-timeout", DURATION, S, F, "TIME", "longest flow record", "60s", 0, 0)
#define OPTION_IDLE_TIMEOUT(X, S, F) \
    X(0, "idle-timeout", DURATION, S, F, "TIME", "silence that ends a flow record", "15s", 0, 0)
#define OPTION_NO_DISSECT(X, S, F) \
    X(0, "no-dissect", FLAG, S, F, NULL, "stop at conversations", "no", 0, 0)
#define OPTION_OVERLAP(X, S, F) \
    X(0, "overlap", TEXT, S, F, "POLICY,...", \
      "which of two differing segments wins, for all or as NETWORK=POLICY", "first", 0, 0)
#define OPTION_LANES(X, S, F) \
    X('j', "lanes", COUNT, S, F, "N", "lanes (threads) for packets; the result is the same", "1", \
      1, 64)
#define OPTION_NO_PROMISCUOUS(X, S, F) \
    X(0, "no-promiscuous", FLAG, S, F, NULL, "of an interface only what is for this machine", \
      "no", 0, 0)
#define OPTION_EVERY(X, S, F) \
    X(0, "every", DURATION, S, F, "TIME", \
      "how often what came becomes segments, when it is not large before", "1h", 0, 0)
#define OPTION_RETAIN(X, S, F) \
    X(0, "retain", TEXT, S, F, "KIND=AGE,KIND=SIZE", \
      "how long, or how much, of a kind stays: flow=30d,flow=200G,packets=1T", "for good", 0, 0)
#define OPTION_FREE(X, S, F) \
    X(0, "free", TEXT, S, F, "SIZE", \
      "how much of the disk stays free, such as 5% or 10G: what may go goes, or nothing is taken", \
      "1%", 0, 0)
// clang-format on
