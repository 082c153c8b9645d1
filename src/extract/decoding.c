#include "extract/decoding.h"

#include <assert.h>

#include "extract/type.h"

enum { TEXT_SURE_SIZE = 16 }; // so many bytes are not text by chance

enum stage_state {
    STAGE_NEW,      // has seen nothing
    STAGE_DECODING, // is within its stream
    STAGE_WHOLE,    // has seen a whole stream; what follows may belong to it
    STAGE_PASSING,  // was not what it was said to be
    STAGE_ENDED,    // what follows is trailing
    STAGE_BROKEN,   // what follows is lost
};

struct stage {
    uint8_t coding, state;
    uint16_t held; // bytes of a block that is not yet whole
    struct decompressor *codec;
    uint8_t block[DECODE_BLOCK_SIZE];
};

const char *decode_fault_name(enum decode_fault fault)
{
    static const char *const names[] = {"", "not-encoded", "coding", "cut", "gap", "limit", "busy"};
    assert(fault < DECODE_FAULT_COUNT);
    return names[fault];
}

const char *body_coding_name(enum body_coding coding)
{
    static const char *const names[] = {"identity", "gzip", "deflate", "br", "zstd"};
    assert(coding <= BODY_ZSTD);
    return names[coding];
}

bool decoders_init(struct decoders *p, uint32_t stages_max, uint64_t decoded_max, struct err *err)
{
    *p = (struct decoders){.decoded_max = decoded_max, .done = true};
    if (!pool_init(&p->stages, sizeof(struct stage), stages_max, err)) return false;
    p->scratch = memory_get((size_t)BODY_CODINGS_MAX * DECODE_SCRATCH_SIZE);
    return true;
}

// Chains that are still open must have been given back before.
void decoders_deinit(struct decoders *p)
{
    assert(p->stages.used == 0);
    pool_deinit(&p->stages);
    memory_free(p->scratch);
    *p = (struct decoders){0};
}

static struct stage *stage_at(const struct decoding *d, const struct decoders *p, unsigned level)
{
    return pool_at(&p->stages, d->stages[level]);
}

static void note(struct decoding *d, enum decode_fault fault)
{
    if (d->fault == DECODE_FINE) d->fault = (uint8_t)fault;
}

static bool is_large(enum body_coding coding)
{
    return coding == BODY_BROTLI || coding == BODY_ZSTD;
}

static uint32_t stage_take(struct decoders *p, enum body_coding coding)
{
    if (is_large(coding) && p->large == DECODERS_LARGE_MAX) return 0;
    uint32_t index = pool_take(&p->stages);
    if (!index) return 0;
    ((struct stage *)pool_at(&p->stages, index))->coding = (uint8_t)coding;
    p->large += is_large(coding);
    return index;
}

void decoding_init(struct decoding *d, struct decoders *p, const enum body_coding *applied,
                   unsigned count)
{
    *d = (struct decoding){0};
    for (unsigned i = count; i-- > 0;) {
        if (applied[i] == BODY_PLAIN) continue;
        uint32_t index = stage_take(p, applied[i]);
        if (!index) {
            decoding_deinit(d, p);
            note(d, DECODE_BUSY);
            return;
        }
        d->stages[d->stage_count++] = index;
    }
}

static void stage_drop_codec(struct stage *s)
{
    decompressor_destroy(s->codec);
    s->codec = NULL;
}

void decoding_deinit(struct decoding *d, struct decoders *p)
{
    for (unsigned i = 0; i < d->stage_count; i++) {
        struct stage *s = stage_at(d, p, i);
        p->large -= is_large(s->coding);
        stage_drop_codec(s);
        pool_give(&p->stages, d->stages[i]);
    }
    d->stage_count = 0;
}

// ---- one stage ----------------------------------------------------------------------------------

static enum compression compression_of(enum body_coding coding)
{
    static const enum compression codecs[] = {
        COMPRESSION_NONE,   COMPRESSION_GZIP, COMPRESSION_DEFLATE,
        COMPRESSION_BROTLI, COMPRESSION_ZSTD,
    };
    return codecs[coding];
}

// Whether the first bytes carry the mark of the encoding, as far as it has one: RFC 1952 section
// 2.3.1, RFC 1950 section 2.2, RFC 8878 section 3.1.1. Raw DEFLATE and brotli have none.
static bool has_mark(enum body_coding coding, bytes b)
{
    if (coding == BODY_GZIP) return memcmp(b.p, "\x1f\x8b\x08", b.n < 3 ? b.n : 3) == 0;
    if (coding == BODY_ZSTD) {
        bool skippable = (b.p[0] & 0xf0) == 0x50; // section 3.1.2
        const char *mark = skippable ? "\x2a\x4d\x18" : "\xb5\x2f\xfd";
        if (!skippable && b.p[0] != 0x28) return false;
        return memcmp(b.p + 1, mark, b.n < 4 ? b.n - 1 : 3) == 0;
    }
    if (coding != BODY_DEFLATE || (b.p[0] & 15) != 8 || b.p[0] >> 4 > 7) return false;
    return b.n < 2 || (b.p[0] << 8 | b.p[1]) % 31 == 0;
}

// Makes the next block ready; false when there are too few bytes for one and more may come.
static bool stage_fill(struct stage *s, bytes *in, bool ending, bytes *block)
{
    if (s->held == 0 && in->n >= DECODE_BLOCK_SIZE) {
        *block = bytes_first(*in, DECODE_BLOCK_SIZE);
        *in = bytes_after(*in, DECODE_BLOCK_SIZE);
        return true;
    }
    bytes taken = bytes_first(*in, (size_t)DECODE_BLOCK_SIZE - s->held);
    if (taken.n) memcpy(s->block + s->held, taken.p, taken.n);
    s->held = (uint16_t)(s->held + taken.n);
    *in = bytes_after(*in, taken.n);
    if (s->held == 0 || (s->held < DECODE_BLOCK_SIZE && !ending)) return false;
    *block = bytes_of(s->block, s->held);
    s->held = 0;
    return true;
}

struct result {
    enum decompress_result result;
    bytes out;
};

// Runs the codec until its block is used up, its stream ends or the scratch is full.
static struct result stage_run(struct stage *s, bytes *block, uint8_t *scratch)
{
    size_t written = 0;
    enum decompress_result result =
        decompress(s->codec, block, scratch, DECODE_SCRATCH_SIZE, &written);
    // A codec that leaves input although it has room will never take it.
    bool stuck = block->n && written < DECODE_SCRATCH_SIZE;
    if (result == DECOMPRESS_GO && stuck) result = DECOMPRESS_BROKEN;
    return (struct result){result, bytes_of(scratch, written)};
}

// Whether the first block shows that the encoding was never applied.
static bool is_not_encoded(const struct stage *s, const struct result *r, bytes whole, bytes rest)
{
    if (has_mark(s->coding, whole)) return false;
    if (s->coding == BODY_GZIP || s->coding == BODY_ZSTD) return true;
    switch (r->result) {
    case DECOMPRESS_BROKEN:
        return true;
    // Encodings without a mark may find an end in anything; then little was used.
    case DECOMPRESS_END:
        return rest.n > whole.n - rest.n;
    // They may also find nothing wrong for a while, but what they write is never text.
    case DECOMPRESS_GO:
        return whole.n >= TEXT_SURE_SIZE && type_of_text(whole, false) != NULL;
    }
    return false;
}

// At its end a stream may go on with another member or frame, which the codec then finds.
static void stage_settle(struct decoding *d, struct stage *s, const struct result *r, bytes *block)
{
    if (r->result == DECOMPRESS_GO || (r->result == DECOMPRESS_END && block->n == 0)) {
        s->state = r->result == DECOMPRESS_GO ? STAGE_DECODING : STAGE_WHOLE;
        return;
    }
    if (r->result == DECOMPRESS_END) {
        s->state = STAGE_ENDED;
        d->trailing_bytes += block->n;
    } else {
        s->state = STAGE_BROKEN;
        note(d, DECODE_BROKEN);
    }
    *block = (bytes){0};
    stage_drop_codec(s);
}

static bool stage_begin(struct decoding *d, struct stage *s)
{
    s->codec = decompressor_create(compression_of(s->coding));
    s->state = s->codec ? STAGE_DECODING : STAGE_PASSING;
    if (!s->codec) note(d, DECODE_BUSY);
    return s->codec != NULL;
}

static bytes stage_pass(struct decoding *d, struct stage *s, bytes *block, bytes whole)
{
    note(d, DECODE_NOT_ENCODED);
    stage_drop_codec(s);
    s->state = STAGE_PASSING;
    *block = (bytes){0};
    return whole;
}

// Decodes from the block at hand.
static bytes stage_decode(struct decoding *d, struct decoders *p, struct stage *s, unsigned level)
{
    bytes *block = &p->block[level], whole = *block;
    bool first = s->state == STAGE_NEW;
    if (first && !stage_begin(d, s)) {
        *block = (bytes){0};
        return whole;
    }
    struct result r = stage_run(s, block, p->scratch + (size_t)level * DECODE_SCRATCH_SIZE);
    if (first && is_not_encoded(s, &r, whole, *block)) return stage_pass(d, s, block, whole);
    stage_settle(d, s, &r, block);
    p->more[level] = r.result == DECOMPRESS_GO && r.out.n == DECODE_SCRATCH_SIZE;
    d->output_bytes += r.out.n;
    return r.out;
}

// The next bytes that come out of a stage; empty when it needs more.
static bytes stage_step(struct decoding *d, struct decoders *p, unsigned level)
{
    struct stage *s = stage_at(d, p, level);
    bytes *in = &p->pending[level], out = {0};
    bool ending = p->ending && level == p->floor;
    while (out.n == 0) {
        if (s->state <= STAGE_WHOLE) {
            bool at_work = p->block[level].n > 0 || p->more[level];
            if (!at_work && !stage_fill(s, in, ending, &p->block[level])) break;
            if (!at_work && level == 0) d->taken_bytes += p->block[0].n;
            out = stage_decode(d, p, s, level);
        } else {
            if (s->state == STAGE_PASSING) out = *in;
            if (s->state == STAGE_ENDED) d->trailing_bytes += in->n;
            *in = (bytes){0};
            break;
        }
    }
    return out;
}

// ---- the chain ----------------------------------------------------------------------------------

void decoding_feed(struct decoding *d, struct decoders *p, bytes encoded, bool ending)
{
    assert(p->done);
    memset(p->block, 0, sizeof p->block);
    memset(p->more, 0, sizeof p->more);
    p->pending[0] = encoded;
    p->level = p->floor = 0;
    p->ending = ending;
    p->done = d->stopped;
}

static bool is_over_limit(const struct decoding *d, const struct decoders *p)
{
    if (d->output_bytes > p->decoded_max) return true;
    if (d->output_bytes <= DECODED_RATIO_FREE) return false;
    return d->output_bytes / DECODED_RATIO_MAX > d->taken_bytes;
}

// Nothing more to do for stage `level`: back to the one that feeds it, or, when that has given all
// and the body ends, on to the next, which then gives what it holds.
static void leave(struct decoding *d, struct decoders *p)
{
    if (p->level > p->floor) {
        p->level--;
    } else if (p->ending && p->floor + 1 < d->stage_count) {
        p->level = ++p->floor;
        p->pending[p->level] = (bytes){0};
    } else {
        p->done = true;
    }
}

bool decoding_next(struct decoding *d, struct decoders *p, bytes *piece)
{
    while (!p->done) {
        if (p->level == d->stage_count) {
            *piece = p->pending[p->level];
            leave(d, p);
            if (piece->n) return true;
            continue;
        }
        bytes out = stage_step(d, p, p->level);
        if (is_over_limit(d, p)) {
            note(d, DECODE_LIMIT);
            d->stopped = p->done = true;
        } else if (out.n) {
            p->pending[++p->level] = out;
        } else {
            leave(d, p);
        }
    }
    return false;
}

void decoding_gap(struct decoding *d, struct decoders *p)
{
    for (unsigned i = 0; i < d->stage_count && !d->stopped; i++) {
        uint8_t state = stage_at(d, p, i)->state;
        if (state == STAGE_PASSING) continue;
        if (state > STAGE_DECODING) return;
        note(d, DECODE_GAP);
        d->stopped = true;
    }
}

void decoding_end(struct decoding *d, struct decoders *p)
{
    for (unsigned i = 0; i < d->stage_count; i++)
        if (stage_at(d, p, i)->state == STAGE_DECODING) note(d, DECODE_CUT);
}
