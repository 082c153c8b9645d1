// Any bytes as a message of a topic: a packet lies in it or it is none, and what is written of that
// packet is the same packet.
#include <assert.h>
#include <stdlib.h>

#include "record/packet_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct packet_message *m)
{
    struct packet p = {.captured = (uint32_t)m->data.n,
                       .length = m->length,
                       .time = m->time,
                       .link_type = m->link_type};
    struct packet_message again;
    uint8_t *value = malloc(PACKET_MESSAGE_HEAD + m->data.n);
    if (!value) abort();
    packet_message_head(&p, value);
    memcpy(value + PACKET_MESSAGE_HEAD, m->data.p, m->data.n);
    bytes all = bytes_of(value, PACKET_MESSAGE_HEAD + m->data.n);
    bool is_in_range = m->time / NANOS_PER_SECOND <= UINT32_MAX;
    assert(packet_message_read(PACKET_FORM_PCAP, 0, bytes_of(NULL, 0), all, &again));
    assert(!is_in_range || again.time == m->time);
    assert(again.length == m->length && bytes_equal(again.data, m->data));
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    bytes rest = bytes_of(data + 2, size - 2);
    size_t key_size = data[0] % 16;
    bytes key = bytes_first(rest, key_size), value = bytes_after(rest, key_size);
    struct packet_message m;
    if (!packet_message_read(data[1] % 3, 1, key, value, &m)) return 0;
    assert(m.data.n && m.data.p >= value.p && m.data.p + m.data.n <= value.p + value.n);
    write_again(&m);
    return 0;
}
