// What a source tells of the captures it reads to whoever keeps them, and what it is given to read
// them again: their bytes, and where their packets lie in these.
//
// Bytes of a capture are those of its file once decompressed; offsets count in them.
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"

// ---- where packets lie --------------------------------------------------------------------------

enum {
    CAPTURE_POINT_DISTANCE = 256 * 1024, // bytes from one point to the next, at least
    CAPTURE_POINTS_MAX = 16 * 1024 * 1024,
    CAPTURE_DESCRIPTIONS_MAX = 1024 * 1024,
};

// A place between two packets from which reading can go on: the ordinal of the packet that comes
// next, and what the format must know of those before.
struct capture_point {
    uint64_t ordinal, offset, state;
};

// Ordinals and offsets rise. A capture with more points or descriptions than there may be has a map
// of its first part only: the rest is read without. Zeroed, it is an empty one.
struct capture_map {
    struct capture_point *points;
    uint64_t *descriptions; // offsets of blocks that later packets need (pcapng: sections,
                            // interfaces)
    uint32_t point_count, point_room, description_count, description_room;
    bool full;
};

void capture_map_deinit(struct capture_map *m);
void capture_map_add(struct capture_map *m, struct capture_point point);
void capture_map_describe(struct capture_map *m, uint64_t offset);
// The last point whose ordinal is not above this; NULL when there is none.
const struct capture_point *capture_map_find(const struct capture_map *m, uint64_t ordinal);

// The number of the first description at this offset or behind; description_count when there is
// none.
uint32_t capture_map_description(const struct capture_map *m, uint64_t offset);

// As bytes (docs/formats/case.md); false when they are none, which leaves an empty map.
void capture_map_put(const struct capture_map *m, struct text *to);
bool capture_map_read(struct capture_map *m, struct reader *r);

// ---- keeping captures ---------------------------------------------------------------------------

// A capture that was read to its end. Borrowed for the call.
struct capture_end {
    const struct capture_map *map;
    uint64_t bytes;
    uint8_t sha256[SHA256_SIZE]; // of these bytes
    nanos first, last;           // times of its packets; first > last when it has none
};

// Who keeps captures, or where packets lie in them. It never fails towards the source: what went
// wrong is noted, and the reading is then not committed.
struct capture_sink {
    void *context;
    bool keep; // all of them; those that can be read only once are kept anyway

    // A capture begins; the handle for the other calls. The reading thread, like `end`.
    void *(*begin)(void *context, uint32_t number, bool keep);
    // The next bytes of one that is kept; borrowed for the call. One thread, beside the reading.
    void (*add)(void *capture, bytes content);
    // After the last bytes. A capture that is not read to its end never comes here.
    void (*end)(void *capture, const struct capture_end *end);
};

// ---- reading them again -------------------------------------------------------------------------

// The bytes of a capture that is kept somewhere.
struct capture_content {
    void *context;
    // Up to `size` bytes from `offset` on; 0 at the end, -1 after it has set `err`.
    ssize_t (*read)(struct capture_content *c, uint64_t offset, uint8_t *to, size_t size);
    struct err err;
};
