// Runs a case through the engine, packet by packet, and compares what comes out with the truth.
#pragma once

#include "truth.h"

enum { WRONG_TEXT_MAX = 400 };

struct trial {
    char wrong[WRONG_TEXT_MAX]; // the first difference; empty when there is none
    uint64_t digest;            // of all records and deliveries, whatever their order
};

// One lane, then, if asked, the same shards dealt to 2 and 4 lanes, which must tell the same.
bool trial_run(struct trial *trial, struct truth *truth, bool many_lanes);
