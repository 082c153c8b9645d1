// A case being written: records and artifacts of one reading at a time, which counts once
// store_commit has returned true.
//
// Killed at any moment, a case shows only what was committed; what a killed process left goes when
// the next one opens it. The memory case (no path) keeps one process's records without a folder,
// and no artifacts.
//
// Thread: the sinks from any lane (captures: record/capture.h); everything else from one thread,
// and store_commit and store_abort when no lane writes any more.
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "record/artifact.h"
#include "record/batch.h"
#include "record/capture.h"

struct store;
struct author; // store/entry.h

struct reading_capture {
    const char *path;
    uint8_t sha256[32];
    uint64_t bytes;
};

// How far an input was taken that goes on elsewhere, as a partition of a topic does.
struct reading_position {
    const char *input;
    uint64_t next; // the first that was not taken
};

// One run over given input. Borrowed for the call.
struct reading {
    const struct reading_capture *captures; // in the order in which they were read
    size_t capture_count;
    const char *options; // what shapes its results, as one text
    const char *version; // of the program
    nanos time;          // now, by the clock of whoever calls
};

// What the case knows of such a reading.
enum reading_state {
    READING_NEW,  // nothing of it is there
    READING_SAME, // all of its captures are there, read with the same options: nothing to do
    READING_OTHER_OPTIONS, // all are there, read with other options: only replacing them makes
                           // sense
    READING_PARTLY,        // some are there
};

// Opens a case for writing, and makes it when it is missing. `path` NULL is the memory case, which
// nobody signs. Keeps `kinds` and what `author` points to.
struct store *store_open(const char *path, const struct record_kind *const *kinds,
                         unsigned kind_count, const struct author *author, struct err *err);
void store_close(struct store *s); // what was not committed is gone

struct record_sink store_sink(struct store *s);
struct artifact_sink store_artifacts(struct store *s);
// Takes the captures themselves into the case when `keep`, or when they can be read only once; of
// the others where their packets lie. Not for the memory case.
struct capture_sink store_captures(struct store *s, bool keep);

// The number in the log that the reading will have which is committed next; 0 in memory.
uint64_t store_next_reading(const struct store *s);

// Whether the case has a capture of this size: only then is it worth asking whether it has this
// very one.
bool store_has_size(const struct store *s, uint64_t capture_bytes);

// Whether the case has the packets of the capture with this SHA-256.
bool store_keeps(const struct store *s, const uint8_t sha256[32]);

// These become part of the case with what is committed or synced next. Keeps the list until then;
// an abort forgets it.
void store_mark(struct store *s, const struct reading_position *positions, size_t count);
// How far an input is in the case; false when nothing of it is. In memory nothing is known.
bool store_position(const struct store *s, const char *input, uint64_t *next);

enum reading_state store_find(const struct store *s, const struct reading *reading);
// Whether committing `reading` with `again` would lose nothing: earlier readings go as a whole, so
// all their captures must be in this one. ERR_USAGE and which capture is missing.
bool store_may_replace(const struct store *s, const struct reading *reading, struct err *err);

// Makes what was put into the sinks part of the case. `again` replaces the earlier readings of
// these captures.
bool store_commit(struct store *s, const struct reading *reading, bool again, struct err *err)
    __attribute__((warn_unused_result));
void store_abort(struct store *s);

// ---- a collection that goes on ------------------------------------------------------------------

// What is put into the sinks lies in a file of the case, from where whoever asks the case sees it,
// and becomes segments now and then. Neither store_commit nor store_swap may be called meanwhile,
// and captures are kept by store_record only.
//
// Thread: the sinks and store_sync from any; the others from one, while lanes write. Who puts
// artifacts in syncs and cuts while no lane works.
struct store_collection {
    const char *input;   // what is collected, for the log
    const char *options; // what shapes it, as one text
    const char *version; // of the program
};
// Packets that come with it, such as those of an interface: captures that follow one another. The
// first that was told to its end since the last cut is part of the case with the next one. Before
// the collection begins. `number`: by which references name the recording, as they do a reading.
bool store_record(struct store *s, const struct store_collection *of, nanos now, uint64_t *number,
                  struct err *err) __attribute__((warn_unused_result));
struct capture_sink store_recording(struct store *s, uint64_t number);
// While the disk is full: captures of which a byte is missing are not kept. Any thread.
void store_pause_recordings(struct store *s, bool is_paused);

// Begins it: once, when nothing was put into the sinks.
bool store_collect(struct store *s, const struct store_collection *of, nanos now, struct err *err)
    __attribute__((warn_unused_result));
// Whatever happens, what the sinks took before the call is in the case: now it may be acknowledged.
// One call for many records: it waits for the disk.
bool store_sync(struct store *s, struct err *err) __attribute__((warn_unused_result));
// Whether a cut is due: by rows, by bytes of them or of packets, or `after` the last one.
bool store_is_cut_due(struct store *s, nanos now, nanos after);
// Makes segments of what the sinks took before the call, with one line of the log. After a failure
// it is where it was, and the next call tries again.
bool store_cut(struct store *s, nanos now, struct err *err) __attribute__((warn_unused_result));

// ---- a case that grows --------------------------------------------------------------------------

// What may go: "flow=30d,flow=200G,dns=90d" says how long or how much of a kind stays; `packets`
// are the captures that are kept, with the references to them. `free`, "5%" or "10G", how much of
// the disk is left free. NULL: no limit. ERR_USAGE.
bool store_limit(struct store *s, const char *retain, const char *free, struct err *err)
    __attribute__((warn_unused_result));
// Lets go what is too old, or too much, or in the way of what shall be free, the oldest first, and
// makes one of many small segments that were collected, a line of the log each. Takes its time, but
// not for ever: to be called now and then. Not while a cut is made; lanes may write.
bool store_care(struct store *s, nanos now, struct err *err) __attribute__((warn_unused_result));
// Whether less of the disk is free than shall be: nothing more is to be put in.
bool store_is_full(struct store *s);

// What the case has of a kind; of the kind `packets` with the captures that it keeps.
struct store_holding {
    uint64_t segments, rows, bytes;
    nanos first; // the earliest time in it; INT64_MAX: it has none
};
// By the place in the list of kinds that the store was opened with. Not while a cut is made.
void store_holdings(const struct store *s, struct store_holding *holdings);
// Bytes of the disk that are free for anybody; 0 when that is not known.
uint64_t store_free(const struct store *s);

// ---- rows that are made again -------------------------------------------------------------------

// Rows of some kinds that hang on some conversations of one reading, to be replaced.
struct store_kind {
    const char *name;
    const char *only; // SQL: of these rows those for which this holds; NULL: all
};
struct store_swap {
    uint64_t reading; // its line in the log
    const struct record_id *conversations;
    size_t conversation_count;
    const struct store_kind *kinds;
    size_t kind_count;
};
// Puts what was put into the sinks in their place, with one entry in the log. Other kinds must not
// have been put in.
bool store_swap(struct store *s, const struct store_swap *swap, struct err *err)
    __attribute__((warn_unused_result));

// Rows put into the sinks since the last commit, and artifacts that were new.
uint64_t store_rows(struct store *s);
uint64_t store_artifacts_kept(const struct store *s);

// The name of a reading: SHA-256 over its captures' hashes in order, its options and the version.
void reading_id(const struct reading *reading, uint8_t id[32]);
