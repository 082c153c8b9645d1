// From a packet to its innermost conversation: the dispatcher's first step.
//
// A decoder peels layer after layer (decode/layer.h), fills the lower half of each packet, and
// counts. Every packet ends in one class and for one reason (decode/reasons.h): packets in = IP +
// not IP + undecodable + unknown link type, always.
//
// What a length field of IP says is what was sent: padding of the link is not payload, and bytes
// that the snap length cut off are payload that was sent and is not there. A header that is not
// whole makes a packet undecodable, except that a packet whose ports can be read belongs to its
// conversation (has_transport then tells whether there is more). Fragments have the key of their
// datagram with ports 0, and no payload. Checksums are not verified here.
//
// Thread: one decoder belongs to one dispatcher. Nothing allocates, nothing blocks, no call reads
// the clock.
#pragma once

#include "decode/reasons.h"
#include "decode/watermark.h"

enum { DECODE_LAYERS_MAX = 128, LAYER_SPACES = 4, LAYER_NUMBERS = 65536 };

struct decoder {
    uint64_t packets;
    uint64_t classes[PACKET_UNKNOWN_LINK + 1]; // packets by enum packet_class
    uint64_t reasons[REASON_COUNT];            // packets by enum decode_reason
    uint64_t layers[DECODE_LAYERS_MAX];        // headers by layer; one may come more than once
    struct watermark watermark;

    // Which layer a number names in each space of enum layer_space, 0 for none. Constant after
    // decoder_init.
    uint8_t layer_of[LAYER_SPACES][LAYER_NUMBERS];
};

// The caller's storage (some 256 kB, of which a few lines are ever touched); nothing to deinit.
void decoder_init(struct decoder *d);

// Fills the lower half and the watermark of all packets of the batch. The upper half must be set by
// the source.
void decode_batch(struct decoder *d, struct packet_batch *batch);

// Layers are numbered from 1 in the order of the list in meson.build; index of decoder.layers.
unsigned decode_layer_count(void);
const char *decode_layer_name(unsigned layer); // NULL beyond the last
