// A capture in the case: packets/SSSSSSSS-NNNN.zst has its bytes, once decompressed, in frames of
// which each can be had alone; packets/SSSSSSSS-NNNN.idx has none, only where packets lie in the
// capture elsewhere. Both end in the same index (docs/formats/case.md).
//
// Thread: one. The file is not believed: what does not fit is ERR_INPUT, and every frame has a
// checksum. That it is the file that was written, its SHA-256 in the log says.
#pragma once

#include "base/compress.h"
#include "record/capture.h"
#include "store/catalogue.h"

enum {
    EXTENT_FRAME_SIZE = 1024 * 1024,      // decompressed
    EXTENT_FRAME_SIZE_SMALL = 128 * 1024, // the same when many captures are open at once
    EXTENT_FRAME_SIZE_MAX = 16 * 1024 * 1024,
    EXTENT_FRAMES_MAX = 16 * 1024 * 1024, // of one capture: with frames of 1 MB, 16 TB
    EXTENT_INDEX_MAX = 512 * 1024 * 1024,
    EXTENT_FOOTER = 12, // at the end of the index: its length, and a mark
};

// What is at the end of the file.
struct extent_index {
    uint32_t frame_size;
    uint64_t content_bytes;
    uint64_t *frames; // where each begins in the file, and behind the last one its end
    uint64_t *sums;   // XXH3 of each as it is stored; NULL: each has a checksum in it
    uint32_t frame_count;
    struct capture_map map;
};

void extent_index_deinit(struct extent_index *x);
// As the bytes that end the file: one frame that decompressors pass over.
void extent_index_put(const struct extent_index *x, struct text *to);
// The way back; `index` is all of that frame. False when it is none, or contradicts itself.
bool extent_index_read(struct extent_index *x, bytes index);

struct extent;

// Opens what the log names. Keeps nothing of `named`. NULL and err on failure.
struct extent *extent_open(const char *folder, const struct catalogue_extent *named,
                           struct err *err);
void extent_close(struct extent *e); // NULL is fine

// Valid until extent_close; the content is NULL when the packets are elsewhere.
const struct capture_map *extent_map(const struct extent *e);
struct capture_content *extent_content(struct extent *e);
