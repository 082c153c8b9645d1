// What the commands share: one file a command, one line in the list below, in the
// place that it has in the usage.
#pragma once

#include "cmd/options.h"
#include "record/output.h"
#include "store/case.h"

// clang-format off
#define COMMAND_LIST(X) \
    X(read) \
    X(collect) \
    X(run) \
    X(replay) \
    X(report) \
    X(query) \
    X(show) \
    X(search) \
    X(files) \
    X(export) \
    X(dissect) \
    X(digest) \
    X(verify) \
    X(relocate) \
    X(shards) \
    X(fields)
// clang-format on

#define DECLARE(name) extern const struct command name##_command;
COMMAND_LIST(DECLARE)
#undef DECLARE

// Prints "weir: SENTENCE" and returns the exit status of the error.
int command_fail(const struct err *err);

// Prints "weir: SENTENCE"; for whatever tells something on its way.
void command_say(void *context, const char *sentence);

// Says that packets in so many captures were asked for in vain.
void command_left_out(uint64_t captures);

// The clock, asked only here: what the library does has time as a parameter.
nanos command_now(void);
// Sleeps until as many records are due, at a rate a second, as were sent since `began`.
void command_pace(nanos began, uint64_t sent, uint64_t rate);
// Datagrams have nobody who slows their sender down: where no rate was asked for.
enum { COMMAND_DATAGRAM_RATE = 50000 };
nanos command_monotonic(void); // since the machine began, for the service manager

// Who runs the program, for the log of a case; with the key that signs it when `signing`, made at
// its first use. Valid until the end of the process.
struct author;
bool command_author(struct author *author, bool signing, const char *why, struct err *err);
// The key's file; false when nothing says where it is to be.
bool command_key_path(char *path, size_t size, struct err *err);

// Columns of the screen, 80 where there is none; whether colours are welcome there.
unsigned screen_width(void);
unsigned table_width(void); // of tables on standard output; 0 where that is no screen
bool screen_colour(FILE *out);

// What exporters told of their records, as a case has it, to standard output; how many templates.
bool templates_print(const char *folder, enum output_format format, uint64_t *rows,
                     struct err *err);

// The expression of -Y for rows of `kind`; NULL after it was printed what is wrong with it (exit
// status ERR_USAGE).
struct filter;
struct filter *wanted_filter(const char *expression, const struct record_kind *kind);
// Every row of `kind` for which `filter` holds, all when it is NULL. `take` may end the scan with
// false.
typedef bool wanted_row(void *context, const struct record_batch *batch, uint32_t row);
bool wanted_scan(struct case_reader *reader, const struct record_kind *kind,
                 const struct filter *filter, wanted_row *take, void *context, struct err *err);

// A record by its id: the word of a person, and the first batch with it, whose first row it is.
bool named_parse(const char *word, struct record_id *id, struct err *err);
// ERR_DIFFERENCE when nothing has it.
bool named_find(struct case_reader *reader, struct record_id id, case_take *take, void *context,
                struct err *err);

// Makes what is missing of the index for weir search of the case at `path`, and tells its size.
bool index_make(struct case_reader *reader, const char *path, struct err *err);

// A case by name, or captures and files of IPFIX messages that are read into memory: whatever a
// person has can be asked.
struct asked {
    struct case_reader *reader;
    struct store *store; // memory case only
};
bool asked_open(struct asked *a, const char *path, struct err *err);
void asked_close(struct asked *a);
