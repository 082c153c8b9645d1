#include "extract/file_kind.h"

// clang-format off
static const struct field fields[] = {
    RECORD_COMMON_FIELDS,
    {"source", FIELD_TEXT, NULL, "Protocol that carried it", NULL, NULL, 0},
    {"record_id", FIELD_ID, NULL, "The transaction it belongs to", NULL, NULL, 0},
    {"from_src", FIELD_BOOL, NULL, "Whether src sent it", NULL, "is_orig", 0},
    {"file_name", FIELD_TEXT, NULL,
     "Its name, as the protocol told it", "file.name", "filename", 0},
    {"mime_type", FIELD_TEXT, NULL, "What it is, by its content", "file.mime_type", NULL, 0},
    {"declared_type", FIELD_TEXT, NULL, "What the sender said it is", NULL, NULL, 0},
    {"encodings", FIELD_TEXTS, NULL,
     "Encodings that were said to be applied, in that order", NULL, NULL, 0},
    {"size", FIELD_UINT, "bytes", "Decoded bytes that were seen", "file.size", "seen_bytes", 0},
    {"encoded_bytes", FIELD_UINT, "bytes", "Bytes that were seen before decoding", NULL, NULL, 0},
    {"total_bytes", FIELD_UINT, "bytes",
     "Length that was announced, before decoding", NULL, NULL, 0},
    {"missing_bytes", FIELD_UINT, "bytes",
     "Bytes that the capture lacks, before decoding", NULL, NULL, 0},
    {"gaps", FIELD_UINT, NULL, "Places where bytes are missing", NULL, NULL, 0},
    {"gap_offsets", FIELD_UINTS, "bytes",
     "Where the first 16 gaps begin, counted before decoding", NULL, NULL, 0},
    {"gap_lengths", FIELD_UINTS, "bytes", "How long the first 16 gaps are", NULL, NULL, 0},
    {"trailing_bytes", FIELD_UINT, "bytes",
     "Bytes behind the end of the compressed content", NULL, NULL, 0},
    {"complete", FIELD_BOOL, NULL,
     "All of it was seen and decoded: the hashes are those of the file", NULL, NULL, 0},
    {"truncated", FIELD_BOOL, NULL,
     "It is longer than the most that is kept of a file", NULL, NULL, 0},
    {"kept_bytes", FIELD_UINT, "bytes", "How much of it is kept under artifacts/", NULL, NULL,
     FIELD_UNDIGESTED},
    {"broken", FIELD_TEXT, NULL,
     "Why it could not be decoded: not-encoded, coding, cut, gap, limit, busy", NULL, NULL, 0},
    {"md5", FIELD_HASH, NULL, "MD5 of the decoded bytes that were seen", "file.hash.md5", NULL, 0},
    {"sha1", FIELD_HASH, NULL,
     "SHA-1 of the decoded bytes that were seen", "file.hash.sha1", NULL, 0},
    {"sha256", FIELD_HASH, NULL,
     "SHA-256 of the decoded bytes that were seen", "file.hash.sha256", NULL, 0},
    {"artifact", FIELD_HASH, NULL,
     "SHA-256 of the kept bytes, their name under artifacts/; equals sha256 unless truncated",
     NULL, "extracted", FIELD_UNDIGESTED},
};
// clang-format on

_Static_assert(sizeof fields / sizeof fields[0] == FILE_FIELD_COUNT, "a row for each field");

const struct record_kind file_kind = {
    .name = "file",
    .help = "Files and other bodies that protocols carried",
    .fields = fields,
    .field_count = FILE_FIELD_COUNT,
};
