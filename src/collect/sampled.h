// Beginnings of packets, as sFlow and IPFIX (RFC 5477 section 8.5) tell them, through the decoder
// of captured packets: what is told of one is its innermost conversation.
//
// One collector, one thread. The decoder is made when it is first needed.
#pragma once

#include "base/bytes.h"
#include "base/time.h"
#include "record/batch.h"

// The link types that exporters tell of.
enum { LINK_ETHERNET = 1, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_RAW_IP = 101 };

struct decoder;
struct packet_batch;

struct sampled {
    struct decoder *decoder;
    struct packet_batch *packets;
};

struct sampled_packet {
    bytes header;
    uint32_t length; // of the whole packet; 0: not known
    uint16_t link_type;
    nanos time;
};

void sampled_deinit(struct sampled *s);
// Fills the columns that a packet can tell of a row of `flow`; without IP the length alone.
void sampled_put(struct sampled *s, struct record_batch *b, const struct sampled_packet *sample);
