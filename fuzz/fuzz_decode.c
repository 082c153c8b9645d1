// Any bytes as one packet: the first two choose the link type, the rest is captured. The sums must
// hold all the same.
#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "decode/decode.h"
#include "record/community_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct decoder *d, const struct packet *p)
{
    uint64_t sum = 0;
    for (unsigned c = 0; c < PACKET_CLASSES; c++) sum += d->classes[c];
    assert(sum == d->packets + d->more);
    assert(p->class_ == decode_reason_class(p->reason));
    if (p->class_ != PACKET_IP) return;
    assert(p->network_offset < p->transport_offset && p->transport_offset <= p->captured);
    assert(p->payload_captured <= p->payload_length);
    assert(!p->payload_captured || p->payload_offset + p->payload_captured <= p->captured);
    char id[COMMUNITY_ID_SIZE];
    community_id_of(&p->key, 0, id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder decoder;
    static struct packet_batch batch;
    if (!decode_layer_count() || size > UINT16_MAX) return 0;
    if (!decoder.packets) decoder_init(&decoder);
    struct reader r = reader_of(bytes_of(data, size));
    uint16_t link_type = read_be16(&r);
    bytes captured = reader_rest(&r);
    if (r.bad) return 0;
    // As much again may have been cut off, so that both answers to a short header are tried.
    uint32_t length = (uint32_t)captured.n * (1 + (link_type >> 15));
    batch.count = 1;
    batch.packets[0] = (struct packet){.data = captured.p,
                                       .captured = (uint32_t)captured.n,
                                       .length = length,
                                       .link_type = link_type & 0x7fff};
    decode_batch(&decoder, &batch);
    check(&decoder, &batch.packets[0]);
    for (uint32_t i = 0; i < batch.more_count; i++) check(&decoder, &batch.more[i].packet);
    packet_batch_clear(&batch);
    decoder_end(&decoder); // so that inputs do not depend on each other
    assert(!decoder.classes[PACKET_HELD]);
    return 0;
}
