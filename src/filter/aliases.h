// Names that other tools have for our fields, and names for what is computed from fields.
#pragma once

#include "filter/filter_inside.h"

enum alias_how {
    ALIAS_FIELD,
    ALIAS_EITHER, // holds when it holds for one of both
    ALIAS_SUM,
    ALIAS_DIFFERENCE,
};

struct alias {
    const char *name;
    enum alias_how how;
    const char *field, *other;
    const char *kind; // only there, or NULL
    uint8_t protocol; // only in rows of this transport, or 0
    bool direct;      // nfdump's way: may stand before a value without an operator
    bool only_direct; // and means nothing, or something else, with one
};

extern const struct alias aliases[];
extern const unsigned alias_count;

// "src" and "ip" are "src ip"; NULL when the two make no name.
const char *alias_of_two_words(bytes first, bytes second);
bool alias_is_direct(bytes name);
