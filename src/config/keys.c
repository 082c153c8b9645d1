#include "config/keys.h"

#include <string.h>

#include "record/element.h"

#define KEY_ROW(letter, name, type, S, F, argument, help, fallback, minimum, maximum)              \
    {                                                                                              \
        OPTION_ROW(letter, name, type, S, F, argument, help, fallback, minimum, maximum),          \
            fallback, KEY_RESTART                                                                  \
    }

#define PACKETS_ROW(letter, name, type, S, F, argument, help, fallback, minimum, maximum)          \
    {                                                                                              \
        OPTION_ROW(letter, name, type, S, F, argument, help, fallback, minimum, maximum),          \
            fallback, KEY_RESTART | KEY_PACKETS                                                    \
    }

#define ELEMENT struct config_element
static const struct config_key element_keys[] = {
    {{0, "name", OPTION_TEXT, offsetof(ELEMENT, name), "NAME", "its name", 0, 0},
     NULL,
     KEY_NEEDED | KEY_RESTART},
    {{0, "enterprise", OPTION_COUNT, offsetof(ELEMENT, enterprise), "N",
      "private enterprise number; 0 is the IANA's registry [0]", 0, UINT32_MAX},
     "0",
     KEY_RESTART},
    {{0, "number", OPTION_COUNT, offsetof(ELEMENT, number), "N", "number of the element", 1, 32767},
     NULL,
     KEY_NEEDED | KEY_RESTART},
    {{0, "type", OPTION_TEXT, offsetof(ELEMENT, type), "TYPE",
      "abstract data type (RFC 7012 section 3.1): unsigned32, string, ...", 0, 0},
     NULL,
     KEY_NEEDED | KEY_RESTART},
    {{0, "fills", OPTION_TEXT, offsetof(ELEMENT, fills), "FIELD",
      "field of flow that it fills [none: it is kept as text]", 0, 0},
     NULL,
     KEY_RESTART},
};

#define SOURCE struct config_source
static const struct config_key source_keys[] = {
    {{0, "listen", OPTION_TEXT, offsetof(SOURCE, listen), "URL",
      "where exporters send to: udp://HOST:PORT, ipfix://HOST, sflow://HOST, tcp://HOST", 0, 0},
     NULL,
     KEY_RESTART},
    {{0, "read", OPTION_TEXT, offsetof(SOURCE, read), "FILE",
      "kafka://HOST:PORT/TOPIC, a file of messages or of flows as lines, a capture of messages; "
      "interface:NAME for packets as they come",
      0, 0},
     NULL,
     KEY_RESTART | KEY_SECRET},
    OPTION_TAP(KEY_ROW, SOURCE, tap),
    OPTION_KNOWN_ONLY(KEY_ROW, SOURCE, known_only),
    OPTION_JOIN(KEY_ROW, SOURCE, join),
    OPTION_BUFFER(KEY_ROW, SOURCE, buffer),
    OPTION_SOCKETS(KEY_ROW, SOURCE, sockets),
    OPTION_DEAD(KEY_ROW, SOURCE, dead),
    {OPTION_KAFKA(OPTION_ROW, SOURCE, kafka), NULL, KEY_RESTART | KEY_SECRET},
    {{0, "bpf", OPTION_TEXT, offsetof(SOURCE, bpf), "BPF",
      "of an interface only packets that match, as in tcpdump [all]", 0, 0},
     NULL,
     KEY_RESTART | KEY_PACKETS},
    {{0, "keep", OPTION_FLAG, offsetof(SOURCE, keep), NULL,
      "take the packets of an interface into the case, compressed, with each part of it [no]", 0,
      0},
     "no",
     KEY_RESTART | KEY_PACKETS},
    OPTION_NO_PROMISCUOUS(PACKETS_ROW, SOURCE, no_promiscuous),
    OPTION_LANES(PACKETS_ROW, SOURCE, lanes),
    OPTION_TIMEOUT(PACKETS_ROW, SOURCE, timeout),
    OPTION_ACTIVE_TIMEOUT(PACKETS_ROW, SOURCE, active_timeout),
    OPTION_IDLE_TIMEOUT(PACKETS_ROW, SOURCE, idle_timeout),
    OPTION_NO_DISSECT(PACKETS_ROW, SOURCE, no_dissect),
    OPTION_OVERLAP(PACKETS_ROW, SOURCE, overlap),
};

#define STORE struct config_store
static const struct config_key store_keys[] = {
    {{0, "path", OPTION_TEXT, offsetof(STORE, path), "CASE",
      "where to keep records: a case, made when it is missing [none]", 0, 0},
     NULL,
     KEY_RESTART},
    {OPTION_EVERY(OPTION_ROW, STORE, every), "1h", 0},
    {OPTION_RETAIN(OPTION_ROW, STORE, retain), NULL, 0},
    {OPTION_FREE(OPTION_ROW, STORE, free), "1%", 0},
};

#define SINK struct config_sink
static const struct config_key sink_keys[] = {
    {{0, "to", OPTION_TEXT, offsetof(SINK, to), "URL",
      "udp://HOST:PORT, ipfix://HOST:PORT (UDP), tcp://HOST:PORT, kafka://HOST:PORT/TOPIC, or a "
      "file that is not there yet",
      0, 0},
     NULL,
     KEY_NEEDED | KEY_SECRET},
    {{0, "kind", OPTION_TEXT, offsetof(SINK, kind), "KIND", "records of which kind [flow]", 0, 0},
     "flow",
     0},
    {{0, "filter", OPTION_TEXT, offsetof(SINK, filter), "EXPRESSION",
      "only records for which it holds [all]", 0, 0},
     NULL,
     0},
    {{0, "format", OPTION_TEXT, offsetof(SINK, format), "FORMAT",
      "ipfix, netflow9, netflow5; for a file or a topic json, json-ipfix or json-nfdump [ipfix]", 0,
      0},
     "ipfix",
     0},
    {OPTION_KAFKA(OPTION_ROW, SINK, kafka), NULL, KEY_SECRET},
    {{0, "spool", OPTION_TEXT, offsetof(SINK, spool), "FOLDER",
      "where records wait on disk until a topic has them; each sink needs its own [none]", 0, 0},
     NULL,
     0},
    {{0, "spool-size", OPTION_SIZE, offsetof(SINK, spool_size), "SIZE",
      "how much may wait there; what comes then is lost, and counted [1G]", 1000000, INT64_MAX},
     "1G",
     0},
};

#define METRICS struct config_metrics
static const struct config_key metrics_keys[] = {
    {{0, "listen", OPTION_TEXT, offsetof(METRICS, listen), "ADDRESS:PORT",
      "where Prometheus asks: 127.0.0.1:9104, say [nowhere]", 0, 0},
     NULL,
     KEY_RESTART},
};

static const char *source_alone(const char *word)
{
    bool is_port = strstr(word, "://") && strncmp(word, "kafka://", strlen("kafka://")) != 0;
    return is_port ? "listen" : "read";
}

static bool source_check(const struct config *c, const void *item, struct err *err)
{
    const struct config_source *s = item;
    if (!s->listen == !s->read)
        return config_fail(c, s->place, err, "a source needs \"listen\" or \"read\", one of them");
    return true;
}

static const char *sink_alone(const char *word)
{
    (void)word;
    return "to";
}

static bool element_check(const struct config *c, const void *item, struct err *err)
{
    const struct config_element *e = item;
    enum element_type type;
    return element_type_named(bytes_text(e->type), &type) ||
           config_fail(c, e->place, err, "\"%s\" is no type of an element; see RFC 7012", e->type);
}

#define KEYS(keys) keys, sizeof keys / sizeof keys[0]
const struct config_section config_sections[] = {
    {"networks", "networks",
     "prefixes by name, which expressions know as $NAME: NAME: [PREFIX, ...]", CONFIG_NETWORKS,
     offsetof(struct config, networks), sizeof(struct config_network), NULL, 0, NULL, NULL},
    {"elements", "an element", "information elements beyond those that weir knows", CONFIG_LIST,
     offsetof(struct config, elements), sizeof(ELEMENT), KEYS(element_keys), NULL, element_check},
    {"sources", "a source", "where records come from", CONFIG_LIST,
     offsetof(struct config, sources), sizeof(SOURCE), KEYS(source_keys), source_alone,
     source_check},
    {"store", "the store", "where they are kept", CONFIG_ONE, offsetof(struct config, store),
     sizeof(STORE), KEYS(store_keys), NULL, NULL},
    {"sinks", "a sink", "where else they go", CONFIG_LIST, offsetof(struct config, sinks),
     sizeof(SINK), KEYS(sink_keys), sink_alone, NULL},
    {"metrics", "the metrics", "what was counted, for Prometheus", CONFIG_ONE,
     offsetof(struct config, metrics), sizeof(METRICS), KEYS(metrics_keys), NULL, NULL},
};
const unsigned config_section_count = sizeof config_sections / sizeof config_sections[0];

void config_defaults(const struct config_section *section, void *item)
{
    for (unsigned i = 0; i < section->key_count; i++) {
        const struct config_key *key = &section->keys[i];
        bool has_one = key->fallback && strcmp(key->fallback, "none") != 0;
        if (has_one) option_set(&key->option, key->fallback, item, NULL);
    }
}

const struct config_section *config_section_named(const char *name)
{
    for (unsigned i = 0; i < config_section_count; i++)
        if (strcmp(config_sections[i].name, name) == 0) return &config_sections[i];
    return NULL;
}
