#include "record/id.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/hash.h"

enum { ID_SIZE = 16 };

static void put_be32(struct buf *b, uint32_t v)
{
    uint32_t wire = __builtin_bswap32(v);
    buf_put(b, bytes_of(&wire, sizeof wire));
}

static void put_be64(struct buf *b, uint64_t v)
{
    uint64_t wire = __builtin_bswap64(v);
    buf_put(b, bytes_of(&wire, sizeof wire));
}

static struct record_id id_of_digest(nanos time, const uint8_t digest[SHA256_SIZE])
{
    struct reader r = reader_of(bytes_of(digest, SHA256_SIZE));
    // Times before 1970 come from broken clocks; there is nothing to order among them.
    return (struct record_id){time < 0 ? 0 : (uint64_t)(time / NANOS_PER_MICRO), read_be64(&r)};
}

struct record_id record_id_of(nanos time, bytes what)
{
    uint8_t digest[SHA256_SIZE];
    sha256_of(what, digest);
    return id_of_digest(time, digest);
}

struct record_id record_id_under(uint64_t parent, const char *kind, unsigned side,
                                 uint64_t position, uint32_t ordinal, nanos time)
{
    uint8_t memory[sizeof parent], place[1 + sizeof position + sizeof ordinal];
    struct buf before = buf_on(memory, sizeof memory), after = buf_on(place, sizeof place);
    put_be64(&before, parent);
    buf_u8(&after, (uint8_t)side);
    put_be64(&after, position);
    put_be32(&after, ordinal);

    struct sha256 h;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&h);
    sha256_add(&h, buf_bytes(&before));
    sha256_add(&h, bytes_of(kind, strlen(kind) + 1)); // its terminator parts it from what follows
    sha256_add(&h, buf_bytes(&after));
    sha256_end(&h, digest);
    return id_of_digest(time, digest);
}

void record_id_format(char text[RECORD_ID_TEXT_SIZE], struct record_id id)
{
    uint8_t memory[ID_SIZE];
    struct buf b = buf_on(memory, sizeof memory);
    put_be64(&b, id.time_us);
    put_be64(&b, id.hash);
    hex_format(text, buf_bytes(&b));
}

bool record_id_parse(bytes text, struct record_id *id)
{
    uint8_t memory[ID_SIZE];
    if (!hex_parse(text, memory, sizeof memory)) return false;
    struct reader r = reader_of(bytes_of(memory, sizeof memory));
    id->time_us = read_be64(&r);
    id->hash = read_be64(&r);
    return true;
}

int record_id_order(const void *a, const void *b)
{
    return record_id_compare(*(const struct record_id *)a, *(const struct record_id *)b);
}
