// What is said of packets, by the options of a command or the keys of a source, as what their
// reading is told.
#pragma once

#include "config/config.h"
#include "engine/reading.h"

// Keeps the texts. ERR_USAGE when something in it cannot be understood.
bool packet_options_fill(const struct config_source *from, struct reading_options *to,
                         struct err *err);
