// What a name means in the rows of one kind, and what it might have meant.
#pragma once

#include "filter/filter_inside.h"

enum resolved {
    RESOLVED_NONE,      // this kind has no such field
    RESOLVED_FOUND,     // one source or two
    RESOLVED_AMBIGUOUS, // the other standard's name stands for two of our fields
};

// The first that the kind has: a field of that name, KIND.field, the field with that ECS or Zeek
// name, an alias.
enum resolved resolve(const struct record_kind *kind, bytes name, bool direct,
                      struct source *sources, uint8_t *source_count);

// The field that carries the number of the IP protocol, as rows of transport `protocol` have it;
// false when there is none.
bool resolve_protocol(const struct record_kind *kind, struct source *source);

// The known name most like `name`, among the fields of the kinds; NULL when none is like it. `kind`
// tells whose it is.
const char *resolve_nearest(const struct record_kind *const *kinds, uint32_t kind_count, bytes name,
                            const struct record_kind **kind);
