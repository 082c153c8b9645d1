// The record kind `capture`: one row for each capture file that was read.
#pragma once

#include "record/row.h"
#include "source/source.h"

enum capture_field {
    CAPTURE_NUMBER,
    CAPTURE_PATH,
    CAPTURE_SHA256,
    CAPTURE_FORMAT,
    CAPTURE_COMPRESSION,
    CAPTURE_LINK_TYPES,
    CAPTURE_PACKETS,
    CAPTURE_BYTES,
    CAPTURE_CAPTURED_BYTES,
    CAPTURE_FILE_BYTES,
    CAPTURE_FILTERED,
    CAPTURE_BACKWARDS,
    CAPTURE_DAMAGED_BYTES,
    CAPTURE_CUT_BYTES,
    CAPTURE_INTERFACE_DROPS,
    CAPTURE_FIRST_SEEN,
    CAPTURE_LAST_SEEN,
    CAPTURE_INTERFACES,
    CAPTURE_COMMENTS,
    CAPTURE_TRUNCATED,
    CAPTURE_READING, // filled in by whoever knows the case
};

extern const struct record_kind capture_kind;

// Fills a row that row_init has begun for capture_kind.
void capture_row(const struct capture_info *info, struct row *row);
