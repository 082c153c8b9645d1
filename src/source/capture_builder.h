// For the tests: capture files written byte by byte, and what a source makes of them.
#pragma once

#include "source/source.h"

enum { BUILD_SIZE_MAX = 4 * 1024 * 1024, READOUT_MAX = 4096 };

struct build {
    bool big;
    size_t n;
    uint8_t p[BUILD_SIZE_MAX];
};

struct build *build_create(bool big); // freed with memory_free
void put_u8(struct build *b, uint8_t v);
void put_u16(struct build *b, uint16_t v);
void put_u32(struct build *b, uint32_t v);
void put_u64(struct build *b, uint64_t v);
void put_fill(struct build *b, uint8_t v, size_t n);

void pcap_put_header(struct build *b, uint32_t magic, uint32_t link_type);
// A packet whose bytes all have the value `fill`.
void pcap_put_packet(struct build *b, uint32_t second, uint32_t fraction, uint32_t captured,
                     uint32_t length, uint8_t fill);

size_t block_begin(struct build *b, uint32_t type); // the block's place, for block_end
void block_end(struct build *b, size_t place);
void option_put(struct build *b, uint16_t code, const void *value, uint16_t n);
void section_put(struct build *b, const char *comment);                  // NULL: no options
void interface_put(struct build *b, uint16_t link_type, int resolution); // -1: no option
void enhanced_put(struct build *b, uint32_t interface, uint64_t ticks, uint32_t captured,
                  uint32_t length, uint8_t fill);

struct seen {
    nanos time;
    uint64_t ordinal;
    uint32_t captured, length, capture;
    uint16_t link_type, interface;
    uint8_t fill; // the first byte, if all are equal
    bool damaged; // not all are
};

struct readout {
    bool opened;
    struct err err;
    struct capture_info info; // of the first capture; its pointers are not valid any more
    uint32_t captures, count, secrets;
    struct capture_loss losses[CAPTURE_LOSSES_MAX];
    char comments[1024], remark[CAPTURE_REMARK_MAX];
    struct seen packets[READOUT_MAX];
};

// Reads everything; the readout is reused.
void read_memory(struct readout *out, bytes content, const char *bpf);
void read_paths(struct readout *out, const char *const *paths, uint32_t count, const char *bpf);

// A file of that name in `folder`, which is a path without a slash at its end.
void file_put(const char *folder, const char *name, bytes content);
