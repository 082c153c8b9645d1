// The inside of the dissect stage: what one conversation's dissection consists of. Not for other
// folders, nor for dissectors.
#pragma once

#include "dissect/driver.h"

enum { COMMON_ROOM = 256, ANOMALY_ROW_SIZE = 2048, ANOMALIES_MAX = 64, WAITS_MAX = 4 };

// A row that waits, in one block.
struct held {
    struct row row;
    uint32_t size;
    uint8_t data[];
};

// Bodies that are open, by their number less one.
struct open_bodies {
    uint32_t count;
    struct {
        uint32_t handle; // of the body hooks; 0: free
        struct body_start start;
    } at[BODIES_OPEN_MAX];
};

// Most conversations hold nothing and have no bodies: what is for those lies in blocks.
struct dissect {
    struct dissect_stage *stage;
    struct conversation *conversation;
    const struct dissector *dissector; // NULL while nothing was recognised
    void *state;
    uint64_t failed;               // bit per dissector that said it is not its own
    uint8_t first_side;            // side of the key that dissectors call 0
    uint8_t tries[2];              // looks at each side that told nothing
    uint16_t waited[2][WAITS_MAX]; // bytes of each side at which more was wanted, ascending, 0
                                   // behind the last
    uint8_t anomalies;             // told so far, at most ANOMALIES_MAX
    bool accepted;                 // the dissector has taken something
    bool switched;
    uint8_t held_size, held_count; // slots of `held`, and how many are taken
    uint32_t held_bytes;
    const char *switch_to;
    struct held **held;         // a block that grows with what is held; NULL until something is
    struct open_bodies *bodies; // a block while bodies are open, else NULL
    uint64_t datagram_bytes[2]; // UDP: payload bytes so far, which give positions
};

struct dissect_stage {
    struct pool pool; // struct dissect
    struct blocks *blocks;
    struct record_writer *writer;
    struct body_hooks bodies;
    struct streams *streams;
    struct dissect_counters counters;
    nanos datagram_time;
    struct row row, file_row;
    uint8_t row_memory[ROW_SIZE_MAX];
    uint8_t file_memory[ROW_SIZE_MAX];
    uint8_t anomaly_memory[ANOMALY_ROW_SIZE];
};

// services.c: lets go of the state, the held rows and the bodies.
void dissect_forget(struct dissect *d);
