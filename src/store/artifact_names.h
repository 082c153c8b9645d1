// The artifacts that the records of a case name: all that may lie below artifacts/.
//
// Thread: one. Takes 32 bytes of memory for each time that one is named.
#pragma once

#include "store/case.h"

struct artifact_names {
    uint8_t (*hashes)[SHA256_SIZE]; // sorted, each once
    size_t count, size;
};

bool artifact_names_read(struct artifact_names *names, struct case_reader *reader, struct err *err)
    __attribute__((warn_unused_result));
bool artifact_names_have(const struct artifact_names *names, const uint8_t hash[SHA256_SIZE]);
void artifact_names_deinit(struct artifact_names *names);

// Removes the artifacts of a case that none of its records names.
bool artifact_sweep(struct case_reader *reader, struct err *err)
    __attribute__((warn_unused_result));
