// The log file of a case: one JSON object a line, appended and never changed, each with its number
// and the SHA-256 of the line before it.
//
//     {"seq":2,"prev":"<64 hex digits>","type":"reading",...}
//
// `prev` of the first line is 64 zeros; the hash covers a line without its newline. A last line
// that was not written to its end (no newline, or holes of zero bytes where the disk lost a sector)
// never was: readers pass over it, a writer cuts it off. Anything else that does not fit is damage,
// and an error that names the line.
//
// Thread: one.
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/signing.h"
#include "base/text.h"

enum { CHAIN_SIZE_MAX = 1 << 30 };

struct chain {
    int file;                   // open for appending, or -1
    uint64_t seq;               // of the last line; 0 when there is none
    uint64_t size;              // bytes of whole lines
    char head[HEX_SHA256_SIZE]; // SHA-256 of the last line
};

void chain_reset(struct chain *c); // the state before the first line

// Called for every line in order; false with err ends the reading.
typedef bool chain_visit(void *context, uint64_t seq, const json_t *line, struct err *err);

// Reads all of it. ERR_INPUT when the file is damaged. The chain has no open file.
bool chain_read(struct chain *c, const char *path, chain_visit *visit, void *context,
                struct err *err) __attribute__((warn_unused_result));

// Opens it for appending, after chain_read, and cuts off what was not written to its end.
bool chain_open(struct chain *c, const char *path, struct err *err)
    __attribute__((warn_unused_result));
void chain_close(struct chain *c);

// Lines that are to be appended together: with one call, and all of them or none.
struct chain_draft {
    struct chain after; // as it will be
    struct text lines;
};

void chain_draft_init(struct chain_draft *d, const struct chain *c);
// `members` is what follows seq and prev: `"type":"case","format":2`. With a key the line ends in
// `,"signature":"<128 hex digits>"`: of all bytes of the line before that comma.
void chain_draft_line(struct chain_draft *d, bytes members, const struct signing_key *key);
// Appends them and makes them durable. After a failure the file is as it was. The draft is gone.
bool chain_append(struct chain *c, struct chain_draft *d, struct err *err)
    __attribute__((warn_unused_result));
