#include "base/unpack.h"

#include <bzlib.h>
#include <limits.h>
#include <lz4.h>
#include <zstd.h>

#include "base/lzo.h"

static bool copy(bytes packed, uint8_t *out, size_t size, size_t *written)
{
    if (packed.n > size) return false;
    if (packed.n) memcpy(out, packed.p, packed.n);
    *written = packed.n;
    return true;
}

static bool unpack_bz2(bytes packed, uint8_t *out, size_t size, size_t *written)
{
    unsigned room = (unsigned)size;
    // The library does not write to what it reads, it only does not say so.
    int result = BZ2_bzBuffToBuffDecompress((char *)out, &room, (char *)(uintptr_t)packed.p,
                                            (unsigned)packed.n, 0, 0);
    *written = room;
    return result == BZ_OK;
}

static bool unpack_lz4(bytes packed, uint8_t *out, size_t size, size_t *written)
{
    int n = LZ4_decompress_safe((const char *)packed.p, (char *)out, (int)packed.n, (int)size);
    *written = n > 0 ? (size_t)n : 0;
    return n >= 0;
}

static bool unpack_zstd(bytes packed, uint8_t *out, size_t size, size_t *written)
{
    size_t n = ZSTD_decompress(out, size, packed.p, packed.n);
    *written = ZSTD_isError(n) ? 0 : n;
    return !ZSTD_isError(n);
}

bool unpack(enum unpack_form form, bytes packed, uint8_t *out, size_t size, size_t *written)
{
    *written = 0;
    if (size > INT_MAX || packed.n > INT_MAX) return false;
    switch (form) {
    case UNPACK_NONE:
        return copy(packed, out, size, written);
    case UNPACK_LZO:
        return lzo_unpack(packed, out, size, written);
    case UNPACK_BZ2:
        return unpack_bz2(packed, out, size, written);
    case UNPACK_LZ4:
        return unpack_lz4(packed, out, size, written);
    case UNPACK_ZSTD:
        return unpack_zstd(packed, out, size, written);
    case UNPACK_COUNT:
        break;
    }
    return false;
}
