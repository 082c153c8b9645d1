// Encoders for the tests of this folder: content to encoded bodies. Results are owned: memory_free.
#pragma once

#include <assert.h>
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "dissect/dissect.h"

static inline bytes encode_zlib(bytes content, int window_bits)
{
    z_stream z = {0};
    int result = deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
    assert(result == Z_OK);
    size_t size = deflateBound(&z, content.n) + 64;
    uint8_t *out = memory_get(size);
    z.next_in = (Bytef *)content.p;
    z.avail_in = (uInt)content.n;
    z.next_out = out;
    z.avail_out = (uInt)size;
    result = deflate(&z, Z_FINISH);
    assert(result == Z_STREAM_END);
    deflateEnd(&z);
    return bytes_of(out, z.total_out);
}

static inline bytes encode_brotli(bytes content)
{
    size_t size = BrotliEncoderMaxCompressedSize(content.n) + 64;
    uint8_t *out = memory_get(size);
    bool fine = BrotliEncoderCompress(5, 18, BROTLI_MODE_GENERIC, content.n, content.p, &size, out);
    assert(fine);
    return bytes_of(out, size);
}

static inline bytes encode_zstd(bytes content)
{
    size_t size = ZSTD_compressBound(content.n);
    uint8_t *out = memory_get(size);
    size = ZSTD_compress(out, size, content.p, content.n, 3);
    assert(!ZSTD_isError(size));
    return bytes_of(out, size);
}

static inline bytes encode(enum body_coding coding, bytes content)
{
    switch (coding) {
    case BODY_GZIP:
        return encode_zlib(content, 15 + 16);
    case BODY_DEFLATE:
        return encode_zlib(content, 15);
    case BODY_BROTLI:
        return encode_brotli(content);
    case BODY_ZSTD:
        return encode_zstd(content);
    case BODY_PLAIN:
        break;
    }
    uint8_t *copy = memory_get(content.n);
    if (content.n) memcpy(copy, content.p, content.n);
    return bytes_of(copy, content.n);
}
