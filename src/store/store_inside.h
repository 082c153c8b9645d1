// What a store is made of; for the files of this folder that need it.
#pragma once

#include "store/artifact.h"
#include "store/catalogue.h"
#include "store/extents.h"
#include "store/database.h"
#include "store/lease.h"
#include "store/retention.h"
#include "store/spool.h"
#include "store/store.h"
#include "store/tail.h"

// A collection under way (store_collect).
struct collecting {
    bool is_active;
    struct tail_about about;         // of the tail at hand, which is the store's spool
    struct lock sync;                // while something is made durable, nothing takes its place
    struct spool waiting;            // a tail that is to become segments
    struct tail_about waiting_about; // its number is 0 when there is none
    uint64_t artifacts;              // made durable since the last line of the log
};

struct store {
    char *folder;                 // NULL: in memory
    bool is_fresh, is_new_folder; // made by this store, the case and its folder: to be taken back
    struct lease lease;
    bool unswept; // bodies may be left that no record names
    struct author author;
    struct catalogue catalogue;
    struct spool spool;
    size_t committed; // batches of the spool that count; those stay only in memory
    struct artifacts artifacts;
    struct extents extents;
    const struct reading_position *positions; // for what is committed next
    size_t position_count;
    struct collecting collecting;
    struct limits limits;
    bool is_sweeping; // files may be left that somebody still read
};

// The readings that share a capture with this one, by number; owned.
uint64_t *readings_replaced(const struct store *s, const struct reading *reading, size_t *count);

// The segments of a reading while they are being made, of what is in the spool.
struct making {
    struct store *store;
    struct spool *spool;
    struct database database;
    struct catalogue_reading entry;
    uint64_t *replaces;
    size_t replace_count;
};
void making_describe(struct making *m, const struct reading *reading);
struct catalogue_segment *making_add(struct making *m, const struct record_kind *kind);
bool making_write_kind(struct making *m, unsigned kind, struct err *err)
    __attribute__((warn_unused_result)); // what the spool has of it
bool making_write(struct making *m, struct err *err)
    __attribute__((warn_unused_result)); // of all kinds
bool making_publish(struct making *m, struct err *err) __attribute__((warn_unused_result));
// Lists the artifacts that it names, and appends its line to the log.
bool making_append(struct making *m, struct err *err) __attribute__((warn_unused_result));
void making_deinit(struct making *m);

// Makes segments of the tails that a killed writer left.
bool collecting_recover(struct store *s, struct err *err) __attribute__((warn_unused_result));
// Leaves rows that are in no segment to the next writer; says whether there are any.
bool collecting_end(struct store *s);

// Removes what the log does not name, unless somebody still reads a state in which it was named;
// bodies, too, where some may be left.
void store_sweep(struct store *s, bool bodies);

// Appends an entry whose members are complete, and takes it into account.
bool store_append(struct store *s, bytes members, const struct author *author, struct err *err)
    __attribute__((warn_unused_result));
