// Packets built byte by byte for the tests of decode/, and the sums that must always hold.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "base/buf.h"
#include "base/memory.h"
#include "decode/decode.h"

struct trial {
    struct decoder *decoder;
    struct packet_batch *batch;
};

struct frame {
    uint8_t bytes[2048];
    size_t n;
};

static inline struct trial trial_create(void)
{
    struct trial t = {memory_get(sizeof(struct decoder)), packet_batch_create()};
    decoder_init(t.decoder);
    return t;
}

static inline void trial_destroy(struct trial *t)
{
    decoder_deinit(t->decoder);
    packet_batch_destroy(t->batch);
    memory_free(t->decoder);
}

static inline void frame_put(struct frame *f, const void *p, size_t n)
{
    assert_true(n <= sizeof f->bytes - f->n);
    memcpy(f->bytes + f->n, p, n);
    f->n += n;
}

static inline void frame_be(struct frame *f, uint64_t v, size_t n)
{
    for (size_t i = n; i-- > 0;) frame_put(f, &(uint8_t){(uint8_t)(v >> 8 * i)}, 1);
}

static inline void frame_fill(struct frame *f, uint8_t byte, size_t n)
{
    for (size_t i = 0; i < n; i++) frame_put(f, &byte, 1);
}

// Hexadecimal digits, blanks between them as you like.
static inline void frame_hex(struct frame *f, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned v = 0, have = 0;
    for (; *hex; hex++) {
        const char *digit = strchr(digits, *hex);
        if (!digit) continue;
        v = v << 4 | (unsigned)(digit - digits);
        if (++have % 2 == 0) frame_be(f, v & 0xff, 1);
    }
}

static inline void frame_ethernet(struct frame *f, uint16_t type)
{
    frame_hex(f, "020000000001 020000000002");
    frame_be(f, type, 2);
}

static inline void frame_ipv4(struct frame *f, uint32_t src, uint32_t dst, uint8_t proto,
                              size_t payload)
{
    frame_be(f, 0x4500, 2);
    frame_be(f, 20 + payload, 2);
    frame_hex(f, "1234 0000 40");
    frame_be(f, proto, 1);
    frame_be(f, 0, 2);
    frame_be(f, src, 4);
    frame_be(f, dst, 4);
}

// From 2001:db8::SRC to 2001:db8::DST.
static inline void frame_ipv6(struct frame *f, uint16_t src, uint16_t dst, uint8_t next,
                              size_t payload)
{
    frame_be(f, 0x60000000, 4);
    frame_be(f, payload, 2);
    frame_be(f, next, 1);
    frame_be(f, 64, 1);
    frame_be(f, UINT64_C(0x20010db800000000), 8), frame_be(f, src, 8);
    frame_be(f, UINT64_C(0x20010db800000000), 8), frame_be(f, dst, 8);
}

static inline void frame_udp(struct frame *f, uint16_t src, uint16_t dst, size_t payload)
{
    frame_be(f, src, 2), frame_be(f, dst, 2), frame_be(f, 8 + payload, 2), frame_be(f, 0, 2);
    frame_fill(f, 'u', payload);
}

static inline void frame_tcp(struct frame *f, uint16_t src, uint16_t dst, uint8_t flags,
                             size_t payload)
{
    frame_be(f, src, 2), frame_be(f, dst, 2);
    frame_be(f, 0x01020304, 4), frame_be(f, 0x05060708, 4);
    frame_be(f, 0x50, 1), frame_be(f, flags, 1);
    frame_be(f, 0x2000, 2), frame_be(f, 0, 2), frame_be(f, 7, 2);
    frame_fill(f, 't', payload);
}

static inline void trial_check_sums(const struct trial *t)
{
    const struct decoder *d = t->decoder;
    uint64_t classes = 0, by_class[PACKET_CLASSES] = {0};
    for (unsigned c = 0; c < PACKET_CLASSES; c++) classes += d->classes[c];
    for (unsigned r = 0; r < REASON_COUNT; r++) by_class[decode_reason_class(r)] += d->reasons[r];
    assert_int_equal(d->packets + d->more, classes);
    for (unsigned c = 0; c < PACKET_CLASSES; c++) assert_int_equal(d->classes[c], by_class[c]);
}

// What any packet must look like behind the decoder.
static inline void packet_check(const struct packet *p)
{
    assert_int_equal(p->class_, decode_reason_class(p->reason));
    if (p->class_ != PACKET_IP) return;
    assert_true(p->network_offset < p->captured);
    assert_true(p->transport_offset > p->network_offset && p->transport_offset <= p->captured);
    assert_true(p->payload_captured <= p->payload_length);
    if (p->payload_captured) assert_true(p->payload_offset + p->payload_captured <= p->captured);
    if (p->tcp_options_length) assert_true(p->payload_offset <= p->captured);
    if (p->is_fragment) assert_true(p->payload_length == 0 && !p->has_transport);
    assert_true(p->pieces >= 1 && (!p->frame_count || p->frames));
    assert_int_equal(p->shard, p->hash & 0xff);
}

// Decodes the first `captured` bytes of the frame, of which `length` were on the wire.
static inline const struct packet *trial_decode(struct trial *t, uint16_t link_type,
                                                const struct frame *f, size_t captured,
                                                size_t length)
{
    struct packet *p = &t->batch->packets[0];
    uint8_t *copy = memory_get(captured ? captured : 1); // so that a sanitizer sees the end
    memcpy(copy, f->bytes, captured);
    memset(p, 0xa5, sizeof *p);
    p->data = copy;
    p->captured = (uint32_t)captured;
    p->length = (uint32_t)length;
    p->link_type = link_type;
    p->time = 0;
    t->batch->count = 1;
    decode_batch(t->decoder, t->batch);
    memory_free(copy);
    p->data = f->bytes;
    packet_check(p);
    trial_check_sums(t);
    return p;
}

static inline const struct packet *trial_decode_all(struct trial *t, uint16_t link_type,
                                                    const struct frame *f)
{
    return trial_decode(t, link_type, f, f->n, f->n);
}
