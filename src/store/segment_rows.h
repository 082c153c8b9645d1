// The rows of one kind in a part of the spool as a Parquet file, column by column: what is in
// memory at a time is one column of a group of rows, and the texts of that group.
#pragma once

#include "store/spool.h"

// Batches [from, to) of `kind` to the file `path`, the fields in `with`. `sha256` and `size` are of
// the file.
struct segment_rows {
    struct spool *spool;
    unsigned kind;
    size_t from, to;
    uint64_t with;
};
bool segment_rows_write(const struct segment_rows *rows, const char *path,
                        char sha256[HEX_SHA256_SIZE], uint64_t *size, struct err *err)
    __attribute__((warn_unused_result));
