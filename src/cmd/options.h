// Options of commands as rows of a table: parsing, usage, and shell completion are made from it.
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/time.h"

enum option_type {
    OPTION_FLAG,     // bool
    OPTION_TEXT,     // const char *
    OPTION_TEXTS,    // struct option_texts: may be given several times
    OPTION_COUNT,    // uint64_t, from minimum to maximum
    OPTION_SIZE,     // uint64_t with k, M, G
    OPTION_DURATION, // nanos
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
    size_t offset;        // of the value in the command's struct
    const char *argument; // what stands for the value in the usage: "FILE"
    const char *help;
    uint64_t minimum, maximum; // of counts and sizes
};

struct command {
    const char *name, *arguments, *help;
    const struct option_row *options;
    unsigned option_count;
    // Free arguments are argv[0 .. argc). Returns the exit status.
    int (*run)(int argc, char **argv);
};

// Moves free arguments to the front of argv and returns their number; -1 and err when the words are
// wrong. "--" ends the options; a lone "-" is a free argument.
int options_parse(const struct command *command, int argc, char **argv, void *values,
                  struct err *err);
void command_usage(const struct command *command, FILE *out);
