// What the commands share: one file a command, one line in the list of main.c.
#pragma once

#include "cmd/options.h"

extern const struct command read_command, report_command, query_command, show_command,
    files_command, digest_command, shards_command, fields_command;

// Prints "weir: SENTENCE" and returns the exit status of the error.
int command_fail(const struct err *err);

// The clock, asked only here: what the library does has time as a parameter.
nanos command_now(void);

// Columns of the screen, 80 where there is none; whether colours are welcome there.
unsigned screen_width(void);
bool screen_colour(FILE *out);

// A case by name, or captures that are read into memory: whatever a person has can be asked.
struct case_reader;
struct summary;
struct asked {
    struct case_reader *reader;
    struct store *store; // memory case only
};
bool asked_open(struct asked *a, const char *path, struct err *err);
void asked_close(struct asked *a);
