// The artifacts that the `file` records of a case name, by hash. 48 bytes a record. Thread: one.
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "record/id.h"

struct case_reader;

struct named_artifact {
    uint8_t sha256[SHA256_SIZE];
    struct record_id file; // a record that names it
};

// In order of hash, then record: what names the same artifact stands together.
struct named_artifacts {
    struct named_artifact *all;
    size_t count, room;
};

// Of the conversations `ids`, which are in order (record_id_compare); NULL: of all.
bool named_artifacts_load(struct named_artifacts *n, struct case_reader *reader,
                          const struct record_id *ids, size_t id_count, struct err *err);
void named_artifacts_deinit(struct named_artifacts *n);

// How many records name the artifact of the record at `at`, from there on.
size_t named_artifacts_same(const struct named_artifacts *n, size_t at);
// Where an artifact lies; NULL for a memory case, which keeps none.
enum { NAMED_PATH_MAX = 4096 };
const char *named_artifact_path(const struct case_reader *reader,
                                const struct named_artifact *named, char path[NAMED_PATH_MAX]);
