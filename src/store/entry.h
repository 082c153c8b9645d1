// Appending to the log of a case: an entry, and behind it the checkpoint that signs all before it,
// in one write.
//
// Thread: one.
#pragma once

#include "base/time.h"
#include "store/chain.h"

// Who appends. Borrowed; the key may be absent only for a case in memory.
struct author {
    const char *version;           // of the program
    nanos time;                    // now, by the clock of whoever calls
    const struct signing_key *key; // signs the log
    const char *who;               // user@host; NULL when no person did it
    const char *why;               // what the person gave as the reason; NULL when nothing
};

// The members that every entry has.
void entry_head(struct text *members, const char *type, const struct author *author);
// Adds `"name":"value"`; names of files need not be UTF-8, and the log is: what is not stands
// escaped (base/text.h).
void entry_text(struct text *members, const char *name, const char *value);

// Appends an entry whose members are complete to the open log of a case.
bool entry_append(struct chain *c, const char *folder, bytes members, const struct author *author,
                  struct err *err) __attribute__((warn_unused_result));
// Signs what a killed writer left unsigned.
bool entry_sign(struct chain *c, const char *folder, const struct author *author, struct err *err)
    __attribute__((warn_unused_result));

// Appends an entry to a case that is not open: takes the right to write, reads the log, appends,
// and lets go. `members` is what follows those of every entry, without a comma before it; it may be
// empty. ERR_INPUT when somebody else writes.
bool case_append(const char *folder, const char *type, bytes members, const struct author *author,
                 struct err *err) __attribute__((warn_unused_result));

// The public half of a key in a case: "keys/<first 16 hex digits>.pem".
enum { KEY_PATH_MAX = 32 };
void key_path(char path[KEY_PATH_MAX], const uint8_t key[PUBLIC_KEY_SIZE]);
