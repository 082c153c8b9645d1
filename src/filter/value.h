// One value of an expression as a number, so that all that has an order is compared alike.
#pragma once

#include "filter/filter_inside.h"

enum value_type value_type_for(enum field_type type);

// The place of a value as it is written among all of its type; false when it is none. Not for texts
// and hashes, which have no place.
bool value_place(enum value_type type, bytes text, nanos now, struct address *place);

// The first and the last place of a type: what lies beyond is no value of it (of doubles: what is
// not a number).
void value_ends(enum value_type type, struct address *lowest, struct address *highest);

// The place of a word of a batch's column.
struct address value_key(enum field_type type, uint64_t word);
