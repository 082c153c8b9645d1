// Messages of the DNS built byte by byte, for the tests of its dissector.
#pragma once

#include "dissect/dns_message.h"
#include "dissect/dns_rdata.h"
#include "dissect/harness.h"

extern const struct dissector dns_dissector;

enum { QUERY = 0x0100, ANSWER = 0x8180, TYPE_MX = 15, TYPE_TXT = 16, TYPE_NS = 2, TYPE_CNAME = 5 };

struct message {
    struct buf buf;
    uint8_t memory[65540];
};

static inline void put16(struct message *m, unsigned v)
{
    buf_u8(&m->buf, (uint8_t)(v >> 8));
    buf_u8(&m->buf, (uint8_t)v);
}

static inline void header(struct message *m, unsigned id, unsigned flags, unsigned questions,
                          unsigned answers, unsigned authorities, unsigned additionals)
{
    m->buf = buf_on(m->memory, sizeof m->memory);
    put16(m, id);
    put16(m, flags);
    put16(m, questions);
    put16(m, answers);
    put16(m, authorities);
    put16(m, additionals);
}

// Labels with dots between them; "@" is a pointer to the first name.
static inline void put_name(struct message *m, const char *name)
{
    bytes rest = bytes_text(name);
    if (bytes_equal(rest, bytes_text("@"))) {
        put16(m, 0xc000 | DNS_HEADER_SIZE);
        return;
    }
    while (rest.n) {
        bytes label = bytes_first(rest, bytes_find(rest, '.'));
        buf_u8(&m->buf, (uint8_t)label.n);
        buf_put(&m->buf, label);
        rest = bytes_after(rest, label.n + 1);
    }
    buf_u8(&m->buf, 0);
}

static inline void question(struct message *m, const char *name, unsigned type, unsigned class_)
{
    put_name(m, name);
    put16(m, type);
    put16(m, class_);
}

static inline void record(struct message *m, const char *owner, unsigned type, unsigned class_,
                          uint32_t ttl, bytes data)
{
    put_name(m, owner);
    put16(m, type);
    put16(m, class_);
    put16(m, ttl >> 16);
    put16(m, ttl & 0xffff);
    put16(m, (unsigned)data.n);
    buf_put(&m->buf, data);
}

static inline void query_of(struct message *m, unsigned id, const char *name, unsigned type)
{
    header(m, id, QUERY, 1, 0, 0, 0);
    question(m, name, type, DNS_CLASS_IN);
}

static inline void address_answer(struct message *m, unsigned id, const char *name)
{
    header(m, id, ANSWER, 1, 1, 0, 0);
    question(m, name, DNS_TYPE_A, DNS_CLASS_IN);
    record(m, "@", DNS_TYPE_A, DNS_CLASS_IN, 300, bytes_of("\xc0\0\2\1", 4));
}
