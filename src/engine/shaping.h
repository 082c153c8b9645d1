// What of a reading's options shapes its results: as one text that stands in the log of the case
// and is part of the reading's name, and from that text back to options.
//
//     timeout=600000000000 linger=60000000000 ... dissect=1 kept=25000000 tap=uplink
//
// Every such option is a row of the table in shaping.c and nothing else needs to know of it. Texts
// are left out when there are none; in them a space, a backslash and what is not printable ASCII
// are \xNN.
#pragma once

#include "base/text.h"
#include "engine/ingest.h"

void shaping_text(const struct ingest_options *options, struct text *text);

// Sets in `options` what `text` says and nothing else. Their texts lie in `memory`, valid until it
// is changed. ERR_INPUT when an option is there that this version does not know.
bool shaping_recall(const char *text, struct ingest_options *options, struct text *memory,
                    struct err *err) __attribute__((warn_unused_result));
