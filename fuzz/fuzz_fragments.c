// Any bytes as a sequence of fragments of few senders and datagrams: each piece takes six bytes of
// what to be, and its content from them. The sums must hold, and at the end nothing is held.
#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "decode/datagrams.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 20, PIECE_MAX = 256, LINK_IPV4 = 228 };

static void check(const struct decoder *d, const struct packet_batch *batch)
{
    uint64_t sum = 0;
    for (unsigned c = 0; c < PACKET_CLASSES; c++) sum += d->classes[c];
    assert(sum == d->packets + d->more);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->packets[i];
        if (p->class_ != PACKET_IP) continue;
        assert(p->payload_captured <= p->payload_length);
        assert(!p->payload_captured || p->payload_offset + p->payload_captured <= p->captured);
        for (uint32_t k = 0; k < p->frame_count; k++) assert(p->frames[k].ordinal < p->ordinal);
    }
}

// From the fuzzer's bytes: who, which datagram, protocol, offset and flags, length, time.
static bool piece(struct reader *r, struct packet *p, uint8_t *frame, nanos *time)
{
    uint8_t who = read_u8(r), flags = read_u8(r);
    uint16_t offset = read_be16(r);
    uint8_t length = read_u8(r), later = read_u8(r);
    if (r->bad) return false;
    size_t total = HEADER + length;
    uint32_t field = (offset & 0x1fffu) >> (flags & 8 ? 0 : 7) | (flags & 1 ? 0x2000u : 0);
    const uint8_t header[HEADER] = {0x45,
                                    0,
                                    (uint8_t)(total >> 8),
                                    (uint8_t)total,
                                    0,
                                    (uint8_t)(who >> 6),
                                    (uint8_t)(field >> 8),
                                    (uint8_t)field,
                                    64,
                                    flags & 2 ? 4 : 17,
                                    0,
                                    0,
                                    10,
                                    0,
                                    0,
                                    who & 3,
                                    10,
                                    0,
                                    0,
                                    9};
    memcpy(frame, header, HEADER);
    for (unsigned i = 0; i < length; i++)
        frame[HEADER + i] = flags & 4 ? (uint8_t)i : (uint8_t)(who + i);
    if (flags & 16 && length >= HEADER) memcpy(frame + HEADER, header, HEADER);
    *time += (nanos)later * NANOS_PER_SECOND / 4;
    *p = (struct packet){.data = frame,
                         .captured = (uint32_t)total,
                         .length = (uint32_t)total,
                         .link_type = LINK_IPV4,
                         .time = *time};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t frames[PACKETS_MAX][HEADER + PIECE_MAX];
    struct decoder *d = memory_get(sizeof *d);
    struct packet_batch *batch = packet_batch_create();
    decoder_init(d);
    struct reader r = reader_of(bytes_of(data, size));
    nanos time = 0;
    for (uint64_t ordinal = 0; reader_left(&r); ordinal++) {
        struct packet *p = &batch->packets[batch->count];
        if (!piece(&r, p, frames[batch->count], &time)) break;
        p->ordinal = ordinal;
        if (++batch->count < 1 + ordinal % 7) continue;
        decode_batch(d, batch);
        check(d, batch);
        packet_batch_clear(batch);
    }
    decode_batch(d, batch);
    check(d, batch);
    decoder_end(d);
    assert(!d->classes[PACKET_HELD]);
    assert(!d->fragments || (!d->fragments->bytes && !d->fragments->datagrams.used));
    decoder_deinit(d);
    packet_batch_destroy(batch);
    memory_free(d);
    return 0;
}
