// What a reading tells of itself: its captures, what is known to be missing, and what its stages
// counted.
//
// In the thread of the reading.
#pragma once

#include "engine/reading.h"
#include "record/writer.h"

// Now and then: what interfaces lost since the last call, and captures of theirs that are over.
void reading_tell_rest(struct source *source, const struct reading_options *options,
                       struct record_writer *writer);
// Once, when the source is at its end and the lanes are done.
void reading_tell(const struct source *source, const struct reading_options *options,
                  const struct reading_counts *counts, struct record_writer *writer);
