#include "base/packing.h"

#include <zstd.h>

#include "base/memory.h"

// Measured on conversations that wait for an answer, of 1.3 kB: higher levels win nothing.
enum { PACKING_LEVEL = 1 };

enum packing_form { PACKED_ALONE, PACKED_BY_SAMPLE };

struct packing {
    ZSTD_CCtx *in;
    ZSTD_DCtx *out;
    ZSTD_CDict *in_sample; // NULL until the sample is whole; it is never changed again
    ZSTD_DDict *out_sample;
    size_t sample_used;
    uint8_t sample[PACKING_SAMPLE];
};

// The fewest bytes around the content: its size is known, and it never leaves this process.
static bool packing_set_up(struct packing *p)
{
    return p->in && p->out &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(p->in, ZSTD_c_compressionLevel, PACKING_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(p->in, ZSTD_c_contentSizeFlag, 0)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(p->in, ZSTD_c_dictIDFlag, 0));
}

struct packing *packing_create(void)
{
    struct packing *p = memory_get(sizeof *p);
    p->in = ZSTD_createCCtx();
    p->out = ZSTD_createDCtx();
    if (packing_set_up(p)) return p;
    packing_destroy(p);
    return NULL;
}

void packing_destroy(struct packing *p)
{
    if (!p) return;
    ZSTD_freeCCtx(p->in);
    ZSTD_freeDCtx(p->out);
    ZSTD_freeCDict(p->in_sample);
    ZSTD_freeDDict(p->out_sample);
    memory_free(p);
}

static void sample_add(struct packing *p, bytes piece)
{
    if (p->in_sample) return;
    size_t room = sizeof p->sample - p->sample_used, n = piece.n < room ? piece.n : room;
    memcpy(p->sample + p->sample_used, piece.p, n);
    p->sample_used += n;
    if (p->sample_used < sizeof p->sample) return;
    p->out_sample = ZSTD_createDDict(p->sample, sizeof p->sample);
    if (!p->out_sample) return;
    p->in_sample = ZSTD_createCDict(p->sample, sizeof p->sample, PACKING_LEVEL);
    if (p->in_sample) ZSTD_CCtx_refCDict(p->in, p->in_sample);
}

size_t packing_pack(struct packing *p, bytes piece, uint8_t *out, size_t room)
{
    if (!room || piece.n > PACKING_PIECE_MAX) return 0;
    out[0] = p->in_sample ? PACKED_BY_SAMPLE : PACKED_ALONE;
    size_t n = ZSTD_compress2(p->in, out + 1, room - 1, piece.p, piece.n);
    if (ZSTD_isError(n)) return 0;
    sample_add(p, piece);
    return n + 1;
}

bool packing_unpack(struct packing *p, bytes packed, uint8_t *out, size_t size)
{
    struct reader r = reader_of(packed);
    uint8_t form = read_u8(&r);
    bytes frame = reader_rest(&r);
    if (r.bad || form > PACKED_BY_SAMPLE || (form == PACKED_BY_SAMPLE && !p->in_sample))
        return false;
    size_t n = form == PACKED_ALONE
                   ? ZSTD_decompressDCtx(p->out, out, size, frame.p, frame.n)
                   : ZSTD_decompress_usingDDict(p->out, out, size, frame.p, frame.n, p->out_sample);
    return !ZSTD_isError(n) && n == size;
}
