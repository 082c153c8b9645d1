#include "collect/sampled.h"

#include "base/memory.h"
#include "base/mac.h"
#include "collect/flows.h"
#include "decode/decode.h"
#include "flow/flow_kind.h"

enum { ETHERNET_HEADER = 14, VLAN_MASK = 0x0fff };
enum { TYPE_VLAN = 0x8100, TYPE_SERVICE_VLAN = 0x88a8 };

void sampled_deinit(struct sampled *s)
{
    if (s->decoder) decoder_deinit(s->decoder);
    memory_free(s->decoder);
    if (s->packets) packet_batch_destroy(s->packets);
}

static void put_conversation(struct record_batch *b, const struct packet *p)
{
    const struct conversation_key *k = &p->key;
    struct address src = p->side ? k->b : k->a, dst = p->side ? k->a : k->b;
    batch_words(b, FLOW_SRC_ADDR, src.hi, src.lo);
    batch_words(b, FLOW_DST_ADDR, dst.hi, dst.lo);
    batch_word(b, FLOW_SRC_PORT, p->side ? k->port_b : k->port_a);
    batch_word(b, FLOW_DST_PORT, p->side ? k->port_a : k->port_b);
    batch_word(b, FLOW_PROTO, k->proto);
    batch_word(b, FLOW_TOS, p->tos);
    batch_word(b, FLOW_BYTES, p->ip_length);
    if (p->has_transport) batch_word(b, FLOW_TCP_FLAGS, p->tcp_flags);
}

// Hardware addresses and the outer VLAN; what the exporter told beside stays.
static void put_ethernet(struct record_batch *b, bytes header)
{
    struct reader r = reader_of(header);
    bytes dst = read_bytes(&r, MAC_SIZE), src = read_bytes(&r, MAC_SIZE);
    uint16_t type = read_be16(&r), tag = read_be16(&r);
    if (header.n < ETHERNET_HEADER) return;
    if (!batch_has(b, FLOW_SRC_MAC, b->rows)) batch_word(b, FLOW_SRC_MAC, mac_of(src.p));
    if (!batch_has(b, FLOW_DST_MAC, b->rows)) batch_word(b, FLOW_DST_MAC, mac_of(dst.p));
    bool is_tagged = !r.bad && (type == TYPE_VLAN || type == TYPE_SERVICE_VLAN);
    if (is_tagged && !batch_has(b, FLOW_VLAN, b->rows)) batch_word(b, FLOW_VLAN, tag & VLAN_MASK);
}

void sampled_put(struct sampled *s, struct record_batch *b, const struct sampled_packet *sample)
{
    if (!s->decoder) {
        s->decoder = memory_get(sizeof *s->decoder);
        decoder_init(s->decoder);
        s->packets = packet_batch_create();
    }
    uint32_t captured = (uint32_t)sample->header.n;
    s->packets->count = 1;
    s->packets->packets[0] =
        (struct packet){.data = sample->header.p,
                        .captured = captured,
                        .length = sample->length > captured ? sample->length : captured,
                        .time = sample->time,
                        .link_type = sample->link_type};
    decode_batch(s->decoder, s->packets);
    if (s->packets->packets[0].class_ == PACKET_IP) put_conversation(b, &s->packets->packets[0]);
    else if (sample->length) batch_word(b, FLOW_BYTES, sample->length);
    packet_batch_clear(s->packets);
    if (sample->link_type == LINK_ETHERNET) put_ethernet(b, sample->header);
}
