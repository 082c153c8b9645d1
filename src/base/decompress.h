// Compressed bytes as a stream: capture files and bodies. Output goes to the caller's buffer,
// so the caller decides how much may come out; nothing grows inside but the codec's own window:
// DECOMPRESS_WINDOW_MAX, and twice that for brotli, whose format allows it (RFC 7932 section
// 9.1).
//
// With compress.h and packing.h the only place that includes zlib, brotli, zstd and lz4. One
// stream, one thread.
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum compression {
    COMPRESSION_NONE,
    COMPRESSION_GZIP,    // RFC 1952, several members in succession
    COMPRESSION_DEFLATE, // HTTP's "deflate": zlib (RFC 1950), or raw (RFC 1951) from some servers
    COMPRESSION_BROTLI,  // RFC 7932
    COMPRESSION_ZSTD,    // RFC 8878, several frames in succession
    COMPRESSION_LZ4,     // LZ4 frames
};

enum { DECOMPRESS_WINDOW_MAX = 8 * 1024 * 1024 };

struct decompressor;

// What the first bytes of a file are; needs 4 bytes.
enum compression compression_of_file(bytes first);

// NULL when there is no memory for one.
struct decompressor *decompressor_create(enum compression compression);
void decompressor_destroy(struct decompressor *d);

enum decompress_result {
    DECOMPRESS_GO,     // went on; call again with more input, or with more room
    DECOMPRESS_END,    // complete here; what is left of the input does not belong to it (see below)
    DECOMPRESS_BROKEN, // not this format from here on
};

// Takes from *input (and moves it on) and writes at most `size` bytes to `out`; *written says
// how many. When less than `size` was written, all that the input gives is out.
//
// A member or frame that ends where the input ends is DECOMPRESS_END, but another may follow:
// whoever has more input calls again, whatever was said before, so that results do not depend
// on how the bytes were cut. What is no further member is END again, with nothing taken but up
// to three bytes that looked like the beginning of one in an earlier call.
enum decompress_result decompress(struct decompressor *d, bytes *input, uint8_t *out, size_t size,
                                  size_t *written);
