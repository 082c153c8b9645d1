// Finds a needle in streams as their pieces come: over the bounds of segments, never over a gap.
//
// What was found does not depend on how a stream was cut into pieces. Of each direction (a track)
// only the bytes are held that a match still needs, or that are shown beside it. Matches do not
// overlap: behind one the search goes on.
//
// A match that would be longer than FINDER_SPAN may be cut to that, or found to begin later; one
// for which more bytes had to be held than there is room for (FINDER_HELD_MAX, of all tracks) may
// be missed where the room ended, and is counted in `cut`. One thread.
#pragma once

#include "base/memory.h"
#include "base/time.h"
#include "filter/needle.h"
#include "record/packet.h"

enum {
    FINDER_SPAN = 32768, // longest match that is found for certain
    FINDER_WINDOW = 2 * FINDER_SPAN,
    FINDER_CONTEXT = 32,    // bytes shown before and behind a match
    FINDER_FRAMES_MAX = 32, // of one match
    FINDER_TRACKS_MAX = 8 * 1024 * 1024,
};
#define FINDER_HELD_MAX (UINT64_C(512) << 20)

// Borrowed during the call.
struct found {
    uint64_t position; // of its first byte in its direction
    bytes text, before, behind;
    nanos time;                        // of the packet that brought its first byte
    const struct packet_frame *frames; // in which its bytes came
    uint32_t frame_count;
    bool more_frames; // than FINDER_FRAMES_MAX
};

// Contiguous bytes, as they were delivered.
struct finder_piece {
    bytes data;
    uint64_t position;
    nanos time;
    const struct packet_frame *frames; // that brought them
    uint32_t frame_count;
};

struct finder {
    struct needle *needle;
    void *context;
    void (*take)(void *context, const struct found *found);
    uint64_t given_up; // places at which the needle was given up at a limit
    uint64_t cut;      // places at which there was no room to hold more
    // Inside.
    struct blocks blocks;
    struct pool tracks;
    uint8_t *subject; // of the call at hand
};

// Keeps the needle and the context. False and err on failure.
bool finder_init(struct finder *f, struct needle *needle, void *context,
                 void (*take)(void *context, const struct found *found), struct err *err);
void finder_deinit(struct finder *f);

// A new track; 0 when there are FINDER_TRACKS_MAX, and then nothing may be added to it.
uint32_t finder_open(struct finder *f);
// A piece that does not follow the one before begins anew behind a gap.
void finder_add(struct finder *f, uint32_t track, const struct finder_piece *piece);
// Nothing follows what was added: a datagram, or what lies before a gap, ends here.
void finder_end(struct finder *f, uint32_t track);
void finder_close(struct finder *f, uint32_t track); // ends it, too
