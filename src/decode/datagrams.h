// The datagrams that are not whole yet, and those that just were: found by key, given up oldest
// first, charged to their senders (decode/fragments.h).
#pragma once

#include "base/memory.h"
#include "decode/fragments.h"

enum {
    DATAGRAM_UNITS = 8192, // of 8 bytes
    DATAGRAM_HEADER_MAX = 60,
    DATAGRAM_BUCKETS = 16384,
};

struct datagram_key {
    struct address src, dst;
    uint64_t scope;
    uint32_t identification;
    uint16_t proto; // IPv4; IPv6 knows it from the first piece only
    uint16_t is_v6;
};

// A frame of a datagram: one a piece, and those that a piece was itself joined from.
struct datagram_frame {
    struct packet_frame frame;
    uint32_t check;          // hash of the bytes
    uint16_t offset, length; // length 0: not a piece
    bool is_last;
};

struct datagram {
    struct datagram_key key;
    uint64_t serial;       // order of coming; 0 when the slot is free
    nanos begun, begun_at; // time and watermark of its first piece
    uint32_t chain_next;
    uint32_t older, newer;       // of the same family
    uint32_t older_of, newer_of; // of the same source
    uint32_t source;
    bool is_joined;
    bool has_conversation; // joined: the rest of the line is set
    uint8_t side;
    struct conversation_key conversation;

    uint8_t *image; // covered[], then the payload
    uint32_t image_size;
    uint32_t end, total; // highest end so far; where it ends, 0 until known
    uint32_t units;      // covered
    uint32_t cut_from;   // bytes from here on are not all there
    struct datagram_frame *frames;
    uint32_t frames_size;
    uint16_t frame_count, piece_count;
    uint16_t shared_count; // of the frames, as struct packet has it
    uint32_t ip_length;    // of all pieces
    uint8_t ambiguities, proto, tos, ttl;
    uint8_t header_size; // 0 until the first piece
    uint8_t header[DATAGRAM_HEADER_MAX];
};

struct datagram_source {
    struct address address;
    uint64_t bytes;
    uint32_t chain_next, oldest, newest;
};

struct datagram_name { // of one that may be gone
    uint32_t index;
    uint64_t serial;
};

struct fragments {
    struct pool datagrams, sources;
    struct blocks blocks;
    uint32_t oldest[2], newest[2]; // by family
    uint64_t serial;
    uint64_t bytes;                               // charged
    struct datagram_name joined[LAYERS_DEEP_MAX]; // by the packet at hand
    uint32_t datagram_chains[DATAGRAM_BUCKETS], source_chains[DATAGRAM_BUCKETS];
};

struct fragments *fragments_create(void); // NULL when the machine has no room

static inline struct datagram *datagram_at(const struct fragments *f, uint32_t index)
{
    return pool_at(&f->datagrams, index);
}

uint32_t datagram_find(const struct fragments *f, const struct datagram_key *key); // 0: none
// 0 when there is no room for another; makes room by giving up old ones.
uint32_t datagram_add(struct decoder *d, const struct datagram_key *key, const struct packet *p);
bool datagram_is_due(const struct datagram *g, nanos watermark);
// Counts its frames, if they are held, as given up for `reason`, and forgets it.
void datagram_drop(struct decoder *d, uint32_t index, enum decode_reason reason);
// Memory of at least `size` bytes with the first `used` bytes of `old`; charged to the sender, who
// may lose older datagrams for it. NULL when this one alone is too large.
void *datagram_resize(struct decoder *d, uint32_t index, void *old, uint32_t *size, uint32_t used,
                      uint32_t wanted);
// Keeps that the packet at hand is a piece of it, with the frames that it was itself joined from;
// their names are filled in. False when there is no room.
bool datagram_note(struct decoder *d, uint32_t index, const struct packet *p,
                   struct datagram_frame frame);
// Takes that back, so that the packet at hand is not counted as one that was held.
void datagram_forget(struct datagram *g, const struct packet *p);
// Both parts and, behind them, the frames it came from but for the last.
struct packet_buffer *datagram_buffer(const struct datagram *g, bytes header, bytes payload,
                                      const struct packet_frame **frames);
// Gives up its bytes and keeps what is needed to know its pieces.
void datagram_empty(struct fragments *f, struct datagram *g);
