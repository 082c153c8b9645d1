// Whether what follows can be what a tunnel's header announces: asked before a datagram is taken
// for a tunnel, since a port alone proves nothing.
//
// `r` stands in the bytes of walk.r. All answers are no when the header in question is cut.
#pragma once

#include "decode/layer.h"

enum { ETHERNET_SIZE = 14 };

// Bytes that were sent from r on.
static inline uint64_t sent_from(const struct walk *w, const struct reader *r)
{
    uint64_t offset = (uint64_t)(r->at - w->packet->data);
    return offset < w->sent_end ? w->sent_end - offset : 0;
}

// An IP header with a length that fits in what was sent. `exact`: the length is all that was sent.
bool plausible_ipv4(const struct walk *w, struct reader r, bool exact);
bool plausible_ipv6(const struct walk *w, struct reader r, bool exact);
bool plausible_ip(const struct walk *w, struct reader r, bool exact);

// The same, and the checksum of an IPv4 header is right: for where nothing else tells.
bool certain_ip(const struct walk *w, struct reader r, bool exact);

// A frame whose type or length is one that is seen on Ethernet.
bool plausible_ethernet(const struct walk *w, struct reader r);
// The same, and what it announces is certainly there.
bool certain_ethernet(const struct walk *w, struct reader r);

// A PPP protocol field, with or without address and control bytes (RFC 1661 section 2).
bool plausible_ppp(struct reader r);

// The ethertype of an IP datagram by its first bits, or 0.
static inline uint16_t ip_ethertype(struct reader r)
{
    uint8_t version = read_u8(&r) >> 4;
    if (r.bad) return 0;
    return version == 4 ? ETHERTYPE_IPV4 : version == 6 ? ETHERTYPE_IPV6 : 0;
}

// It is no tunnel: the packet is what the layers outside made of it.
static inline enum layer_result layer_no_tunnel(struct walk *w)
{
    return layer_end(w, REASON_OK);
}
