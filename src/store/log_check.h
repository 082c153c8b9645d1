// The log of a case line by line, also where it is damaged: whether each follows from the one
// before, and whether the signatures of its checkpoints hold.
//
// Thread: one. Reads nothing but the log.
#pragma once

#include "store/chain.h"
#include "store/finding.h"

enum { LOG_KEYS_MAX = 64 };

// Who signed it.
struct log_key {
    uint8_t key[PUBLIC_KEY_SIZE];
    uint64_t first, last; // of its checkpoints, by line
};

struct log_checked {
    uint64_t lines;
    uint64_t signed_to; // the last line that is a checkpoint whose signature holds
    uint64_t wrong;     // findings of something changed
    char head[HEX_SHA256_SIZE];
    nanos *times; // of line i + 1
    bool head_found;
    struct log_key keys[LOG_KEYS_MAX];
    unsigned key_count;
    uint64_t unfinished; // bytes behind the last line
};

struct log_checking {
    uint64_t lines_max; // how many lines to look at
    const char *head;   // of a state that must be among them: 64 hexadecimal digits; or NULL
    uint64_t head_line; // the line that must have it; 0: any
    const uint8_t *key; // that must have signed all of it; or NULL
    struct finding_sink findings;
};

// False when the log cannot be read.
bool log_check(const char *folder, const struct log_checking *checking, struct log_checked *checked,
               struct err *err) __attribute__((warn_unused_result));
void log_checked_deinit(struct log_checked *c);
