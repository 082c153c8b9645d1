// A bounded writer with the manners of the reader: when the room is used up it becomes `full`, and
// stays so.
//
// `buf_on` writes into the caller's memory. The counterpart that grows is base/text_builder (struct
// text).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct buf {
    uint8_t *p;
    size_t n, size;
    bool full;
};

static inline struct buf buf_on(void *p, size_t size)
{
    return (struct buf){p, 0, size, false};
}

static inline bytes buf_bytes(const struct buf *b)
{
    return (bytes){b->p, b->n};
}

static inline void buf_put(struct buf *b, bytes add)
{
    if (b->full || add.n > b->size - b->n) {
        b->full = true;
        return;
    }
    if (add.n) memcpy(b->p + b->n, add.p, add.n);
    b->n += add.n;
}

static inline void buf_u8(struct buf *b, uint8_t v)
{
    buf_put(b, bytes_of(&v, 1));
}

static inline void buf_text(struct buf *b, const char *text)
{
    buf_put(b, bytes_text(text));
}

// LEB128: seven bits a byte, least significant first.
static inline void buf_varint(struct buf *b, uint64_t v)
{
    while (v >= 0x80) {
        buf_u8(b, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    buf_u8(b, (uint8_t)v);
}

static inline uint64_t read_varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t c = read_u8(r);
        v |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80)) return v;
    }
    r->bad = true;
    return 0;
}
