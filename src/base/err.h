// What went wrong with the machine or with what a person asked for: a code, and one sentence that
// names the thing and the way out.
//
// Bad traffic is never an error: it is data (see record/). The struct lives on the caller's stack;
// nothing is allocated. `err_set` gives the cause, `err_in` puts the circumstance in front of it on
// the way up; both return false, so that a failure is one line: `return err_set(err, ERR_INPUT,
// "...")`.
#pragma once

#include <stdbool.h>

// The codes are the program's exit statuses (docs/ARCHITECTURE.md, command line).
enum err_code {
    ERR_NONE = 0,
    ERR_DIFFERENCE = 1, // nothing found, or a difference found
    ERR_USAGE = 2,      // the call's words are wrong
    ERR_INPUT = 3,      // bad or incomplete input or store
    ERR_MACHINE = 4,    // disk full, no rights, a library that is missing
};

enum { ERR_TEXT_MAX = 512 };

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

// `err` may be NULL: then nothing is noted. The text is cut at ERR_TEXT_MAX - 1 bytes.
bool err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool err_in(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same with the text of an errno value behind it: "cannot open x.pcap: No such file or
// directory".
bool err_system(struct err *err, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
