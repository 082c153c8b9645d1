// What the walk over a pcapng file and the reading of its descriptive blocks share
// (draft-ietf-opsawg-pcapng).
#pragma once

#include "source/capture_file.h"

enum {
    PCAPNG_INTERFACES_MAX = 65535, // packet.interface has 16 bits
    PCAPNG_OPTIONS_MAX = 1024,     // looked at in one block
    PCAPNG_BLOCK_HEADER_SIZE = 8,
    PCAPNG_BLOCK_SIZE_MIN = 12,
};

enum pcapng_block_type {
    PCAPNG_INTERFACE = 1,
    PCAPNG_PACKET = 2, // obsolete
    PCAPNG_SIMPLE_PACKET = 3,
    PCAPNG_NAMES = 4,
    PCAPNG_STATISTICS = 5,
    PCAPNG_ENHANCED_PACKET = 6,
    PCAPNG_SECRETS = 10,
    PCAPNG_CUSTOM = 0xbad,
    PCAPNG_SECTION = 0x0a0d0d0a,
};

// Sections 3.5 and 4.1 to 4.6: each block has its own meaning of all but the first two.
enum pcapng_option_code {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_INTERFACE_NAME = 2,  // if_name
    OPTION_STATISTICS_FROM = 2, // isb_starttime
    OPTION_STATISTICS_TO = 3,   // isb_endtime
    OPTION_PROGRAM = 4,         // shb_userappl
    OPTION_PACKET_DROPS = 4,    // epb_dropcount
    OPTION_RECEIVED = 4,        // isb_ifrecv
    OPTION_INTERFACE_DROPS = 5, // isb_ifdrop
    OPTION_SYSTEM_DROPS = 7,    // isb_osdrop
    OPTION_RESOLUTION = 9,      // if_tsresol
    OPTION_OFFSET = 14,         // if_tsoffset
};

struct pcapng_interface {
    uint16_t link_type;
    uint32_t snap_length;   // 0: no limit
    uint32_t tick_ns;       // nanoseconds in a tick; 0: see resolution
    uint8_t resolution;     // if_tsresol
    int64_t offset_s;       // if_tsoffset
    uint64_t drops_told;    // by the last statistics block
    uint64_t drops_between; // sum of what packets tell was lost before them
    nanos told_until;       // up to when what was lost was told; 0: nothing was
    char name[INTERFACE_NAME_MAX];
};

struct pcapng_state {
    bool big;               // byte order of this section
    uint32_t section_first; // index of this section's first interface
    uint32_t interface_count, interface_room;
    struct pcapng_interface *interfaces; // of all sections
};

static inline uint32_t pcapng_u32(const struct pcapng_state *s, struct reader *r)
{
    uint32_t v = read_le32(r);
    return s->big ? __builtin_bswap32(v) : v;
}

static inline uint16_t pcapng_u16(const struct pcapng_state *s, struct reader *r)
{
    return s->big ? read_be16(r) : read_le16(r);
}

// A block's body, without its header and trailing length; false when it contradicts itself.
bool pcapng_read_section(struct capture_file *f, struct pcapng_state *s, struct reader body);
bool pcapng_read_interface(struct capture_file *f, struct pcapng_state *s, struct reader body);
bool pcapng_read_statistics(struct capture_file *f, struct pcapng_state *s, struct reader body);
bool pcapng_read_secrets(struct capture_file *f, struct pcapng_state *s, struct reader body);
// The options of a packet: its comments, and how many were lost before it.
void pcapng_read_packet_options(struct capture_file *f, struct pcapng_state *s,
                                struct pcapng_interface *i, struct reader options);
// What was lost by an interface.
struct pcapng_drops {
    uint64_t told;    // since the capture began, by statistics
    uint64_t between; // before the packet at hand
    nanos from, to;   // when; `from` 0: since it was told last
};
void pcapng_add_drops(struct capture_file *f, struct pcapng_interface *i,
                      const struct pcapng_drops *drops);

// The time of a packet of interface `i`; extreme values are kept within what a `nanos` can hold.
nanos pcapng_time_slow(const struct pcapng_interface *i, uint64_t ticks);

static inline nanos pcapng_time(const struct pcapng_interface *i, uint64_t ticks)
{
    uint64_t t;
    bool overflow = __builtin_mul_overflow(ticks, (uint64_t)i->tick_ns, &t);
    if (i->tick_ns != 0 && i->offset_s == 0 && !overflow && t < INT64_MAX) return (nanos)t;
    return pcapng_time_slow(i, ticks);
}
