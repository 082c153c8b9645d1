// From a packet to its innermost conversation: the dispatcher's first step.
//
// A decoder peels layer after layer (decode/layer.h), fills the lower half of each packet, and
// counts. Every packet ends in one class and for one reason (decode/reasons.h): packets in = IP +
// not IP + undecodable + unknown link type, always.
//
// What a length field of IP says is what was sent: padding of the link is not payload, and bytes
// that the snap length cut off are payload that was sent and is not there. A header that is not
// whole makes a packet undecodable, except that a packet whose ports can be read belongs to its
// conversation (has_transport then tells whether there is more). Checksums are not verified here.
//
// Fragments are held until their datagram is whole (decode/fragments.h); then the packet that
// completed it is the datagram, and tells by frames and pieces what it was joined from. So packets
// in = IP packets with the frames they were joined from + not IP + undecodable + unknown link type
// + held, always; behind decoder_end none is held.
//
// A frame may hold several packets, as an aggregate of IEEE 802.11 does. The first is in its place
// in the batch, the others behind it among batch->more; they count as packets in, too.
//
// A packet inside a tunnel belongs to the conversation inside. Those that carry it, outermost
// first, are told by the hook `carried`. When what is inside is not IP, or broken, the packet
// belongs to the innermost conversation that could be told. Identifiers outside of a tunnel (the
// VLANs of the carrier) do not tell the conversations inside apart, so that they meet whoever
// carried them; those of the tunnel do, if they are the same in both directions.
//
// Thread: one decoder belongs to one dispatcher. Nothing blocks, no call reads the clock; memory
// is taken when the first fragment comes, once.
#pragma once

#include "decode/reasons.h"
#include "decode/tunnels.h"
#include "decode/watermark.h"

enum { DECODE_LAYERS_MAX = 128, LAYER_SPACES = 6, LAYER_NUMBERS = 65536, CARRIERS_MAX = 12 };

// Two fragments of one datagram that disagree. The first to come was taken (decode/fragments.h).
enum { AMBIGUITY_BYTES_MAX = 64 };
struct fragment_ambiguity {
    struct address src, dst;
    uint64_t scope;
    uint32_t proto, identification;
    uint32_t offset, length; // in the datagram's payload; where both readings are bytes
    bool is_length;          // they disagree on where the datagram ends
    bytes taken, other;      // the first bytes of both readings, at most AMBIGUITY_BYTES_MAX
    nanos time;
    struct packet_frame frame; // that brought the other reading
};

// Called by decode_batch; what they are given is valid for the call. Either may be NULL.
struct decode_hooks {
    void *context;
    // `p` is done but for its parent; carriers[0] is the outermost packet around it, and its key,
    // hash and `carries` are set.
    void (*carried)(void *context, struct packet *p, const struct packet *carriers, unsigned n);
    void (*ambiguous)(void *context, const struct fragment_ambiguity *a);
};

struct fragments;
struct branch;

struct decoder {
    uint64_t packets;
    uint64_t more;                      // packets behind the first of their frame
    uint64_t classes[PACKET_CLASSES];   // packets by enum packet_class
    uint64_t reasons[REASON_COUNT];     // packets by enum decode_reason
    uint64_t layers[DECODE_LAYERS_MAX]; // headers by layer; one may come more than once
    struct watermark watermark;
    struct decode_hooks hooks; // set by the owner, if at all, behind decoder_init

    nanos fragments_due;         // watermark at which a held datagram is given up; NANOS_NEVER
    struct fragments *fragments; // NULL until the first fragment
    struct packet carriers[CARRIERS_MAX]; // of the packet at hand
    struct branch *branches;              // NULL until a frame holds several packets
    unsigned branch_count, joined_count;  // of the frame at hand

    // Which layer a number names in each space of enum layer_space, 0 for none. Constant after
    // decoder_init.
    uint8_t layer_of[LAYER_SPACES][LAYER_NUMBERS];
};

// The caller's storage (some 400 kB, of which a few lines are ever touched).
void decoder_init(struct decoder *d);
void decoder_deinit(struct decoder *d);

// Fills the lower half and the watermark of all packets of the batch. The upper half must be set by
// the source. The batch keeps what datagrams were joined in.
void decode_batch(struct decoder *d, struct packet_batch *batch);
// There are no more packets: gives up the fragments that are held.
void decoder_end(struct decoder *d);

// Layers are numbered from 1 in the order of the list in meson.build; index of decoder.layers.
unsigned decode_layer_count(void);
const char *decode_layer_name(unsigned layer); // NULL beyond the last
