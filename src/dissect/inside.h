// The inside of the dissect stage: what one conversation's dissection consists of. Not for other
// folders, nor for dissectors.
#pragma once

#include "dissect/driver.h"

enum { COMMON_ROOM = 256, ANOMALY_ROW_SIZE = 2048, ANOMALIES_MAX = 64, WAITS_MAX = 4 };

// A row that waits, in one block: what struct row tells, with no more room than it takes.
struct held {
    struct held *next;
    const struct record_kind *kind;
    uint64_t position;
    nanos ts;
    uint64_t list_fields;
    uint32_t ordinal;
    uint32_t size;  // of data
    uint8_t number; // its handle
    uint8_t side;
    bool truncated, full;
    uint8_t data[]; // a count of 16 bits for each field in list_fields, then the entries
};

// Bodies that are open, by their number less one.
struct open_bodies {
    uint32_t count;
    struct {
        uint32_t handle; // of the body hooks; 0: free
        struct body_start start;
        uint64_t end; // of what was seen of it, or is known to be missing
    } at[BODIES_OPEN_MAX];
};

enum { FLAWS_MAX = 20 };

// Bytes of a conversation that are missing, or have two readings. When there are too many, the two
// that are nearest to one another become one: what lies between counts as flawed too.
struct flaws {
    uint32_t count;
    struct flaw {
        uint64_t from, to;
        uint8_t side; // of the key
        uint8_t what; // enum dissect_flaw
    } at[FLAWS_MAX];
};

// One of each for every conversation with payload: kept small. What most of them lack lies in
// blocks.
struct dissect {
    struct dissect_stage *stage;
    struct conversation *conversation;
    const struct dissector *dissector; // NULL while nothing was recognised
    void *state;                       // a block of state_size bytes
    struct held *held;                 // rows that wait, in no order
    struct open_bodies *bodies;        // a block while bodies are open, else NULL
    struct flaws *flaws;               // a block when there are any
    uint64_t failed;                   // bit per dissector that said it is not its own
    uint64_t held_numbers;             // bit per number of `held` that is taken, from 1
    union {
        uint64_t datagram_bytes[2];    // UDP: payload bytes so far, which give positions
        uint16_t waited[2][WAITS_MAX]; // TCP: bytes of each side at which more was wanted,
                                       // ascending, 0 behind the last
    };
    uint32_t held_bytes;
    uint16_t state_size;
    uint8_t first_side; // side of the key that dissectors call 0
    uint8_t tries[2];   // looks at each side that told nothing
    uint8_t anomalies;  // told so far, at most ANOMALIES_MAX
    bool accepted;      // the dissector has taken something
    bool switched;      // to what `switch_to` of the stage names
};

struct dissect_stage {
    struct pool pool; // struct dissect
    uint32_t away;    // dissections that have a place, and are not in it
    struct blocks *blocks;
    struct record_writer *writer;
    struct body_hooks bodies;
    struct dissect_budget budget;
    struct streams *streams;
    struct dissect_counters counters;
    nanos datagram_time;
    bytes shown; // to the dissector at hand, and where they stand
    uint64_t shown_at;
    uint64_t lost_at;      // the gap that the dissector at hand is told of
    const char *switch_to; // of the dissection at hand
    struct row row, file_row;
    uint8_t row_memory[ROW_SIZE_MAX];
    uint8_t file_memory[ROW_SIZE_MAX];
    uint8_t anomaly_memory[ANOMALY_ROW_SIZE];
};

// services.c: blocks that are charged to who began the conversation.
void *dissect_block_take(struct dissect *d, size_t n); // NULL: told, or the lane has none
void dissect_block_give(struct dissect *d, void *block, size_t n);
// services.c: lets go of the state, the held rows and the bodies.
void dissect_forget(struct dissect *d);

// Emits a row that waited, which lies in `held`, as it is.
void dissect_emit_held(struct dissect *d, const struct held *held);
// Of what was taken before by dissect_block_take, and went another way.
void dissect_block_forget(struct dissect *d, size_t n);

// flaws.c
void flaws_note(struct dissect *d, uint8_t side, uint64_t from, uint64_t to,
                enum dissect_flaw what);
// Flags a row, whose sides are src and dst, where it was made of such bytes.
void flaws_flag(const struct dissect *d, struct row *row);
void flaws_give(struct dissect *d);
