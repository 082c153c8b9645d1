// DER (ITU-T X.690) as a cursor: one element at a time, each a view that cannot leave its parent.
// No recursion and no memory; whoever knows the structure enters it level by level. What is not DER
// (indefinite lengths, tag numbers above 30, lengths above four bytes) makes the reader bad.
#pragma once

#include "base/bytes.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_NUMERIC_STRING = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,             // [n], primitive: add n
    DER_CONTEXT_CONSTRUCTED = 0xa0, // [n], constructed: add n
};

struct der {
    uint8_t tag;
    bytes body;
    bytes whole; // with its tag and length
};

static inline void der_fail(struct reader *r)
{
    r->at = r->end;
    r->bad = true;
}

static inline size_t der_length(struct reader *r)
{
    size_t length = read_u8(r);
    if (length < 0x80) return length;
    size_t count = length & 0x7f;
    if (count == 0 || count > 4) der_fail(r);
    length = 0;
    for (size_t i = 0; i < count && !r->bad; i++) length = length << 8 | read_u8(r);
    return length;
}

// The next element, whatever it is.
static inline struct der der_next(struct reader *r)
{
    bytes from = reader_rest(r);
    struct der e = {.tag = read_u8(r)};
    if ((e.tag & 0x1f) == 0x1f) der_fail(r);
    e.body = read_bytes(r, der_length(r));
    e.whole = bytes_first(from, from.n - reader_left(r));
    if (r->bad) e = (struct der){0};
    return e;
}

// The next element, which must have this tag.
static inline bytes der_expect(struct reader *r, uint8_t tag)
{
    struct der e = der_next(r);
    if (e.tag != tag) der_fail(r);
    return e.body;
}

// A reader of what is in the next element, which must have this tag; bad when the outer one is.
static inline struct reader der_enter(struct reader *r, uint8_t tag)
{
    struct reader inner = reader_of(der_expect(r, tag));
    if (r->bad) der_fail(&inner);
    return inner;
}

static inline bool der_at(const struct reader *r, uint8_t tag)
{
    struct reader look = *r;
    return reader_left(r) > 0 && read_u8(&look) == tag;
}
