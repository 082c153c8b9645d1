// A set of frames: which packets of which captures, as a bit each.
//
// Takes memory where frames are (a chunk for each 65,536 ordinals of a capture that has any), so a
// few of a large capture cost little and all of it an eighth of a byte more than the captures have
// packets. Thread: one.
#pragma once

#include "record/packet.h"

enum { FRAMES_CAPTURES_MAX = 65536 };
#define FRAMES_ORDINAL_MAX (UINT64_C(1) << 36) // packets of one capture

struct frames_of_capture {
    uint64_t **chunks;
    size_t chunk_count;
};

struct frames {
    struct frames_of_capture *captures;
    uint32_t capture_count; // above the greatest that has a frame
    uint64_t count;
};

void frames_deinit(struct frames *f); // a zeroed one is empty

// False when the name is none that a capture can have.
bool frames_add(struct frames *f, struct packet_frame frame);
bool frames_has(const struct frames *f, struct packet_frame frame);
// The first frame of the capture from `*ordinal` on; false when there is none.
bool frames_next(const struct frames *f, uint32_t capture, uint64_t *ordinal);
