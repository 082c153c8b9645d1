#include "engine/shaping.h"

#include <stdlib.h>
#include <string.h>

enum shaping_type {
    SHAPING_NUMBER,  // uint64_t or nanos
    SHAPING_FLAG,    // bool
    SHAPING_TEXT,    // const char *, NULL or "" when there is none
    SHAPING_OVERLAP, // struct overlap_rules, as they were written
};

static const struct shaping {
    const char *name;
    enum shaping_type type;
    size_t offset; // in struct ingest_options
} rows[] = {
#define LANE(member) offsetof(struct ingest_options, reading.lane.member)
    {"timeout", SHAPING_NUMBER, LANE(flow.conversation_timeout)},
    {"linger", SHAPING_NUMBER, LANE(flow.closed_linger)},
    {"active", SHAPING_NUMBER, LANE(flow.active_timeout)},
    {"idle", SHAPING_NUMBER, LANE(flow.idle_timeout)},
    {"dissect", SHAPING_FLAG, LANE(dissect)},
    {"kept", SHAPING_NUMBER, LANE(kept_max)},
    {"tap", SHAPING_TEXT, LANE(point)},
    {"filter", SHAPING_TEXT, offsetof(struct ingest_options, source.bpf)},
    {"overlap", SHAPING_OVERLAP, LANE(overlap)},
    {"services", SHAPING_TEXT, offsetof(struct ingest_options, services)},
#undef LANE
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static void put_value(struct text *t, const char *value)
{
    for (const char *p = value; *p; p++) {
        if (*p > ' ' && *p < 0x7f && *p != '\\') text_put(t, bytes_of(p, 1));
        else text_format(t, "\\x%02x", (unsigned char)*p);
    }
}

static void put_row(struct text *t, const struct shaping *row, const void *value)
{
    switch (row->type) {
    case SHAPING_NUMBER:
        text_number(t, *(const uint64_t *)value);
        break;
    case SHAPING_FLAG:
        text_add(t, *(const bool *)value ? "1" : "0");
        break;
    case SHAPING_TEXT:
        put_value(t, *(const char *const *)value);
        break;
    case SHAPING_OVERLAP:
        put_value(t, ((const struct overlap_rules *)value)->text);
        break;
    }
}

static bool is_absent(const struct shaping *row, const void *value)
{
    const char *text = "here";
    if (row->type == SHAPING_TEXT) text = *(const char *const *)value;
    if (row->type == SHAPING_OVERLAP) text = ((const struct overlap_rules *)value)->text;
    return !text || !*text;
}

void shaping_text(const struct ingest_options *options, struct text *t)
{
    text_clear(t);
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        const void *value = (const char *)options + rows[i].offset;
        if (is_absent(&rows[i], value)) continue;
        text_format(t, "%s%s=", t->n ? " " : "", rows[i].name);
        put_row(t, &rows[i], value);
    }
}

static bool recall_row(const struct shaping *row, struct ingest_options *options, char *value,
                       struct err *err)
{
    void *to = (char *)options + row->offset;
    value[text_unescape((uint8_t *)value, bytes_text(value))] = 0;
    switch (row->type) {
    case SHAPING_NUMBER:
        *(uint64_t *)to = strtoull(value, NULL, 10);
        break;
    case SHAPING_FLAG:
        *(bool *)to = strcmp(value, "1") == 0;
        break;
    case SHAPING_TEXT:
        *(const char **)to = value;
        break;
    case SHAPING_OVERLAP:
        return overlap_parse(value, to, err);
    }
    return true;
}

bool shaping_recall(const char *text, struct ingest_options *options, struct text *memory,
                    struct err *err)
{
    text_clear(memory);
    text_add(memory, text);
    char *rest = memory->p;
    for (char *word; (word = strtok_r(rest, " ", &rest));) {
        unsigned i = 0;
        size_t n = strcspn(word, "=");
        while (i < ROW_COUNT && (strlen(rows[i].name) != n || memcmp(rows[i].name, word, n) != 0))
            i++;
        if (i == ROW_COUNT || word[n] != '=')
            return err_set(err, ERR_INPUT,
                           "it was read with the option \"%s\", which this version does not know",
                           word);
        if (!recall_row(&rows[i], options, word + n + 1, err)) return false;
    }
    return true;
}
