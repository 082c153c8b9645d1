// Text as it stands on a terminal: character by character, with the columns that each takes.
//
// Control characters, and those that turn the direction of writing, could make a terminal show what
// is not there: they are told as unsafe, and written as \xNN for each of their bytes. Plain values,
// no shared state.
#pragma once

#include "base/text.h"

struct glyph {
    bytes as;       // its bytes in the text
    unsigned width; // columns of the terminal; of an unsafe one, those of its escapes
    bool unsafe;
};

// Takes the next character out of UTF-8 text, which must not be empty; a byte that is none stands
// for itself.
struct glyph glyph_next(bytes *text);
void glyph_put(struct text *t, const struct glyph *g);
// Columns of the whole text.
unsigned glyph_columns(bytes text);
