// A pcapng file being written (draft-ietf-opsawg-pcapng): one section, its interfaces, and packets
// byte for byte with times in nanoseconds. Little-endian.
//
// One thread. Holds nothing back but what stdio does.
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "record/packet.h"
#include "source/interface.h"

struct capture_writer {
    FILE *out;
    uint32_t interface_count;
};

// Writes the head of the file; `program` is who wrote it. Whether it could be written is told by
// ferror(out), now and after the calls below.
void capture_write_begin(struct capture_writer *w, FILE *out, const char *program);
// Returns the interface's number in the file.
uint32_t capture_write_interface(struct capture_writer *w, const struct capture_interface *i);

// What is known of an interface from one time to another; the counts are since the capture began.
struct capture_statistics {
    nanos from, to;
    uint64_t received, interface_drops, system_drops;
    const char *comment; // of INTERFACE_LOSSES, then interface_drops are its messages; or NULL
};
void capture_write_statistics(struct capture_writer *w, uint32_t interface,
                              const struct capture_statistics *s);

enum { WRITTEN_COMMENTS_MAX = 8 }; // written of one packet
void capture_write_packet(struct capture_writer *w, uint32_t interface, const struct packet *p,
                          const bytes *comments, unsigned comment_count);
