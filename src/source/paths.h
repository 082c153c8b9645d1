// What a person named, as a list of files: folders are searched, and files that are named twice are
// found out.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum { PATHS_FOLDER_DEPTH_MAX = 32, PATHS_MAX = 1000000 };

struct path_entry {
    char *path;
    bool is_stream;   // standard input, a pipe or a device: can be read once only
    bool from_folder; // found, not named: skipped when it is no capture
    bool is_capture;  // set by who reads the list
    uint32_t same_as; // index of the first entry that is the same file: mostly its own
    uint32_t named;   // by which of the words that a person gave
    dev_t device;
    ino_t inode;
    uint64_t size;
};

struct path_list {
    struct path_entry *entries;
    uint32_t count, room;
    uint32_t named;
};

// Adds a file, "-", or all regular files below a folder in the order of their names. Hidden files
// and cases (folders with a log, or named *.weir), which may hold packets that were read before,
// are left out. False
// and err when it is not there or not readable.
bool path_list_add(struct path_list *list, const char *path, struct err *err);
// What is named twice, by device and inode.
void path_list_find_doubled(struct path_list *list);
void path_list_deinit(struct path_list *list);

// What a person calls it: "standard input" for "-".
const char *path_called(const char *path);
// Says what is wrong with a path that cannot be opened or read, and the way out. Always false.
bool path_error(struct err *err, int error_number, const char *path);
