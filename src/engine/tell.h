// What a reading tells of itself: its captures, what is known to be missing, and what its stages
// counted.
//
// Called once, when the source is at its end and the lanes are done, in the thread of the reading.
#pragma once

#include "engine/reading.h"
#include "record/writer.h"

void reading_tell(const struct source *source, const struct reading_options *options,
                  const struct reading_counts *counts, struct record_writer *writer);
