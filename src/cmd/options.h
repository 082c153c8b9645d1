// The words of a command: free arguments, and options as its table has them.
#pragma once

#include <stdio.h>

#include "config/option.h"

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
