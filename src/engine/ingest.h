// Captures into a store: the whole of `weir read` but the words of the command line.
//
// A reading is all or nothing: it counts in the case once it was committed. Interfaces that are not
// kept are another thing: there is no end to wait for, so what was made counts as soon as it is
// there. Captures that the case
// has already, read with the same options, are left out; with other options they are read only with
// `again`, which replaces the earlier reading.
#pragma once

#include "engine/reading.h"
#include "engine/summary.h"
#include "store/entry.h"

struct store;

enum ingest_target { INGEST_NONE, INGEST_MEMORY, INGEST_CASE };

struct ingest_options {
    struct source_options source;
    struct reading_options reading;
    enum ingest_target target;
    const char *case_path; // INGEST_CASE
    bool again;
    bool keep; // the captures too; INGEST_CASE. Those that can be read only once are kept anyway
    const char *services; // path of a list that names services by port, or NULL: part of what
                          // shapes results
    struct author author; // stands in the log, shapes nothing; with a key for INGEST_CASE
    // Of interfaces that are not kept: what was made of their packets is in the case a moment
    // later, and becomes segments after `every`. The clock is needed for that.
    nanos (*now)(void);
    nanos every;
    struct summary *summary;    // fed while reading, or NULL
    struct record_sink records; // told every batch too; `take` is NULL when nobody wants them
    // A sentence for the person, such as that a capture is cut. NULL when nobody listens.
    void *remark_context;
    void (*remark)(void *context, const char *sentence);
};

struct ingest_outcome {
    struct reading_counts counts;
    uint32_t captures, captures_skipped; // read now; left out because the case has them
    bool incomplete; // a capture was cut or damaged, or of an unknown link type: exit status 3
    uint64_t records, artifacts;
    struct store *store; // INGEST_MEMORY: holds the records, owned by the caller
};

bool ingest(const struct ingest_options *options, struct ingest_outcome *outcome, struct err *err);
