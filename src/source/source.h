// Where packets come in. A source delivers batches in the order of packet time; capture files
// first.
//
// One thread reads. Several files are one tap: they are merged by packet time, ties by the order in
// which they were named. Files that follow one another in time are opened one after another, so
// memory and descriptors do not grow with their number; only files that overlap in time are open
// together. Each file is hashed (SHA-256) by a thread beside the reading when asked, and given by
// another one to who keeps it. What is damaged is skipped and counted.
#pragma once

#include "base/err.h"
#include "record/capture.h"
#include "record/kind.h"
#include "record/packet.h"
#include "source/interface.h"

struct live;

struct source_options {
    const char *const *paths; // files, folders, or "-" for standard input
    uint32_t path_count;
    struct live *live;     // in place of paths: network interfaces (source/live.h), borrowed
    uint32_t first_number; // of its captures
    // In place of the bytes of a path, those kept elsewhere; NULL for others. `contents` is NULL,
    // or has one for each path: then all of these are files.
    struct capture_content *const *contents;
    const char *bpf;    // filter over packets, or NULL
    bool hash_captures; // SHA-256 of each file
    // Who keeps the captures, or where their packets lie; `begin` NULL when nobody does. With
    // hash_captures only.
    struct capture_sink captures;
};

// What an interface lost between two times, as its capture tells: packets that found no room, or
// messages that brought none; nobody knows what was missed while it was down.
enum { CAPTURE_LOSSES_MAX = 256 }; // of a capture; further ones are added to the last
struct capture_loss {
    char interface[INTERFACE_NAME_MAX]; // "" when it has no name
    nanos from, to;
    uint64_t packets, messages;
    const char *reason; // a constant word
};

// What is known of one capture; final when the source is at its end.
struct capture_info {
    const char *path;        // as named; "-" for standard input
    uint32_t number;         // packet.capture of its packets
    const char *format;      // "pcap", "pcapng", "snoop"
    const char *compression; // "", "gzip", "zstd", "lz4"
    bool is_stream;          // a pipe or a device: can be read once only
    uint64_t file_bytes;     // as stored; at first the size that the file had when it was looked at
    uint64_t packets, packet_bytes; // all packets of the file, and their bytes on the wire
    uint64_t captured_bytes;        // of them, those that are there
    uint64_t packets_filtered;      // left out by the BPF filter
    uint64_t packets_backwards;     // earlier than the packet before
    uint64_t damaged_bytes;         // skipped as not believable
    uint64_t cut_bytes;             // of the packet or block in which the file ends
    uint64_t interface_drops;       // told by statistics in the file
    uint64_t timed_drops;           // of them those whose time and interface are told
    struct capture_loss *losses;    // what was told with its time and was not forgotten, in order
    uint32_t loss_count;
    // Earliest and latest packet time; first_seen > last_seen when no packet has one.
    nanos first_seen, last_seen;
    bool truncated; // ends within a packet, or before the size it had when it was opened
    bool hashed;
    uint8_t sha256[32];
    uint32_t interface_count;
    char link_types[128]; // names, comma-separated
    const char *comments; // in the file, a line each, cut; "" when there are none
};

struct source;

// NULL and err when any of the paths cannot be read: a reading is of all that was named, or of
// nothing. The options' memory is borrowed until source_close.
struct source *source_open(const struct source_options *options, struct err *err);
// The same over bytes in memory, borrowed until source_close, as one capture named "memory".
struct source *source_open_memory(bytes content, const struct source_options *options,
                                  struct err *err);
void source_close(struct source *s); // NULL is fine

enum source_result { SOURCE_PACKETS, SOURCE_END, SOURCE_FAILED };
// Fills the cleared batch. SOURCE_PACKETS with an empty batch when a filter left out all that was
// looked at; SOURCE_END with an empty batch; SOURCE_FAILED with err when the machine failed.
enum source_result source_read(struct source *s, struct packet_batch *batch, struct err *err);

uint32_t source_capture_count(const struct source *s);
const struct capture_info *source_capture(const struct source *s, uint32_t capture);
// Whether it was read to its end, and no more comes of it. Of interfaces several captures follow
// one another (source/live.h).
bool source_capture_is_over(const struct source *s, uint32_t capture);
// Of interfaces: those that are over are not captures of the source any more, but for its sums.
void source_forget_captures(struct source *s);
// All packets so far, their bytes, and those of them that are there.
struct source_sums {
    uint64_t packets, bytes, captured_bytes, filtered;
};
struct source_sums source_sums(const struct source *s);
// Whoever passes on losses while the source is read passes on each once.
void source_forget_losses(struct source *s, uint32_t capture);
// Of all files, as stored; the total is 0 when it is not known (standard input).
uint64_t source_bytes_total(const struct source *s);
uint64_t source_bytes_done(const struct source *s);

// Keys that captures carry for their encrypted conversations (pcapng's decryption secrets), up to a
// limit.
struct capture_secret {
    uint32_t capture;
    uint32_t type; // 0x544c534b: a TLS key log; see draft-ietf-opsawg-pcapng section 4.7
    bytes secret;  // valid until source_close
};
// All that were read so far; valid until the next source_read.
const struct capture_secret *source_secrets(const struct source *s, uint32_t *count);

enum { CAPTURE_REMARK_MAX = 512 };
// One sentence about what is wrong with a capture that was read to its end, such as that it is cut,
// and what that means. False when nothing is.
bool capture_remark(const struct capture_info *info, char text[CAPTURE_REMARK_MAX]);
