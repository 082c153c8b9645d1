// Packets of a case as a pcapng file, or into a topic: byte for byte, with the times, interfaces
// and comments that they had in their captures; in a topic with their times.
//
// Each frame once, in order of time. Thread: one.
#pragma once

#include <stdio.h>

#include "engine/referred.h"

struct case_reader;
struct packets_out;

struct export_counts {
    uint64_t packets, bytes;
    uint32_t left_out; // captures that the case does not have any more, or not yet
};

// The frames of all readings in `what`. Whether all could be written is told by ferror(out), too.
bool export_packets(struct case_reader *reader, const struct referred *what, FILE *out,
                    struct export_counts *counts, struct err *err);
// The same into a topic, which may not have them all yet.
bool export_packets_to(struct case_reader *reader, const struct referred *what,
                       struct packets_out *to, struct export_counts *counts, struct err *err);
