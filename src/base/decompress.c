#include "base/decompress.h"

#include <assert.h>
#include <brotli/decode.h>
#include <lz4frame.h>
#define ZLIB_CONST // input is not written to
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/memory.h"

enum { MAGIC_SIZE = 4, GZIP_MAGIC_SIZE = 2, ZLIB_HEAD_SIZE = 2, ZSTD_WINDOW_LOG_MAX = 23 };
_Static_assert(1 << ZSTD_WINDOW_LOG_MAX == DECOMPRESS_WINDOW_MAX, "zstd counts in powers of two");

enum phase {
    PHASE_START,   // nothing was given yet
    PHASE_INSIDE,  // of a member or frame
    PHASE_BETWEEN, // a member is complete, another may follow or have begun in `head`
    PHASE_OVER,    // nothing can follow
    PHASE_BROKEN,
};

struct decompressor {
    enum compression compression;
    enum phase phase;
    bool drained; // the last call left nothing inside that could come out without input
    // The first bytes of a member, kept until they tell what it is and then given to the codec.
    uint8_t head[MAGIC_SIZE];
    uint8_t head_got, head_given;
    z_stream zlib;
    BrotliDecoderState *brotli;
    ZSTD_DCtx *zstd;
    LZ4F_dctx *lz4;
};

// What one call to a codec did.
enum step { STEP_GO, STEP_MEMBER_END, STEP_BROKEN };

struct room {
    uint8_t *p;
    size_t n;
};

// How many first bytes tell whether another member follows.
static size_t magic_size(enum compression compression)
{
    return compression == COMPRESSION_GZIP ? GZIP_MAGIC_SIZE : MAGIC_SIZE;
}

// Whether `b`, of which only a part may be there yet, begins as a member of `compression` does.
static bool member_may_begin(enum compression compression, bytes b)
{
    static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t lz4[] = {0x04, 0x22, 0x4d, 0x18}, skippable[] = {0x2a, 0x4d, 0x18};
    b = bytes_first(b, magic_size(compression));
    if (compression == COMPRESSION_GZIP) return memcmp(b.p, gzip, b.n) == 0;
    // RFC 8878 section 3.1.2: sixteen numbers for frames to be skipped; LZ4 has the same.
    if ((b.p[0] & 0xf0) == 0x50 && memcmp(b.p + 1, skippable, b.n - 1) == 0) return true;
    return memcmp(b.p, compression == COMPRESSION_ZSTD ? zstd : lz4, b.n) == 0;
}

enum compression compression_of_file(bytes first)
{
    static const enum compression with_magic[] = {COMPRESSION_GZIP, COMPRESSION_ZSTD,
                                                  COMPRESSION_LZ4};
    if (first.n < MAGIC_SIZE) return COMPRESSION_NONE;
    for (size_t i = 0; i < sizeof with_magic / sizeof with_magic[0]; i++)
        if (member_may_begin(with_magic[i], first)) return with_magic[i];
    return COMPRESSION_NONE;
}

static bool zstd_create(struct decompressor *d)
{
    d->zstd = ZSTD_createDCtx();
    if (!d->zstd) return false;
    return !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX));
}

static bool codec_create(struct decompressor *d)
{
    switch (d->compression) {
    case COMPRESSION_NONE:
        return true;
    case COMPRESSION_GZIP:
        return inflateInit2(&d->zlib, MAX_WBITS + 16) == Z_OK;
    case COMPRESSION_DEFLATE:
        return inflateInit2(&d->zlib, -MAX_WBITS) == Z_OK;
    case COMPRESSION_BROTLI:
        return (d->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL));
    case COMPRESSION_ZSTD:
        return zstd_create(d);
    case COMPRESSION_LZ4:
        return !LZ4F_isError(LZ4F_createDecompressionContext(&d->lz4, LZ4F_VERSION));
    }
    return false;
}

struct decompressor *decompressor_create(enum compression compression)
{
    struct decompressor *d = memory_get(sizeof *d);
    d->compression = compression;
    d->drained = true;
    if (codec_create(d)) return d;
    decompressor_destroy(d);
    return NULL;
}

void decompressor_destroy(struct decompressor *d)
{
    if (!d) return;
    if (d->compression == COMPRESSION_GZIP || d->compression == COMPRESSION_DEFLATE)
        inflateEnd(&d->zlib);
    if (d->brotli) BrotliDecoderDestroyInstance(d->brotli);
    ZSTD_freeDCtx(d->zstd);
    LZ4F_freeDecompressionContext(d->lz4);
    memory_free(d);
}

static void room_used(struct room *room, size_t n)
{
    room->p += n;
    room->n -= n;
}

static enum step copy_step(bytes *input, struct room *room)
{
    size_t n = input->n < room->n ? input->n : room->n;
    if (n) memcpy(room->p, input->p, n);
    *input = bytes_after(*input, n);
    room_used(room, n);
    return STEP_GO;
}

static enum step zlib_step(struct decompressor *d, bytes *input, struct room *room)
{
    // zlib counts in 32 bits; what is more waits for the next round.
    uInt in = input->n > UINT32_MAX ? UINT32_MAX : (uInt)input->n;
    uInt out = room->n > UINT32_MAX ? UINT32_MAX : (uInt)room->n;
    d->zlib.next_in = input->p;
    d->zlib.avail_in = in;
    d->zlib.next_out = room->p;
    d->zlib.avail_out = out;
    int result = inflate(&d->zlib, Z_NO_FLUSH);
    *input = bytes_after(*input, in - d->zlib.avail_in);
    room_used(room, out - d->zlib.avail_out);
    if (result == Z_STREAM_END) return STEP_MEMBER_END;
    // Z_BUF_ERROR: it could do nothing without more input or room, which is no fault.
    return result == Z_OK || result == Z_BUF_ERROR ? STEP_GO : STEP_BROKEN;
}

// RFC 1950 section 2.2: method 8, window of at most 32 kB, check bits, and no dictionary, of
// which nobody could know. What is not that is raw; a raw stream cannot look so but by padding
// bits that writers leave zero.
static bool is_zlib_head(const uint8_t *head)
{
    bool method = (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7;
    return method && (head[0] << 8 | head[1]) % 31 == 0 && !(head[1] & 0x20);
}

static enum step brotli_step(struct decompressor *d, bytes *input, struct room *room)
{
    size_t in = input->n;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(d->brotli, &input->n, &input->p, &room->n, &room->p, NULL);
    assert(input->n <= in);
    if (result == BROTLI_DECODER_RESULT_SUCCESS) return STEP_MEMBER_END;
    return result == BROTLI_DECODER_RESULT_ERROR ? STEP_BROKEN : STEP_GO;
}

static enum step zstd_step(struct decompressor *d, bytes *input, struct room *room)
{
    // After some rounds without room zstd takes its caller for broken.
    if (!room->n) return STEP_GO;
    ZSTD_inBuffer in = {input->p, input->n, 0};
    ZSTD_outBuffer out = {room->p, room->n, 0};
    size_t result = ZSTD_decompressStream(d->zstd, &out, &in);
    *input = bytes_after(*input, in.pos);
    room_used(room, out.pos);
    if (ZSTD_isError(result)) return STEP_BROKEN;
    return result == 0 ? STEP_MEMBER_END : STEP_GO;
}

static enum step lz4_step(struct decompressor *d, bytes *input, struct room *room)
{
    size_t in = input->n, out = room->n;
    size_t result = LZ4F_decompress(d->lz4, room->p, &out, input->p, &in, NULL);
    if (LZ4F_isError(result)) return STEP_BROKEN;
    *input = bytes_after(*input, in);
    room_used(room, out);
    return result == 0 ? STEP_MEMBER_END : STEP_GO;
}

static enum step codec_step(struct decompressor *d, bytes *input, struct room *room)
{
    switch (d->compression) {
    case COMPRESSION_NONE:
        return copy_step(input, room);
    case COMPRESSION_GZIP:
        return zlib_step(d, input, room);
    case COMPRESSION_DEFLATE:
        return zlib_step(d, input, room);
    case COMPRESSION_BROTLI:
        return brotli_step(d, input, room);
    case COMPRESSION_ZSTD:
        return zstd_step(d, input, room);
    case COMPRESSION_LZ4:
        return lz4_step(d, input, room);
    }
    return STEP_BROKEN;
}

static bool has_members(enum compression compression)
{
    return compression == COMPRESSION_GZIP || compression == COMPRESSION_ZSTD ||
           compression == COMPRESSION_LZ4;
}

static void head_take(struct decompressor *d, bytes *input, size_t size)
{
    while (d->head_got < size && input->n) {
        d->head[d->head_got++] = input->p[0];
        *input = bytes_after(*input, 1);
    }
}

// Moves on to the first member or the next one. False when there is none, or that cannot be told
// yet.
static bool member_begin(struct decompressor *d, bytes *input)
{
    if (d->phase == PHASE_START && d->compression == COMPRESSION_DEFLATE) {
        head_take(d, input, ZLIB_HEAD_SIZE);
        if (d->head_got < ZLIB_HEAD_SIZE) return false;
        if (is_zlib_head(d->head)) inflateReset2(&d->zlib, MAX_WBITS);
    } else if (d->phase == PHASE_BETWEEN) {
        size_t size = magic_size(d->compression);
        uint8_t seen[MAGIC_SIZE];
        struct buf b = buf_on(seen, size);
        buf_put(&b, bytes_of(d->head, d->head_got));
        buf_put(&b, bytes_first(*input, size - d->head_got));
        if (!b.n || !member_may_begin(d->compression, buf_bytes(&b))) {
            d->phase = b.n ? PHASE_OVER : PHASE_BETWEEN;
            return false;
        }
        head_take(d, input, size);
        if (d->head_got < size) return false;
    }
    d->phase = PHASE_INSIDE;
    return true;
}

static void member_end(struct decompressor *d)
{
    d->phase = has_members(d->compression) ? PHASE_BETWEEN : PHASE_OVER;
    d->head_got = d->head_given = 0;
    // zstd and LZ4 begin anew by themselves.
    if (d->compression == COMPRESSION_GZIP) inflateReset(&d->zlib);
}

// One call to the codec, with the bytes that were kept before those of the input.
static enum step feed(struct decompressor *d, bytes *input, struct room *room)
{
    if (d->head_given == d->head_got) return codec_step(d, input, room);
    bytes head = bytes_after(bytes_of(d->head, d->head_got), d->head_given);
    enum step step = codec_step(d, &head, room);
    d->head_given = (uint8_t)(d->head_got - head.n);
    return step;
}

// Runs the codec as long as it moves. False when the bytes are broken.
static bool run(struct decompressor *d, bytes *input, struct room *room)
{
    while (d->phase != PHASE_OVER) {
        if (d->phase != PHASE_INSIDE && !member_begin(d, input)) return true;
        size_t in = input->n, out = room->n;
        uint8_t head_given = d->head_given;
        enum step step = feed(d, input, room);
        if (step == STEP_BROKEN) return false;
        if (step == STEP_MEMBER_END) member_end(d);
        else if (in == input->n && out == room->n && head_given == d->head_given) return true;
    }
    return true;
}

enum decompress_result decompress(struct decompressor *d, bytes *input, uint8_t *out, size_t size,
                                  size_t *written)
{
    struct room room = {out, size};
    *written = 0;
    if (d->phase == PHASE_BROKEN) return DECOMPRESS_BROKEN;
    // zstd takes a caller for broken who comes some times with nothing.
    if (!input->n && d->drained && d->phase <= PHASE_INSIDE) return DECOMPRESS_GO;
    bool fine = run(d, input, &room);
    *written = size - room.n;
    d->drained = room.n > 0;
    if (!fine) {
        d->phase = PHASE_BROKEN;
        return DECOMPRESS_BROKEN;
    }
    if (d->phase == PHASE_OVER) return DECOMPRESS_END;
    return d->phase == PHASE_BETWEEN && !d->head_got ? DECOMPRESS_END : DECOMPRESS_GO;
}
