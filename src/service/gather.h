// Messages of flow exporters into a collector: from sockets, from TCP connections, from captures in
// which they lie as UDP datagrams, and from files of IPFIX messages (RFC 5655). And lines of flows
// (collect/lines.h) from files and standard input.
//
// One thread, the caller's. Each message comes at the time of its arrival as the kernel or the
// capture tells it, or where there is none at its own.
#pragma once

#include <stdatomic.h>

#include "base/err.h"
#include "collect/collector.h"
#include "collect/joining.h"
#include "collect/lines.h"
#include "collect/nfdump.h"

enum { GATHER_INPUTS_MAX = 64, GATHER_BUFFER = 64 * 1024 * 1024 };

struct gather_options {
    // udp://HOST:PORT, ipfix://HOST and sflow://HOST (the same, with ports of their own),
    // tcp://HOST, a file, or "-". Topics are passed over here: they are opened before.
    const char *const *inputs;
    uint32_t input_count;
    struct topics *topics;   // service/topics.h, or NULL
    uint64_t buffer;         // what the kernel may keep for each socket
    bool is_shared;          // other sockets have its UDP ports, too
    nanos idle;              // ends when nothing came for so long; 0: does not end by itself
    const atomic_bool *stop; // or NULL
    // Told now and then, with the time of the last message: for whoever passes on what was made.
    void *context;
    bool (*rest)(void *context, nanos now, struct err *err);
    void (*listening)(void *context, const char *input, const char *transport, uint16_t port);
    nanos (*clock)(void); // what comes by connections has no time of the kernel's
    const char *point;    // of flows in lines, "" when it has no name
    bool elements;        // keep what has no field in lines, too
    // Told of each line that cannot be understood; or NULL.
    void (*dead)(void *context, const char *input, uint64_t line, const char *why, bytes text);
};

struct gather_counts {
    uint64_t datagrams, bytes;
    uint64_t dropped;             // datagrams, by the kernel, for want of room
    uint64_t connections, faults; // that are over, and those that ended before their time
    struct lines_counts lines;
    struct nfdump_counts nfdump; // of all files
    struct joining_counts pairs; // behind what gathers
};

void gather_counts_add(struct gather_counts *sum, const struct gather_counts *n);

// Whether an input is a port, and whether its URL can be understood (ERR_USAGE).
bool gather_is_port(const char *input);
// Whether it is one of datagrams, which several sockets may have.
bool gather_is_datagrams(const char *input);
bool gather_check(const char *input, struct err *err);
// Whether the file begins as one of IPFIX messages does, or as one of nfdump.
bool gather_is_file(const char *path);

// Files are read to their end first, then ports until they are told to stop; what the kernel has by
// then is taken still. ERR_INPUT when an input is no capture and no file of messages.
bool gather(const struct gather_options *options, struct collector *c, struct record_writer *writer,
            struct gather_counts *counts, struct err *err);

// What connections have, without waiting. `first` numbers sessions of this port, apart from others.
struct connections;
bool gather_connections(const struct gather_options *options, struct connections *from,
                        uint64_t first, struct collector *c, struct record_writer *writer,
                        struct gather_counts *counts, struct err *err);

// The lines of one input, when it is one of lines; of another one `is_lines` is false, and nothing
// was taken.
bool gather_lines(const struct gather_options *options, const char *path,
                  struct record_writer *writer, struct lines_counts *counts, bool *is_lines,
                  struct err *err);
