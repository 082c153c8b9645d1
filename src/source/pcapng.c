// pcapng files (draft-ietf-opsawg-pcapng): the walk over the blocks, and the three blocks that hold
// packets.
//
// A block has its length at both ends. Where they differ there is damage, and the next place is
// searched where a block of a known type has the same length at both ends; what lies between is
// counted as damaged. A block whose inside contradicts itself is skipped and counted likewise.
// Interfaces are numbered through all sections of the file.
#include "source/pcapng.h"

#include "base/memory.h"
#include "source/formats.h"

enum {
    PCAPNG_BLOCK_SIZE_MAX = PACKET_CAPTURED_MAX + 512 * 1024,
    PCAPNG_BYTE_ORDER = 0x1a2b3c4d,
    PCAPNG_SEARCH_WINDOW = 64 * 1024,
    PCAPNG_ENHANCED_HEADER_SIZE = 28, // with the block's type and length
    PCAPNG_SIMPLE_HEADER_SIZE = 12,
    PCAPNG_SYSTEMD_JOURNAL = 9,
    PCAPNG_CUSTOM_NO_COPY = 0x40000bad,
    PCAPNG_DROPS_UNKNOWN = 0xffff,
};

struct pcapng_block {
    uint32_t type, size;
    bool big;
};

static bool pcapng_recognise(bytes first)
{
    static const uint8_t type[4] = {0x0a, 0x0d, 0x0d, 0x0a};
    struct reader r = reader_of(first);
    read_bytes(&r, 8);
    uint32_t order = read_be32(&r);
    return bytes_equal(bytes_first(first, 4), bytes_of(type, 4)) &&
           (r.bad || order == PCAPNG_BYTE_ORDER || __builtin_bswap32(order) == PCAPNG_BYTE_ORDER);
}

static void pcapng_begin(struct capture_file *f)
{
    (void)f; // the section header is a block like the others
}

static void pcapng_end(struct capture_file *f)
{
    struct pcapng_state *s = f->state;
    memory_free(s->interfaces);
}

// Type and length of the block at the view's beginning, of which there are at least
// PCAPNG_BLOCK_SIZE_MIN bytes. A section header brings its own byte order.
static inline struct pcapng_block pcapng_parse(const struct pcapng_state *s, bytes view)
{
    struct reader r = reader_of(view);
    struct reader header = read_sub(&r, PCAPNG_BLOCK_SIZE_MIN);
    struct pcapng_block block = {.big = s->big};
    uint32_t type = read_le32(&header), size = read_le32(&header), order = read_be32(&header);
    if (type == PCAPNG_SECTION) block.big = order == PCAPNG_BYTE_ORDER;
    block.type = block.big ? __builtin_bswap32(type) : type;
    block.size = block.big ? __builtin_bswap32(size) : size;
    return block;
}

static inline bool pcapng_size_is_possible(uint32_t size)
{
    return size >= PCAPNG_BLOCK_SIZE_MIN && size <= PCAPNG_BLOCK_SIZE_MAX;
}

// Whether the block's length stands at its end too; `view` has all of it.
static inline bool pcapng_is_framed(const struct pcapng_block *block, bytes view)
{
    struct reader r = reader_of(bytes_after(view, block->size - 4));
    uint32_t size = read_le32(&r);
    return !r.bad && (block->big ? __builtin_bswap32(size) : size) == block->size;
}

static bool pcapng_type_is_known(uint32_t type)
{
    switch (type) {
    case PCAPNG_INTERFACE:
    case PCAPNG_PACKET:
    case PCAPNG_SIMPLE_PACKET:
    case PCAPNG_NAMES:
    case PCAPNG_STATISTICS:
    case PCAPNG_ENHANCED_PACKET:
    case PCAPNG_SYSTEMD_JOURNAL:
    case PCAPNG_SECRETS:
    case PCAPNG_CUSTOM:
    case PCAPNG_CUSTOM_NO_COPY:
    case PCAPNG_SECTION:
        return true;
    default:
        return false;
    }
}

// What a search takes for a block.
static bool pcapng_is_believable(struct capture_file *f, const struct pcapng_state *s, size_t at)
{
    struct pcapng_block block = pcapng_parse(s, bytes_after(block_view(&f->in), at));
    if (!pcapng_type_is_known(block.type) || !pcapng_size_is_possible(block.size)) return false;
    return block_need(&f->in, at + block.size) &&
           pcapng_is_framed(&block, bytes_after(block_view(&f->in), at));
}

// Goes on to the next believable block behind the place at hand; false when there is none until the
// end.
static bool pcapng_search(struct capture_file *f, const struct pcapng_state *s)
{
    capture_skip_damage(f, 1);
    for (;;) {
        bool whole = !block_need(&f->in, PCAPNG_SEARCH_WINDOW);
        size_t tried_max = whole ? block_view(&f->in).n : PCAPNG_SEARCH_WINDOW / 2;
        for (size_t i = 0; i + PCAPNG_BLOCK_SIZE_MIN <= tried_max; i++) {
            if (!pcapng_is_believable(f, s, i)) continue;
            capture_skip_damage(f, i);
            return true;
        }
        size_t done = whole ? tried_max : tried_max - PCAPNG_BLOCK_SIZE_MIN;
        capture_skip_damage(f, done);
        if (whole) return false;
    }
}

// Whether a packet's own length agrees with that of its block, so that both are right.
static bool pcapng_lengths_agree(const struct pcapng_state *s, const struct pcapng_block *block,
                                 bytes view)
{
    struct reader r = reader_of(view);
    read_bytes(&r, 20);
    uint32_t captured = pcapng_u32(s, &r);
    bool has_length = block->type == PCAPNG_ENHANCED_PACKET || block->type == PCAPNG_PACKET;
    return has_length && !r.bad && captured <= block->size &&
           block->size == PCAPNG_ENHANCED_HEADER_SIZE + (captured + 3) / 4 * 4 + 4;
}

// The file ends within this block: is it cut, or is the length damaged? What lies inside a packet
// may look like blocks, so they are searched only when the packet's length does not agree.
static bool pcapng_is_cut(struct capture_file *f, const struct pcapng_state *s,
                          const struct pcapng_block *block)
{
    bytes view = block_view(&f->in);
    if (pcapng_lengths_agree(s, block, view)) return true;
    for (size_t i = 1; i + PCAPNG_BLOCK_SIZE_MIN <= view.n; i++) {
        if (pcapng_is_believable(f, s, i)) return false;
    }
    return true;
}

// Makes the next block contiguous in the view; false at the end of the data.
static bool pcapng_next(struct capture_file *f, struct pcapng_state *s, struct pcapng_block *block)
{
    for (;;) {
        if (!block_need(&f->in, PCAPNG_BLOCK_SIZE_MIN)) return false;
        *block = pcapng_parse(s, block_view(&f->in));
        if (pcapng_size_is_possible(block->size)) {
            if (block_need(&f->in, block->size)) {
                if (pcapng_is_framed(block, block_view(&f->in))) return true;
            } else if (pcapng_is_cut(f, s, block)) {
                return false;
            }
        }
        if (!pcapng_search(f, s)) return false;
    }
}

static struct pcapng_interface *pcapng_interface_of(struct pcapng_state *s, uint32_t number,
                                                    struct capture_packet *p)
{
    if (number >= s->interface_count - s->section_first) return NULL;
    struct pcapng_interface *i = &s->interfaces[s->section_first + number];
    p->interface = (uint16_t)(s->section_first + number);
    p->link_type = i->link_type;
    return i;
}

// What the enhanced and the obsolete block have in common behind the number of the interface.
static inline struct pcapng_interface *pcapng_read_timed(struct pcapng_state *s, uint32_t number,
                                                         struct reader body,
                                                         struct capture_packet *p)
{
    uint64_t ticks = (uint64_t)pcapng_u32(s, &body) << 32;
    ticks |= pcapng_u32(s, &body);
    p->captured = pcapng_u32(s, &body);
    p->length = pcapng_u32(s, &body);
    p->offset = PCAPNG_ENHANCED_HEADER_SIZE;
    if (body.bad || p->captured > reader_left(&body)) return NULL;
    struct pcapng_interface *i = pcapng_interface_of(s, number, p);
    if (i) p->time = pcapng_time(i, ticks);
    return i;
}

// Section 4.3.
static inline struct pcapng_interface *
pcapng_read_enhanced(struct pcapng_state *s, struct reader body, struct capture_packet *p)
{
    uint32_t number = pcapng_u32(s, &body);
    return pcapng_read_timed(s, number, body, p);
}

// The obsolete packet block (appendix A): the same with a 16-bit interface and a drop counter.
static struct pcapng_interface *pcapng_read_packet(struct pcapng_state *s, struct reader body,
                                                   struct capture_packet *p, uint16_t *drops)
{
    uint16_t number = pcapng_u16(s, &body);
    *drops = pcapng_u16(s, &body);
    if (*drops == PCAPNG_DROPS_UNKNOWN) *drops = 0;
    return pcapng_read_timed(s, number, body, p);
}

// Section 4.4: always of the section's first interface, without a time; it is given that of the
// packet before.
static struct pcapng_interface *pcapng_read_simple(struct pcapng_state *s, struct reader body,
                                                   struct capture_packet *p)
{
    p->length = pcapng_u32(s, &body);
    p->offset = PCAPNG_SIMPLE_HEADER_SIZE;
    p->timeless = true;
    struct pcapng_interface *i = pcapng_interface_of(s, 0, p);
    if (body.bad || !i) return NULL;
    p->captured = p->length;
    if (i->snap_length && p->captured > i->snap_length) p->captured = i->snap_length;
    if (p->captured > reader_left(&body)) p->captured = (uint32_t)reader_left(&body);
    return i;
}

static bool pcapng_is_packet(uint32_t type)
{
    return type == PCAPNG_ENHANCED_PACKET || type == PCAPNG_SIMPLE_PACKET || type == PCAPNG_PACKET;
}

static inline struct reader pcapng_body(const struct capture_file *f,
                                        const struct pcapng_block *block)
{
    bytes whole = bytes_first(block_view(&f->in), block->size - 4);
    return reader_of(bytes_after(whole, PCAPNG_BLOCK_HEADER_SIZE));
}

enum pcapng_taken { PCAPNG_TAKEN, PCAPNG_LATER, PCAPNG_BROKEN };

static inline enum pcapng_taken pcapng_take_packet(struct capture_file *f,
                                                   const struct pcapng_block *block,
                                                   struct packet_batch *out, nanos until)
{
    struct pcapng_state *s = f->state;
    struct reader body = pcapng_body(f, block);
    struct capture_packet p = {.time = f->last_time};
    struct pcapng_interface *i;
    uint16_t drops = 0;
    if (block->type == PCAPNG_ENHANCED_PACKET) i = pcapng_read_enhanced(s, body, &p);
    else if (block->type == PCAPNG_PACKET) i = pcapng_read_packet(s, body, &p, &drops);
    else i = pcapng_read_simple(s, body, &p);
    if (!i) return PCAPNG_BROKEN;
    if (p.time > until) {
        f->head_time = p.time;
        return PCAPNG_LATER;
    }
    capture_deliver(f, out, &p);
    if (drops) pcapng_add_drops(f, i, &(struct pcapng_drops){.between = drops, .to = p.time});
    size_t padded = ((size_t)p.captured + 3) / 4 * 4;
    if (block->type != PCAPNG_SIMPLE_PACKET && block->size > p.offset + padded + 4) {
        read_bytes(&body, p.offset - PCAPNG_BLOCK_HEADER_SIZE + padded);
        pcapng_read_packet_options(f, s, i, body);
    }
    return PCAPNG_TAKEN;
}

static bool pcapng_take_other(struct capture_file *f, const struct pcapng_block *block)
{
    struct pcapng_state *s = f->state;
    struct reader body = pcapng_body(f, block);
    switch (block->type) {
    case PCAPNG_SECTION:
        capture_describes(f);
        s->big = block->big;
        return pcapng_read_section(f, s, body);
    case PCAPNG_INTERFACE:
        capture_describes(f);
        return pcapng_read_interface(f, s, body);
    case PCAPNG_STATISTICS:
        return pcapng_read_statistics(f, s, body);
    case PCAPNG_SECRETS:
        return pcapng_read_secrets(f, s, body);
    default:
        return true; // names and what others put there: nothing of it is needed
    }
}

static enum fill_result pcapng_fill(struct capture_file *f, struct packet_batch *out, nanos until)
{
    for (unsigned examined = 0; out->count < PACKETS_MAX && examined < FILL_EXAMINED_MAX;
         examined++) {
        struct pcapng_block block;
        if (examined && block_would_wait(&f->in)) {
            out->rests = true;
            return FILL_GO;
        }
        if (!pcapng_next(f, f->state, &block)) return capture_end_cut(f);
        enum pcapng_taken taken = PCAPNG_TAKEN;
        if (pcapng_is_packet(block.type)) taken = pcapng_take_packet(f, &block, out, until);
        else if (!pcapng_take_other(f, &block)) taken = PCAPNG_BROKEN;
        if (taken == PCAPNG_LATER) return FILL_HELD;
        if (taken == PCAPNG_BROKEN) capture_skip_damage(f, block.size);
        else block_skip(&f->in, block.size);
    }
    return FILL_GO;
}

// Simple packets have the time of the packet before.
static uint64_t pcapng_save(const struct capture_file *f)
{
    return (uint64_t)f->last_time;
}

static void pcapng_resume(struct capture_file *f, uint64_t saved)
{
    f->last_time = (nanos)saved;
}

static void pcapng_describe(struct capture_file *f)
{
    struct pcapng_block block;
    if (!pcapng_next(f, f->state, &block)) return;
    if (!pcapng_is_packet(block.type)) pcapng_take_other(f, &block);
    block_skip(&f->in, block.size);
}

static void pcapng_interface(const struct capture_file *f, uint16_t number,
                             struct capture_interface *out)
{
    const struct pcapng_state *s = f->state;
    if (number >= s->interface_count) return;
    out->snap_length = s->interfaces[number].snap_length;
    memcpy(out->name, s->interfaces[number].name, sizeof out->name);
}

const struct capture_format pcapng_format = {
    .name = "pcapng",
    .recognise = pcapng_recognise,
    .begin = pcapng_begin,
    .fill = pcapng_fill,
    .end = pcapng_end,
    .save = pcapng_save,
    .resume = pcapng_resume,
    .describe = pcapng_describe,
    .interface = pcapng_interface,
    .state_size = sizeof(struct pcapng_state),
};
