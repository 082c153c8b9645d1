// A Parquet file being written (github.com/apache/parquet-format): groups of rows one behind the
// other, of each a chunk for every column, and a footer that tells of them.
//
// A chunk is a data page, before it a dictionary where its values come again and again; both are
// compressed with zstd. One chunk at a time is in memory, whatever the number of columns.
//
// Thread: one. The file is hashed as it is written; making it durable and naming it is the
// caller's.
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "store/parquet_values.h"
#include "store/schema.h"

struct parquet;

// Keeps `columns`. NULL and err when the file cannot be made.
struct parquet *parquet_create(const char *path, const struct schema_column *columns,
                               size_t column_count, struct err *err);
void parquet_destroy(struct parquet *p); // NULL is fine

// A group of rows; then a chunk for each column, in order.
void parquet_group(struct parquet *p, size_t rows);
void parquet_chunk(struct parquet *p, const struct parquet_values *values);
// Ends the file, and tells its hash and size. False when something could not be written.
bool parquet_end(struct parquet *p, char sha256[HEX_SHA256_SIZE], uint64_t *size, struct err *err)
    __attribute__((warn_unused_result));
