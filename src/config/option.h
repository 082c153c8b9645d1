// Options as rows of a table: those of a command, and the keys of the configuration file. Parsing,
// usage, the manual and shell completion are made from the rows.
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "base/time.h"

enum option_type {
    OPTION_FLAG,     // bool
    OPTION_TEXT,     // const char *
    OPTION_TEXTS,    // struct option_texts: may be given several times
    OPTION_COUNT,    // uint64_t, from minimum to maximum
    OPTION_SIZE,     // uint64_t with k, M, G, T
    OPTION_DURATION, // nanos
    OPTION_SPAN,     // nanos, or a flag: alone or yes it is `minimum`, no is 0
};

enum { OPTION_TEXTS_MAX = 64 };
struct option_texts {
    const char *list[OPTION_TEXTS_MAX];
    uint32_t count;
};

struct option_row {
    char letter;      // 0 when it has none
    const char *name; // without dashes; NULL when it has only a letter
    enum option_type type;
    size_t offset;        // of the value in the struct of whoever asks
    const char *argument; // what stands for the value in the usage: "FILE"
    const char *help;
    uint64_t minimum, maximum; // of counts and sizes; of a span see there
};

// Sets the value in `values`; of a flag or a span `text` is NULL, or yes or no. Keeps
// `text`.
bool option_set(const struct option_row *o, const char *text, void *values, struct err *err);
// The value as option_set reads it; nothing when it is a text that is not there.
void option_format(const struct option_row *o, const void *values, struct text *out);
// Whether a word on the command line may do without a value, and whether `word` is one for it.
bool option_stands_alone(const struct option_row *o, const char *word);
bool option_equal(const struct option_row *o, const void *values, const void *others);
