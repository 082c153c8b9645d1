// Whether the records of a case are what its packets say: each reading that counts is made again,
// with its options, from its captures or from what the case keeps of them, and compared record by
// record. Artifacts are compared by their names, which are hashes.
//
// Runs as many lanes as asked. Takes 32 bytes of memory for each record that is made, and as much
// for those of the kind that is being compared.
#pragma once

#include "base/err.h"
#include "store/finding.h"

struct case_reader;

struct rebuild_options {
    uint32_t lanes;
    const char *version; // of the program
    struct finding_sink findings;
};

struct rebuilt {
    uint64_t readings, records; // that were made and compared
    uint64_t expired;           // readings of which records or packets went
    uint64_t collected;         // readings that were collected: nothing is there to make them from
};

// False and err when the machine failed; what cannot be made again is a finding.
bool rebuild(struct case_reader *reader, const struct rebuild_options *options,
             struct rebuilt *rebuilt, struct err *err);
