// The inside of the reader of nfdump's files. Not for other folders.
#pragma once

#include "collect/nfdump.h"

enum { NFDUMP_EXPORTERS_MAX = 4096 };

struct nfdump_exporter {
    struct address address;
    uint32_t domain;
};

struct nfdump {
    const struct nfdump_options *options;
    struct nfdump_counts *counts;
    struct flow_rows rows;
    struct nfdump_exporter exporters[NFDUMP_EXPORTERS_MAX];
    nanos created;         // the file
    nanos first, last;     // of all flows so far
    nanos event, received; // of the record at hand; 0: not told
};

// A record behind its header; false when it is broken.
bool nfdump_flow(struct nfdump *f, struct reader r);
