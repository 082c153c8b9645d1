// Files of nfdump 1.7 (layout 2), as nfcapd writes them, to rows of `flow`.
//
// Blocks may be packed by LZO, bzip2, LZ4 or zstd. What a file tells has zero where nothing was
// told, so zeros of fields that need not be there are left out. One call a file, one thread.
#pragma once

#include "base/err.h"
#include "collect/flows.h"

// What of a file made no record: a word, its unit, what it means.
// clang-format off
#define NFDUMP_LOSSES(X) \
    X(cut_file, "blocks", "Blocks that the file ends before, or within") \
    X(bad_block, "blocks", "Blocks that cannot be unpacked, or with records of no length") \
    X(bad_record, "records", "Records that go beyond their size, or tell a thing twice")
// clang-format on

enum nfdump_loss {
#define NFDUMP_LOSS_NUMBER(name, unit, help) NFDUMP_LOSS_##name,
    NFDUMP_LOSSES(NFDUMP_LOSS_NUMBER)
#undef NFDUMP_LOSS_NUMBER
        NFDUMP_LOSS_COUNT
};

struct nfdump_options {
    const char *input; // its name, for losses
    const char *point; // "" when it has no name
    bool elements;     // keep what has no field of its own
};

struct nfdump_counts {
    uint64_t files;
    uint64_t flows;
    uint64_t other; // records of another kind: of exporters, of samplers
    uint64_t lost[NFDUMP_LOSS_COUNT];
};

void nfdump_counts_add(struct nfdump_counts *sum, const struct nfdump_counts *n);

// Whether a file that begins so is one; also of a layout or byte order that is not read.
bool nfdump_recognise(bytes head);
// `counts` are of this file. ERR_INPUT when it is one of another layout, or encrypted.
bool nfdump_read(bytes content, const struct nfdump_options *options, struct record_writer *writer,
                 struct nfdump_counts *counts, struct err *err);
