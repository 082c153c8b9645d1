// Where the captures of a case are, and which files they are that moved: by size and SHA-256.
//
// Thread: one.
#pragma once

#include "source/capture_kind.h"
#include "store/catalogue.h"

struct case_reader;

enum capture_state {
    CAPTURE_KEPT,    // in the case: it does not matter where it is
    CAPTURE_THERE,   // a file of its size is where the case points
    CAPTURE_MISSING, // it is not
    CAPTURE_FOUND,   // it was, among the files that were named
};

struct located {
    enum capture_state state;
    char *path; // where the case points
    char *now;  // CAPTURE_FOUND: where it is, in full
    char sha256[HEX_SHA256_SIZE];
    uint64_t bytes;
};

struct location_list {
    struct located *captures; // each once, in the order in which they were read
    size_t count, room;
};

// What a case that is open points to.
bool locate(struct case_reader *reader, struct location_list *list, struct err *err);
void location_list_deinit(struct location_list *list);

// Looks for them among files and folders. A file that is named must be one of them: ERR_INPUT when
// it is not. From folders only what is missing is taken.
bool locate_among(struct location_list *list, const char *const *paths, uint32_t path_count,
                  struct err *err);

// Writes into the log of the case where those are that were found. Nobody may be writing to it.
struct author;
bool relocate(const char *case_path, const struct location_list *list, const struct author *author,
              struct err *err);
