// What passed on its way to store and sinks, for metrics: records by kind, flows by exporter, what
// was lost by stage, reason and place, what dissectors could not read.
//
// Bounded: TALLY_PLACES_MAX of each; what is beyond is counted together, under the name "other".
// Whoever owns it locks it.
#pragma once

#include "engine/catalogue.h"
#include "record/batch.h"

enum { TALLY_PLACES_MAX = 256, TALLY_WORD_MAX = 48 };

struct tally_exporter {
    struct address address;
    uint64_t flows;
};

struct tally_loss {
    char stage[TALLY_WORD_MAX], reason[TALLY_WORD_MAX], point[TALLY_WORD_MAX];
    char interface[TALLY_WORD_MAX];
    uint64_t packets, bytes, count;
};

struct tally_anomaly {
    char protocol[TALLY_WORD_MAX], name[TALLY_WORD_MAX];
    uint64_t count;
};

struct tally {
    uint64_t records[CATALOGUE_MAX]; // by place in the catalogue
    struct tally_exporter exporters[TALLY_PLACES_MAX];
    struct tally_loss losses[TALLY_PLACES_MAX];
    struct tally_anomaly anomalies[TALLY_PLACES_MAX];
    uint32_t exporter_count, loss_count, anomaly_count, exporter_last;
    uint64_t other_flows, other_anomalies;
    struct tally_loss other_loss;
};

void tally_take(struct tally *t, const struct record_batch *batch);
