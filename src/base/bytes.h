// Borrowed bytes, and the one cursor through which untrusted bytes are read.
//
// A `bytes` is a view: whoever made it says how long it is valid. A `reader` walks a view and
// cannot leave it: a short read sets `bad`, gives zero, and every later read gives zero as well. So
// parsers are straight lines with one check of `bad` at their end. Numbers are in host order once
// they are read.
//
// Thread: plain values, no shared state.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *p;
    size_t n;
} bytes;

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static inline bytes bytes_of(const void *p, size_t n)
{
    return (bytes){p, n};
}

// The bytes of a C string, without its terminator.
static inline bytes bytes_text(const char *text)
{
    return (bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(bytes a, bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

// Equal but for the case of ASCII letters.
static inline bool bytes_equal_nocase(bytes a, bytes b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        uint8_t x = a.p[i], y = b.p[i];
        if (x >= 'A' && x <= 'Z') x = (uint8_t)(x + 32);
        if (y >= 'A' && y <= 'Z') y = (uint8_t)(y + 32);
        if (x != y) return false;
    }
    return true;
}

static inline bool bytes_start_with(bytes b, const char *prefix)
{
    size_t n = strlen(prefix);
    return b.n >= n && memcmp(b.p, prefix, n) == 0;
}

// The view without its first n bytes; empty when it is shorter.
static inline bytes bytes_after(bytes b, size_t n)
{
    return n >= b.n ? (bytes){b.p ? b.p + b.n : NULL, 0} : (bytes){b.p + n, b.n - n};
}

static inline bytes bytes_first(bytes b, size_t n)
{
    return (bytes){b.p, n < b.n ? n : b.n};
}

// Where `byte` first stands in `b`, or b.n.
static inline size_t bytes_find(bytes b, uint8_t byte)
{
    const uint8_t *hit = b.n ? memchr(b.p, byte, b.n) : NULL;
    return hit ? (size_t)(hit - b.p) : b.n;
}

static inline struct reader reader_of(bytes b)
{
    // Adding even nothing to NULL is undefined: an empty view gets a place of its own.
    const uint8_t *at = b.p ? b.p : (const uint8_t *)"";
    return (struct reader){at, at + b.n, false};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

// Everything that is left, without consuming it.
static inline bytes reader_rest(const struct reader *r)
{
    return (bytes){r->at, reader_left(r)};
}

// The next n bytes as a view of the same memory; empty and bad when there are fewer.
static inline bytes read_bytes(struct reader *r, size_t n)
{
    if (n > reader_left(r)) {
        r->bad = true;
        r->at = r->end;
        return (bytes){r->end, 0};
    }
    bytes b = {r->at, n};
    r->at += n;
    return b;
}

// A reader of the next n bytes, which cannot leave them.
static inline struct reader read_sub(struct reader *r, size_t n)
{
    struct reader sub = reader_of(read_bytes(r, n));
    sub.bad = r->bad;
    return sub;
}

static inline uint8_t read_u8(struct reader *r)
{
    bytes b = read_bytes(r, 1);
    return b.n ? b.p[0] : 0;
}

static inline uint16_t read_be16(struct reader *r)
{
    bytes b = read_bytes(r, 2);
    return b.n ? (uint16_t)(b.p[0] << 8 | b.p[1]) : 0;
}

static inline uint32_t read_be24(struct reader *r)
{
    bytes b = read_bytes(r, 3);
    return b.n ? (uint32_t)b.p[0] << 16 | (uint32_t)b.p[1] << 8 | b.p[2] : 0;
}

static inline uint32_t read_be32(struct reader *r)
{
    bytes b = read_bytes(r, 4);
    uint32_t v = 0;
    if (b.n) memcpy(&v, b.p, 4);
    return __builtin_bswap32(v);
}

static inline uint64_t read_be64(struct reader *r)
{
    bytes b = read_bytes(r, 8);
    uint64_t v = 0;
    if (b.n) memcpy(&v, b.p, 8);
    return __builtin_bswap64(v);
}

static inline uint16_t read_le16(struct reader *r)
{
    return __builtin_bswap16(read_be16(r));
}

static inline uint32_t read_le32(struct reader *r)
{
    return __builtin_bswap32(read_be32(r));
}

static inline uint64_t read_le64(struct reader *r)
{
    return __builtin_bswap64(read_be64(r));
}
