// The record kind `file`: a body that was seen, whether or not its bytes are kept.
#pragma once

#include "record/kind.h"

enum file_field {
    FILE_SOURCE = COMMON_COUNT,
    FILE_RECORD_ID,
    FILE_FROM_SRC,
    FILE_NAME,
    FILE_MIME_TYPE,
    FILE_DECLARED_TYPE,
    FILE_ENCODINGS,
    FILE_SIZE,
    FILE_ENCODED_BYTES,
    FILE_TOTAL_BYTES,
    FILE_MISSING_BYTES,
    FILE_GAPS,
    FILE_GAP_OFFSETS,
    FILE_GAP_LENGTHS,
    FILE_TRAILING_BYTES,
    FILE_COMPLETE,
    FILE_TRUNCATED,
    FILE_KEPT_BYTES,
    FILE_BROKEN,
    FILE_MD5,
    FILE_SHA1,
    FILE_SHA256,
    FILE_ARTIFACT,
    FILE_FIELD_COUNT,
};

extern const struct record_kind file_kind;
