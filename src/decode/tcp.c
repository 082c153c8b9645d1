// TCP, RFC 9293 section 3.1.
#include "decode/layer.h"

enum { TCP_SIZE_MIN = 20 };

static void tcp_fields(struct packet *p, struct reader h, uint8_t flags)
{
    read_bytes(&h, 4); // ports
    p->tcp_seq = read_be32(&h);
    p->tcp_ack = read_be32(&h);
    read_bytes(&h, 2); // header length and flags
    p->tcp_window = read_be16(&h);
    read_bytes(&h, 2); // checksum
    p->tcp_urgent = read_be16(&h);
    p->tcp_flags = flags;
    p->has_transport = true;
}

// Options that were cut are as if there were none; the payload begins behind them all the same.
static void tcp_payload(struct walk *w, size_t size)
{
    struct packet *p = w->packet;
    bool whole = reader_left(&w->r) >= size;
    p->tcp_options_length = whole ? (uint8_t)(size - TCP_SIZE_MIN) : 0;
    p->payload_offset = walk_offset(w) + (uint32_t)size;
    p->payload_captured = whole ? (uint32_t)(reader_left(&w->r) - size) : 0;
    p->payload_length = (uint32_t)(walk_sent_left(w) - size);
}

static enum layer_result tcp_step(struct walk *w)
{
    struct reader r = w->r;
    uint16_t src_port = read_be16(&r), dst_port = read_be16(&r);
    if (r.bad) return layer_short(w, 4);
    walk_conversation(w, src_port, dst_port, false);

    struct reader whole = w->r, h = read_sub(&whole, TCP_SIZE_MIN);
    if (h.bad) return layer_short_transport(w, TCP_SIZE_MIN);
    struct reader at_size = h;
    read_bytes(&at_size, 12);
    size_t size = (size_t)(read_u8(&at_size) >> 4) * 4;
    uint8_t flags = read_u8(&at_size);
    if (size < TCP_SIZE_MIN || size > walk_sent_left(w)) return layer_end(w, REASON_BAD_TRANSPORT);
    tcp_fields(w->packet, h, flags);
    tcp_payload(w, size);
    return layer_end(w, REASON_OK);
}

static const struct layer_key keys[] = {{SPACE_IP, IP_TCP}, {SPACE_END, 0}};
const struct layer tcp_layer = {.name = "tcp", .keys = keys, .step = tcp_step};
