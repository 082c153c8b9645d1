// Undoes the encodings of bodies: chains of gzip, deflate, br and zstd with limits on what may come
// out.
//
// A stage of a chain is fed in whole blocks of DECODE_BLOCK_SIZE, counted from its beginning, and
// with the rest at the end: what a codec gives before it finds its input broken depends on how it
// was fed, and results must not depend on how the bytes were cut into segments.
//
// The stages belong to a lane and are bounded; so is the memory of their codecs
// (base/decompress.h). Bodies share the lane's scratch: pieces are valid until the next call.
#pragma once

#include "base/bytes.h"
#include "base/decompress.h"
#include "base/memory.h"
#include "dissect/dissect.h"

enum { DECODE_BLOCK_SIZE = 2048, DECODE_SCRATCH_SIZE = 16384 };

// Decompressing a body stops when all its stages together gave this much, or more than so many
// times the encoded bytes. DEFLATE cannot give more than 1032 times its input, so the ratio stops
// nested bombs, and the total the others.
#define DECODED_MAX (UINT64_C(1) << 30)
// Codecs whose window may grow to DECOMPRESS_WINDOW_MAX or more: so many a lane, so that a sender
// of many open bodies takes some hundred MB at most. Others take 40 kB each.
enum { DECODERS_LARGE_MAX = 64 };
enum { DECODED_RATIO_MAX = 1100, DECODED_RATIO_FREE = 1 << 20 };

enum decode_fault {
    DECODE_FINE,
    DECODE_NOT_ENCODED, // the declared encoding is not there; bytes were taken as they are
    DECODE_BROKEN,      // from some place on it is not that encoding
    DECODE_CUT,         // the body ended before the encoding did
    DECODE_GAP,         // bytes are missing; nothing behind the gap can be decoded
    DECODE_LIMIT,       // more came out than may
    DECODE_BUSY,        // the lane had no stage left; the bytes were taken as they are
    DECODE_FAULT_COUNT,
};

// One body's chain. Zeroed is a chain without stages: bytes pass as they are.
struct decoding {
    uint32_t stages[BODY_CODINGS_MAX]; // in decoders.stages, the first to be undone first
    uint8_t stage_count;
    uint8_t fault;           // enum decode_fault, the first that occurred
    bool stopped;            // nothing more comes out
    uint64_t taken_bytes;    // by the first stage
    uint64_t output_bytes;   // of all stages
    uint64_t trailing_bytes; // behind the ends of the encodings
};

// Of one lane: the stages, and the state of the one body that is being fed.
struct decoders {
    struct pool stages;
    uint32_t large; // stages in use of DECODERS_LARGE_MAX
    uint8_t *scratch;
    uint64_t decoded_max;
    bytes pending[BODY_CODINGS_MAX + 1]; // what each stage has still to take in
    bytes block[BODY_CODINGS_MAX];       // what its codec has not taken of the block at hand
    bool more[BODY_CODINGS_MAX];         // the codec has output that did not fit
    unsigned level, floor;
    bool done, ending;
};

bool decoders_init(struct decoders *p, uint32_t stages_max, uint64_t decoded_max, struct err *err);
void decoders_deinit(struct decoders *p);

void decoding_init(struct decoding *d, struct decoders *p, const enum body_coding *applied,
                   unsigned count);
void decoding_deinit(struct decoding *d, struct decoders *p);

// Gives the next encoded bytes, which must stay until decoding_next has said that there is nothing
// more. `ending`: they are the last, or the last before a gap.
void decoding_feed(struct decoding *d, struct decoders *p, bytes encoded, bool ending);
// The next piece of decoded bytes; false when everything that was fed is decoded.
bool decoding_next(struct decoding *d, struct decoders *p, bytes *piece);
// After the last piece before a gap: nothing behind it comes out, unless the encoding is over or
// was not there.
void decoding_gap(struct decoding *d, struct decoders *p);
// After the last piece: notes when an encoding did not come to its end.
void decoding_end(struct decoding *d, struct decoders *p);

const char *decode_fault_name(enum decode_fault fault);
const char *body_coding_name(enum body_coding coding);
