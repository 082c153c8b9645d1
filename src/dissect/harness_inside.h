// What the two halves of the harness share: harness.c offers the services of dissect.h,
// harness_feed.c plays the stages.
#pragma once

#include "base/text.h"
#include "dissect/harness.h"
#include "record/batch.h"

enum {
    KINDS_MAX = 4,
    LINES_MAX = 4096,
    BODIES_MAX = 1024,
    SEGMENTS_MAX = 1 << 16,
    CUTS_MAX = 4096,
};

struct segment {
    uint64_t position;
    nanos time;
};

struct direction {
    struct text unread;
    uint64_t position;   // of the first unread byte
    uint64_t shown_from; // of the first byte in the view or datagram last shown
    uint64_t skip;       // bytes that will not be shown
    size_t want;
    struct segment *segments; // since when which bytes are there
    size_t segment_count;
    bool ended, closed, stopped;
};

struct held {
    struct row row; // its buf lies in memory of its own
    bool used;
};

struct body {
    struct text data;
    uint32_t handle;  // 0: closed
    struct text line; // what is told when it closes
};

struct line {
    char *text;
    char **values; // by field number; NULL for what is no record
    const struct record_kind *kind;
};

struct dissect {
    const struct dissector *dissector;
    enum transport transport;
    uint16_t ports[2];
    nanos now;
    struct direction directions[2];
    uint8_t *state;
    size_t state_size;
    bool turned; // by dissect_client_is: side 1 is src
    bool emitted, not_mine, switched, ended;

    struct row row;
    uint8_t row_memory[ROW_SIZE_MAX];
    uint32_t ordinal;
    struct record_batch *batches[KINDS_MAX];
    struct held held[DISSECT_HELD_MAX];
    struct body *bodies;
    size_t body_count;

    struct line *lines;
    size_t line_count;
    struct text joined;
};

struct harness {
    struct dissect d;
};

// Tells that a body was left open.
void harness_body_left(struct dissect *d, struct body *body);
