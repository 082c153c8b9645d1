// Where something that was looked for stands: what `weir search` prints.
//
// The record kind `match` is never stored. Matches own what they point to and are kept in the order
// in which they are shown: streams by conversation, direction and position, then artifacts.
#pragma once

#include "base/address.h"
#include "base/hash.h"
#include "base/time.h"
#include "record/id.h"
#include "record/row.h"

enum { MATCH_SHOWN_MAX = 64, MATCH_BESIDE_MAX = 32, MATCH_FILES_MAX = 8 };

struct match_frame {
    const char *path; // of its capture; kept by whoever made the match
    uint64_t number;  // from 1
};

struct match {
    bool in_artifact;
    uint64_t position, length; // in the stream of its direction, or in the artifact
    // What is there, up to a bound, and what stands beside it.
    uint8_t shown[MATCH_SHOWN_MAX], before[MATCH_BESIDE_MAX], behind[MATCH_BESIDE_MAX];
    uint8_t shown_count, before_count, behind_count;
    // In a stream.
    struct record_id conversation;
    nanos time;
    uint8_t side; // of the conversation's key
    bool from_src;
    bool more_frames; // than are named
    struct match_frame *frames;
    uint32_t frame_count;
    struct address a, src_addr, dst_addr; // a: of the key
    uint16_t port_a, src_port, dst_port;
    uint64_t proto;
    // In an artifact.
    uint8_t sha256[SHA256_SIZE];
    struct record_id files[MATCH_FILES_MAX]; // `file` records that name it
    uint32_t file_count;                     // all of them
};

// The best matches, in their order, and how many there were. Zeroed is empty but for `limit`.
struct match_list {
    struct match *matches;
    size_t count, room;
    size_t limit;
    uint64_t total;
};

// Takes the match and what it owns. Beyond the limit the last in order are dropped.
void match_list_add(struct match_list *l, const struct match *match);
void match_list_order(struct match_list *l); // to be called before they are looked at
void match_list_deinit(struct match_list *l);

extern const struct record_kind match_kind;
// Fills a row that row_init has begun for match_kind.
void match_row(const struct match *m, struct row *row);
