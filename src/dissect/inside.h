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
    } at[BODIES_OPEN_MAX];
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
    struct blocks *blocks;
    struct record_writer *writer;
    struct body_hooks bodies;
    struct streams *streams;
    struct dissect_counters counters;
    nanos datagram_time;
    const char *switch_to; // of the dissection at hand
    struct row row, file_row;
    uint8_t row_memory[ROW_SIZE_MAX];
    uint8_t file_memory[ROW_SIZE_MAX];
    uint8_t anomaly_memory[ANOMALY_ROW_SIZE];
};

// services.c: lets go of the state, the held rows and the bodies.
void dissect_forget(struct dissect *d);
