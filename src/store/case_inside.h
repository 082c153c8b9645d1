// What a reader is made of; for the files of this folder that need it.
#pragma once

#include "store/case.h"
#include "store/database.h"
#include "store/lease.h"
#include "store/spool.h"

// One thread: a second one costs a third more of the processors, which others may need to capture,
// and rows of several sources would come in an order that differs each time.
enum { CASE_MEMORY_MB = 1024, CASE_THREADS = 1 };

struct case_reader {
    char *folder; // absolute; NULL: the memory case
    char *named;  // as the user named it
    char *asked;  // as DuckDB is told, which would take * ? [ in a name for patterns
    int file;     // of the folder where that matters, or -1
    const struct record_kind *const *kinds;
    unsigned kind_count;
    struct lease lease;
    struct catalogue catalogue;
    uint64_t only;       // this reading is asked; 0: all that count
    struct spool tail;   // what is in the case and in no segment yet
    struct spool *spool; // that one, or that of the memory case; NULL: there is none
    size_t spool_entries;
    struct database database;
    char *export_folder; // where results may be written as Parquet; NULL until one is
    char *spill_folder;  // where DuckDB puts what its memory does not hold; NULL until it may
    bool opened;         // the database is
    bool *raw, *shown;   // by kind: its views are made
    bool *asked_for;     // by kind: its view has the fields that have FIELD_ASKED
    bool *sought;        // by kind: its raw view has only rows that were sought (store/seek.h)
};

// A folder that is empty and ours alone, below $TMPDIR or /tmp; owned. NULL when none can be made.
char *case_make_folder(struct err *err);

// Closes the database; it opens again when it is needed.
void case_forget_database(struct case_reader *c);

// The next reading that is asked.
const struct catalogue_reading *case_next_asked(const struct case_reader *c,
                                                const struct catalogue_reading *after);
// Puts the segments of a kind that count as a source of rows; false when there are none. `with` has
// the bits of the fields that one of them has.
bool case_put_segments(const struct case_reader *c, const struct record_kind *kind,
                       struct text *source, uint64_t *with);
// Puts the rows that no segment has yet behind those of a view.
void case_put_spooled(const struct case_reader *c, const struct record_kind *kind,
                      struct text *view);

// Makes the views of a kind, unless they are there with all rows.
bool case_need_raw(struct case_reader *c, unsigned kind, struct err *err)
    __attribute__((warn_unused_result));
bool case_need_shown(struct case_reader *c, unsigned kind, struct err *err)
    __attribute__((warn_unused_result));
// Makes the raw view anew, with the fields that have FIELD_ASKED, where the kind has any.
bool case_need_asked(struct case_reader *c, unsigned kind, struct err *err)
    __attribute__((warn_unused_result));
bool case_need_database(struct case_reader *c, struct err *err) __attribute__((warn_unused_result));
