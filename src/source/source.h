// Where packets come in. A source delivers batches in the order of packet time; capture files first.
//
// One thread reads. Several files are one tap: they are merged by packet time, ties by the order in which they were
// named. Each file is hashed (SHA-256) by a thread of its own when asked. What is damaged is skipped and counted:
// packets_read of all captures plus lost bytes account for every byte of the input.
#pragma once

#include "base/err.h"
#include "record/kind.h"
#include "record/packet.h"

struct source_options {
    const char *const *paths; // files, folders, or "-" for standard input
    uint32_t path_count;
    const char *bpf;    // filter over packets, or NULL
    bool hash_captures; // SHA-256 of each file
};

// What is known of one capture; final when the source is at its end.
struct capture_info {
    const char *path;        // as named; "-" for standard input
    const char *format;      // "pcap", "pcapng"
    const char *compression; // "", "gzip", "zstd", "lz4"
    uint64_t file_bytes;     // as stored
    uint64_t packets, packet_bytes; // all packets of the file, and their bytes on the wire
    uint64_t packets_filtered;      // left out by the BPF filter
    uint64_t packets_backwards;     // earlier than the packet before
    uint64_t damaged_bytes;         // skipped as not believable
    uint64_t interface_drops;       // told by pcapng statistics
    nanos first_seen, last_seen;
    bool truncated; // ends within a packet
    bool hashed;
    uint8_t sha256[32];
    uint32_t interface_count;
    char link_types[128];   // names, comma-separated
    char comments[1024];    // of sections, interfaces and packets, cut
};

struct source;

// NULL and err when nothing can be read. The options' memory is borrowed until source_close.
struct source *source_open(const struct source_options *options, struct err *err);
void source_close(struct source *s);

enum source_result { SOURCE_PACKETS, SOURCE_END, SOURCE_FAILED };
// Fills the cleared batch. SOURCE_END with an empty batch; SOURCE_FAILED with err when the machine failed.
enum source_result source_read(struct source *s, struct packet_batch *batch, struct err *err);

uint32_t source_capture_count(const struct source *s);
const struct capture_info *source_capture(const struct source *s, uint32_t capture);
uint64_t source_bytes_total(const struct source *s); // of all files, as stored; 0 when not known (standard input)
uint64_t source_bytes_done(const struct source *s);
