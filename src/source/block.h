// The block reader: bytes of a file in reference-counted buffers, so that packets can point into
// them.
//
// read() of 256 kB at a time cost less than half the CPU of mmap when measured, and a file that
// shrinks is a short read instead of a signal. A record that does not end within its buffer is
// carried over to the next one. Compressed files are read the same way, decompressed into the
// buffers. Nothing is held but the buffer at hand, a few spare ones and the compressed bytes that
// come next.
//
// One thread; who hashes or keeps the same bytes beside it does so in its own, and buffers are not
// used again while it does.
#pragma once

#include "base/decompress.h"
#include "base/err.h"
#include "base/hash.h"
#include "record/capture.h"
#include "record/packet.h"
#include "source/aside.h"

enum {
    BLOCK_READ_SIZE = 256 * 1024,
    BLOCK_CARRY_ROOM = 64 * 1024, // carrying over a record up to this size costs no memory
    BLOCK_SPARES = 32,
    BLOCK_READ_SIZE_SHARED = 32 * 1024, // the same when several files are read at once
    BLOCK_CARRY_ROOM_SHARED = 16 * 1024,
    BLOCK_SPARES_SHARED = 2,
    BLOCK_RECORD_MAX = 17 * 1024 * 1024, // no record may need more contiguous bytes
};

struct block_reader {
    struct packet_buffer *buffer; // bytes from at to end are unread
    uint32_t at, end;
    uint32_t read_size;
    bool waits;              // see block_input
    bool ended;              // nothing comes after what is in the buffer
    bool cut;                // the compressed data ends before its end
    uint64_t stored_bytes;   // read so far, as stored
    uint64_t unusable_bytes; // stored bytes that belong to no compressed data, or are broken
    uint64_t end_offset;     // where `end` is in the data
    int error_number;        // of the read that failed, or 0; `content` tells more

    int fd;                          // -1: reads `content` or `memory`
    struct capture_content *content; // or NULL
    bytes memory;                    // what is left of it
    struct decompressor *decompressor;
    struct packet_buffer *stored; // holds stored_left
    bytes stored_left;
    struct packet_buffer *spares[BLOCK_SPARES];
    unsigned spare_turn;
    struct aside *hasher; // NULL: not hashed
    struct aside_job hash_job;
    struct sha256 hash; // of what is stored
    struct aside *tap;  // NULL: nobody else is given the data
    struct aside_job tap_job;
};

// Where a capture is: one of the three. `content` and `memory` are borrowed, `fd` is taken.
struct block_input {
    int fd; // -1: none
    struct capture_content *content;
    bytes memory;
    bool waits; // reading `content` waits for what is not there yet
};

// Begins to read. Finds out about compression by content. `hasher` is borrowed, and may be NULL.
// False when the first read fails: see error_number.
bool block_init(struct block_reader *r, const struct block_input *input, struct aside *hasher,
                enum compression *compression);
void block_deinit(struct block_reader *r);

// Reads what is left and is of no use, so that size and hash are those of the whole file.
void block_drain(struct block_reader *r);
// The hash of all that was read; waits for it. False when there is no hasher. Once, at the end.
bool block_hash(struct block_reader *r, uint8_t digest[SHA256_SIZE]);
// Gives all of the data, decompressed, to `take` in the thread `aside`. At the beginning, before
// anything is skipped.
void block_tap(struct block_reader *r, struct aside *aside, void (*take)(void *, bytes),
               void *context);
void block_tap_wait(struct block_reader *r); // until all that was read was given
// Goes on at another place of the data, which must not be compressed, and no `memory`.
void block_seek(struct block_reader *r, uint64_t offset);

bool block_need_more(struct block_reader *r, size_t n);

// Whether n bytes (at most BLOCK_RECORD_MAX) lie contiguous from here. False at the end of the
// data. May move them: views taken before are not valid any more.
static inline bool block_need(struct block_reader *r, size_t n)
{
    return r->end - r->at >= n || block_need_more(r, n);
}

// What is there without reading; valid until the next block_need.
static inline bytes block_view(const struct block_reader *r)
{
    return (bytes){r->buffer->data + r->at, r->end - r->at};
}

// Where the view begins in the data.
static inline uint64_t block_offset(const struct block_reader *r)
{
    return r->end_offset - (r->end - r->at);
}

// Whether asking for more would wait: then what was made is passed on first.
static inline bool block_would_wait(const struct block_reader *r)
{
    return r->waits && r->at == r->end;
}

// Consumes n bytes of the view.
static inline void block_skip(struct block_reader *r, size_t n)
{
    r->at += (uint32_t)n;
}
