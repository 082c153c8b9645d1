// The block reader: bytes of a file in reference-counted buffers, so that packets can point into
// them.
//
// read() of 256 kB at a time cost less than half the CPU of mmap when measured, and a file that
// shrinks is a short read instead of a signal. A record that does not end within its buffer is
// carried over to the next one. Compressed files are read the same way, decompressed into the
// buffers. Nothing is held but the buffer at hand, a few spare ones and the compressed bytes that
// come next.
//
// One thread; the hasher reads the same bytes in its own, and buffers are not used again while it
// does.
#pragma once

#include "base/decompress.h"
#include "base/err.h"
#include "record/packet.h"
#include "source/hasher.h"

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
    bool ended;              // nothing comes after what is in the buffer
    bool cut;                // the compressed data ends before its end
    uint64_t stored_bytes;   // read so far, as stored
    uint64_t unusable_bytes; // stored bytes that belong to no compressed data, or are broken
    int error_number;        // of the read that failed, or 0

    int fd;       // -1: reads `memory`
    bytes memory; // what is left of it
    struct decompressor *decompressor;
    struct packet_buffer *stored; // holds stored_left
    bytes stored_left;
    struct packet_buffer *spares[BLOCK_SPARES];
    unsigned spare_turn;
    struct hasher *hasher; // NULL: not hashed
    struct hash_job hash;
};

// Begins to read `fd`, which it takes, or `memory`, which it borrows, when fd is -1. Finds out
// about compression by content. `hasher` is borrowed, and may be NULL. False when the first read
// fails: see error_number.
bool block_init(struct block_reader *r, int fd, bytes memory, struct hasher *hasher,
                enum compression *compression);
void block_deinit(struct block_reader *r);

// Reads what is left and is of no use, so that size and hash are those of the whole file.
void block_drain(struct block_reader *r);
// The hash of all that was read; waits for it. False when there is no hasher. Once, at the end.
bool block_hash(struct block_reader *r, uint8_t digest[SHA256_SIZE]);

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

// Consumes n bytes of the view.
static inline void block_skip(struct block_reader *r, size_t n)
{
    r->at += (uint32_t)n;
}
