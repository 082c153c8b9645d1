// Small duties with files: whole files in, durable files out, folders.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"

// The whole file, at most `size_max` bytes; owned, freed with memory_free. p is NULL and err set on
// failure.
bytes file_read(const char *path, size_t size_max, struct err *err);
// Writes under a hidden name beside it, fsyncs, renames, fsyncs the folder: after a crash it is
// there whole, or not at all.
bool file_write_durable(const char *path, bytes content, struct err *err);
// Removes what writers that were killed in the middle of it left in a folder.
void file_sweep(const char *folder);
bool file_sync(const char *path, struct err *err);   // fsync of a file or folder by name
bool folder_make(const char *path, struct err *err); // fine when it is there; parents must be
bool folder_remove(const char *path,
                   struct err *err); // with all that is in it; does not follow links
// Opens a file for writing that must not be there yet: what is there may be evidence. -1 and err on
// failure.
int file_create(const char *path, struct err *err);
bool file_write_all(int fd, bytes content, struct err *err); // all of it, whatever write() says
// SHA-256 and size of a file as it stands.
bool file_sha256(const char *path, uint8_t digest[SHA256_SIZE], uint64_t *size, struct err *err);
