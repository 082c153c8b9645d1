#include "store/thrift.h"

#include <assert.h>

#include "base/buf.h"

enum {
    TYPE_TRUE = 1,
    TYPE_FALSE = 2,
    TYPE_LONG = 6,
    TYPE_LIST = 9,
    LIST_SHORT = 15,
    DELTA_MAX = 15
};

static void put_byte(struct thrift *t, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    text_put(&t->out, bytes_of(&byte, 1));
}

static void put_varint(struct thrift *t, uint64_t v)
{
    uint8_t memory[10];
    struct buf b = buf_on(memory, sizeof memory);
    buf_varint(&b, v);
    text_put(&t->out, buf_bytes(&b));
}

static void put_zigzag(struct thrift *t, int64_t v)
{
    put_varint(t, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

// Numbers of fields never lie further apart here than the short form reaches.
static void put_field(struct thrift *t, uint8_t field, unsigned type)
{
    uint8_t *last = &t->last[t->depth];
    assert(field > *last && field - *last <= DELTA_MAX);
    put_byte(t, (unsigned)(field - *last) << 4 | type);
    *last = field;
}

void thrift_int(struct thrift *t, uint8_t field, int32_t v)
{
    put_field(t, field, THRIFT_INT);
    put_zigzag(t, v);
}

void thrift_long(struct thrift *t, uint8_t field, int64_t v)
{
    put_field(t, field, TYPE_LONG);
    put_zigzag(t, v);
}

void thrift_bool(struct thrift *t, uint8_t field, bool v)
{
    put_field(t, field, v ? TYPE_TRUE : TYPE_FALSE);
}

void thrift_bytes(struct thrift *t, uint8_t field, bytes v)
{
    put_field(t, field, THRIFT_BYTES);
    thrift_element_bytes(t, v);
}

void thrift_begin(struct thrift *t, uint8_t field)
{
    put_field(t, field, THRIFT_STRUCT);
    thrift_element_begin(t);
}

void thrift_end(struct thrift *t)
{
    put_byte(t, 0);
    if (t->depth) t->depth--;
    else t->last[0] = 0;
}

void thrift_list(struct thrift *t, uint8_t field, enum thrift_type type, size_t count)
{
    put_field(t, field, TYPE_LIST);
    if (count < LIST_SHORT) put_byte(t, (unsigned)count << 4 | type);
    else {
        put_byte(t, 0xf0u | type);
        put_varint(t, count);
    }
}

void thrift_element_int(struct thrift *t, int32_t v)
{
    put_zigzag(t, v);
}

void thrift_element_bytes(struct thrift *t, bytes v)
{
    put_varint(t, v.n);
    text_put(&t->out, v);
}

void thrift_element_begin(struct thrift *t)
{
    assert(t->depth + 1 < sizeof t->last);
    t->last[++t->depth] = 0;
}
