// The artifacts that the records of a case name: all that may lie below artifacts/.
//
// Each reading has a list of those that its records name, artifacts/SSSSSSSS.names, in which the
// hashes stand one behind the other, sorted; so they are known without reading the records.
//
// Thread: one. Takes 32 bytes of memory for each artifact.
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "record/batch.h"

struct case_reader;
struct catalogue_reading;

// Zeroed, it is an empty one.
struct artifact_names {
    uint8_t (*hashes)[SHA256_SIZE];
    size_t count, size;
};

void artifact_names_deinit(struct artifact_names *names);

// Those that the rows of a batch name.
void artifact_names_collect(struct artifact_names *names, const struct record_batch *batch);
// Each once, in order; the functions below want it so.
void artifact_names_sort(struct artifact_names *names);
bool artifact_names_have(const struct artifact_names *names, const uint8_t hash[SHA256_SIZE]);

// Writes the list of a reading, and fills in entry->names.
bool artifact_names_write(const struct artifact_names *names, const char *folder,
                          struct catalogue_reading *entry, struct err *err)
    __attribute__((warn_unused_result));

// Whether every reading that is asked has a list; or else the records must be read.
bool artifact_names_are_listed(const struct case_reader *reader);
// All that the readings name which are asked.
bool artifact_names_read(struct artifact_names *names, struct case_reader *reader, struct err *err)
    __attribute__((warn_unused_result));

// Removes the artifacts of a case that none of its records names.
bool artifact_sweep(struct case_reader *reader, struct err *err)
    __attribute__((warn_unused_result));
