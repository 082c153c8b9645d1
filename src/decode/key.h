// The ordered key of a conversation, so that both directions are equal.
//
// a:port_a is the lower (address, port), addresses compared as numbers, IPv4 below most of IPv6.
// The one exception are ICMP messages without a counterpart (an error, a redirect): they have no
// other direction, and Community ID takes their tuple as it is, so a is the sender there, port_a
// the type and port_b the code.
#pragma once

#include "record/packet.h"

// Sets `key` but for its scope; returns the side that sent: 0 for a, 1 for b.
static inline uint8_t key_order(struct conversation_key *key, struct address src, uint16_t src_port,
                                struct address dst, uint16_t dst_port, bool one_way)
{
    int order = one_way ? -1 : address_compare(src, dst);
    bool swap = order > 0 || (order == 0 && src_port > dst_port);
    key->a = swap ? dst : src;
    key->b = swap ? src : dst;
    key->port_a = swap ? dst_port : src_port;
    key->port_b = swap ? src_port : dst_port;
    return swap;
}
