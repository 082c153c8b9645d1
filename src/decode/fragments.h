// Joins fragments of IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5) into datagrams.
//
// Pieces come in any order and any number of times. Policy `first`: of bytes that came twice the
// first to come are taken, and so is the first end that was told; what lies beyond it is not. Where
// readings disagree the datagram is marked and the other reading told by the decoder's hook,
// AMBIGUITIES_MAX times a datagram. A datagram is whole when all its bytes were sent; what the snap
// length cut off is not there, and what follows that is not shown. A piece that holds all (RFC
// 6946) never comes here. A piece with more to come is taken up to a multiple of 8 bytes, as hosts
// do; one that is then empty, or ends beyond 65,535 bytes, is refused and counted.
//
// A datagram is given up 30 s (IPv4) or 60 s (IPv6) after its first piece, by the watermark or by
// the time of that piece, where the watermark has come to believe it since; as the
// oldest of its sender when that holds more than its share, and as the oldest of all when all hold
// more than the budget. One that was joined is remembered until then, so that pieces which come
// again are known; a piece that was not among them begins a new one.
//
// All of it depends on the order of packets alone. Belongs to one decoder; no locks.
#pragma once

#include "decode/layer.h"

enum {
    FRAGMENT_DATAGRAMS_MAX = 16384,
    FRAGMENT_FRAMES_MAX = 2048, // of one datagram
    FRAGMENT_SOURCE_BYTES_MAX = 4 * 1024 * 1024,
    FRAGMENT_BYTES_MAX = 64 * 1024 * 1024,
    FRAGMENT_CHAIN_MAX = 64, // of equal hash
    AMBIGUITIES_MAX = 4,
};
#define FRAGMENT_TIMEOUT_V4 (30 * NANOS_PER_SECOND)
#define FRAGMENT_TIMEOUT_V6 (60 * NANOS_PER_SECOND)
#define NANOS_NEVER INT64_MAX

struct fragment {
    uint32_t identification, offset;
    bool more;
    uint8_t proto; // of what the datagram holds, as this piece says
    bytes header;  // the IP header
};

// walk.r begins with the bytes of the piece, and addresses, scope and family are set. LAYER_NEXT
// when the datagram is whole: it follows, in memory of its own that the batch keeps.
enum layer_result walk_fragment(struct walk *w, const struct fragment *f);

// The packet at hand is decoded: what it was joined from is counted as it is.
void fragments_settle(struct walk *w);
// Gives up what is due, and tells when the next is.
void fragments_expire(struct decoder *d, nanos watermark);
void fragments_end(struct decoder *d);
void fragments_destroy(struct fragments *f); // NULL is fine
