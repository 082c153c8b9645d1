// What is looked for in bytes: text, bytes in hexadecimal digits, or a regular expression.
//
//     password            these bytes
//     0x504b0304          bytes by their digits
//     /pass(wd|word)=\w/  a regular expression (PCRE2) over bytes, not UTF-8
//
// Folding makes ASCII letters equal in both cases. Steps and memory of a search are limited
// (filter/limits.h), so that neither a pattern nor a text can hold up a search. A match has a byte
// at least.
//
// Thread: one at a time, since a search has working memory.
#pragma once

#include <stddef.h>

#include "base/bytes.h"

enum {
    NEEDLE_SIZE_MAX = 4096,  // of a term
    NEEDLE_BEHIND_MAX = 255, // bytes that a pattern may look back
    NEEDLE_ERROR_MAX = 200,
};

struct needle;

// NULL, and a sentence, when the term is none.
struct needle *needle_create(const char *term, bool fold, char error[NEEDLE_ERROR_MAX]);
void needle_destroy(struct needle *n);

enum needle_result {
    NEEDLE_NONE,    // whatever follows, no match begins in the text
    NEEDLE_FOUND,   // whatever follows, it is this one
    NEEDLE_OPEN,    // what follows decides about a match that begins at `begin`
    NEEDLE_GIVEN_UP // at a limit
};
enum needle_end {
    NEEDLE_MORE, // more may follow the text
    NEEDLE_CUT,  // more follows, and must not be waited for
    NEEDLE_LAST  // nothing follows
};

// The first match that begins at `from` or behind. What lies before `from` is looked back to only.
enum needle_result needle_find(struct needle *n, bytes text, size_t from, enum needle_end end,
                               size_t *begin, size_t *behind_it);
// Bytes that stand in every match, but for the case of ASCII letters, or just before or behind it:
// the longest run of them that is easily told. Empty where none is. Valid as long as the needle.
bytes needle_required(const struct needle *n);
// How many bytes before `from` it may look back to; 1 at least.
size_t needle_behind(const struct needle *n);
