// Bodies that dissectors hand over become files: decoded, typed by content, hashed, kept by hash,
// and told as `file` records.
//
// One extractor a lane. A body is open from extract_open to extract_close; it passes through in one
// go: nothing of it is held but its first 4 kB and the state of hashes and codecs. Hashes cover
// every decoded byte that was seen; what is kept is cut at `kept_max`, and then stands under the
// hash of the kept part (`artifact`). Bytes behind a gap are hashed and kept as if they followed;
// `complete` is false then, and the record tells where the gaps are. Behind a gap in compressed
// bytes nothing can be decoded. A body that does not fit the encoding it was said to have is taken
// as it is.
//
// Results don't depend on how the bytes are cut. Limits of the lane (open files, decoders) are its
// last resort: what they turn away is counted, and tells itself apart (`broken` is "busy", or there
// is no record at all).
//
// Memory: address space for files_max + decoders_max, touched as they are used: 5 kB an open file,
// 2 kB and a codec an encoding of it (40 kB for gzip; br and zstd up to 16 MB, but
// DECODERS_LARGE_MAX of them).
#pragma once

#include "base/err.h"
#include "dissect/dissect.h"
#include "extract/file_kind.h"
#include "record/artifact.h"

enum { EXTRACT_FILES_MAX = 65536, EXTRACT_DECODERS_MAX = 4096, EXTRACT_KEPT_MAX = 25000000 };

struct extract_options {
    uint32_t files_max, decoders_max;
    uint64_t kept_max;                     // bytes of one file; 0 keeps nothing
    uint64_t decoded_max;                  // bytes that decoding one file may give
    const struct artifact_sink *artifacts; // kept; NULL keeps nothing
};
#define EXTRACT_DEFAULTS                                                                           \
    {                                                                                              \
        EXTRACT_FILES_MAX, EXTRACT_DECODERS_MAX, EXTRACT_KEPT_MAX, UINT64_C(1) << 30, NULL         \
    }

struct extract_counts {
    uint64_t files, files_refused; // refused: all were in use
    uint64_t artifacts_refused;    // the sink had no slot
    uint64_t encoded_bytes, decoded_bytes, missing_bytes, kept_bytes;
    uint64_t faults; // encodings that were broken, cut, at their limit, or not there
    uint64_t busy;   // bodies that were left encoded because all decoders were in use
};

struct extractor;

struct extractor *extractor_create(const struct extract_options *options, struct err *err);
void extractor_destroy(struct extractor *x);
const struct extract_counts *extractor_counts(const struct extractor *x);

// A handle, or 0 when all files are in use; with 0 the other calls do nothing. Copies what it needs
// of `start`.
uint32_t extract_open(struct extractor *x, const struct body_start *start);
// The next encoded bytes; borrowed for the call.
void extract_data(struct extractor *x, uint32_t file, bytes data);
// `length` encoded bytes are missing here.
void extract_gap(struct extractor *x, uint32_t file, uint64_t length);
// Where the body begins, for the row that will tell of it.
struct body_place {
    uint8_t side;
    uint64_t position;
    nanos time;
};
struct body_place extract_place(const struct extractor *x, uint32_t file);
// The body is over; `complete`: as its protocol says it should. Fills `row` (of file_kind; all but
// the common fields) and `summary`; both may be NULL. The handle is void.
void extract_close(struct extractor *x, uint32_t file, bool complete, struct body_summary *summary,
                   struct row *row);
