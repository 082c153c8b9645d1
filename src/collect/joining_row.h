// Two rows of one direction each as one row of both. Not for others than joining.c.
#pragma once

#include "base/text.h"
#include "record/parcel.h"

// Of two rows of opposite directions, whether the first is of who began: it began first; else it
// alone has SYN without ACK; else it asks and the other answers (ICMP), or its port is the higher
// one, as clients' are; else its address is the lower one.
bool joining_begins(const struct parcel *one, const struct parcel *other);

// Bytes of text that the row may need.
size_t joining_heap(const struct parcel *one, const struct parcel *other);
// Sets the fields of the row that was begun in `b`, of who began and who answered. `list` is room
// for the elements; NULL: what `second` told and has no field is left out.
void joining_put(struct record_batch *b, const struct parcel *first, const struct parcel *second,
                 struct text *list);
