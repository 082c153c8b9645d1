// A kind with a field of each type, for the tests of rows and batches.
#pragma once

#include "record/kind.h"

enum test_field {
    TEST_TIME = COMMON_COUNT,
    TEST_DURATION,
    TEST_UINT,
    TEST_REAL,
    TEST_BOOL,
    TEST_MAC,
    TEST_ADDRESS,
    TEST_ID,
    TEST_TEXT,
    TEST_HASH,
    TEST_BLOB,
    TEST_TEXTS,
    TEST_UINTS,
    TEST_ADDRESSES,
    TEST_MORE_TEXTS,
    TEST_FIELD_COUNT,
};

static const struct field test_fields[] = {
    RECORD_COMMON_FIELDS,
    {"time", FIELD_TIME, NULL, "test", NULL, NULL, 0},
    {"duration", FIELD_DURATION, "s", "test", NULL, NULL, 0},
    {"uint", FIELD_UINT, NULL, "test", NULL, NULL, 0},
    {"real", FIELD_REAL, NULL, "test", NULL, NULL, 0},
    {"bool", FIELD_BOOL, NULL, "test", NULL, NULL, 0},
    {"mac", FIELD_MAC, NULL, "test", NULL, NULL, 0},
    {"address", FIELD_ADDRESS, NULL, "test", NULL, NULL, 0},
    {"id2", FIELD_ID, NULL, "test", NULL, NULL, 0},
    {"text", FIELD_TEXT, NULL, "test", NULL, NULL, 0},
    {"hash", FIELD_HASH, NULL, "test", NULL, NULL, 0},
    {"blob", FIELD_BLOB, NULL, "test", NULL, NULL, 0},
    {"texts", FIELD_TEXTS, NULL, "test", NULL, NULL, 0},
    {"uints", FIELD_UINTS, NULL, "test", NULL, NULL, 0},
    {"addresses", FIELD_ADDRESSES, NULL, "test", NULL, NULL, 0},
    {"more_texts", FIELD_TEXTS, NULL, "test", NULL, NULL, 0},
};

static const struct record_kind test_kind = {
    .name = "test",
    .help = "All types",
    .fields = test_fields,
    .field_count = TEST_FIELD_COUNT,
};
