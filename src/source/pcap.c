// pcap files (draft-ietf-opsawg-pcap), in both byte orders, with micro- and nanoseconds, and in the
// variants that patched libraries wrote: longer record headers under the same or another magic
// number, and swapped lengths in versions before 2.4.
//
// A record header that cannot be one means damage. Then the next place is searched from which
// several believable headers follow one another; what lies between is counted as damaged.
#include "record/packet_message.h"
#include "source/formats.h"
#include "source/link_type.h"

enum {
    PCAP_HEADER_SIZE = 24,
    PCAP_RECORD_HEADER_SIZE = 16,
    PCAP_VARIANTS_MAX = 3,
    PCAP_CHAIN_MAX = 3,              // believable headers in succession that end a search
    PCAP_JUMP_S = 86400,             // packets that are further apart are looked at twice
    PCAP_SEARCH_JUMP_S = 30 * 86400, // and those that are further apart are not searched for
    PCAP_SEARCH_WINDOW = 1024 * 1024,
    PCAP_SEQUEL_WINDOW = 64 * 1024, // looked at behind an unusual packet
};

struct pcap_magic {
    uint32_t magic;
    uint32_t fraction_max;                     // units of a second's fraction
    uint8_t record_headers[PCAP_VARIANTS_MAX]; // sizes, the likeliest first
    uint8_t extra;                             // bytes behind the file header
};

// clang-format off
static const struct pcap_magic pcap_magics[] = {
    {0xa1b2c3d4, 1000000, {16, 24, 20}, 0}, // the usual one; Red Hat 6.1's; Nokia firewalls'
    {0xa1b23c4d, 1000000000, {16}, 0},      // nanoseconds
    {0xa1b2cd34, 1000000, {24, 28}, 0},     // Kuznetsov's patches; SuSE 6.3's tcpdump
    {0x1c0001ac, 1000000, {16}, 4},         // Ixia, hardware
    {0x1c0001ab, 1000000, {16}, 4},         // Ixia, software
};
// clang-format on

struct pcap_state {
    const struct pcap_magic *magic;
    bool big;
    bool lengths_swapped;       // version before 2.3, and DG/UX
    bool lengths_maybe_swapped; // version 2.3
    uint8_t record_header;
    uint16_t link_type;
    uint32_t fraction_max;
    uint32_t fraction_ns; // nanoseconds in a unit of the fraction
    uint32_t captured_max;
    uint32_t snap_length; // as the file has it
    uint32_t last_s;
    bool any; // last_s is that of a packet
};

struct pcap_record {
    uint32_t second, fraction, captured, length;
};

static const struct pcap_magic *pcap_magic_of(bytes first, bool *big)
{
    struct reader le = reader_of(first), be = le;
    uint32_t little_value = read_le32(&le), big_value = read_be32(&be);
    for (size_t i = 0; i < sizeof pcap_magics / sizeof *pcap_magics; i++) {
        const struct pcap_magic *m = &pcap_magics[i];
        *big = big_value == m->magic;
        if (!le.bad && (*big || little_value == m->magic)) return m;
    }
    return NULL;
}

static bool pcap_recognise(bytes first)
{
    bool big;
    return pcap_magic_of(first, &big) != NULL;
}

static inline uint32_t pcap_u32(const struct pcap_state *s, struct reader *r)
{
    uint32_t v = read_le32(r);
    return s->big ? __builtin_bswap32(v) : v;
}

static inline uint16_t pcap_u16(const struct pcap_state *s, struct reader *r)
{
    return s->big ? read_be16(r) : read_le16(r);
}

// Reads the 16 bytes that all variants begin with.
static inline struct pcap_record pcap_parse(const struct pcap_state *s, bytes view)
{
    struct reader r = reader_of(view);
    struct reader header = read_sub(&r, PCAP_RECORD_HEADER_SIZE);
    struct pcap_record record;
    record.second = pcap_u32(s, &header);
    record.fraction = pcap_u32(s, &header);
    record.captured = pcap_u32(s, &header);
    record.length = pcap_u32(s, &header);
    if (s->lengths_swapped || (s->lengths_maybe_swapped && record.captured > record.length)) {
        uint32_t captured = record.length;
        record.length = record.captured;
        record.captured = captured;
    }
    return record;
}

static inline bool pcap_is_near(uint32_t a, uint32_t b, int64_t distance_max)
{
    int64_t distance = (int64_t)a - b;
    return distance <= distance_max && -distance <= distance_max;
}

// What every sound header is; one that is not may still be a packet (pcap_is_packet).
static inline bool pcap_is_ordinary(const struct pcap_state *s, const struct pcap_record *r)
{
    return r->captured <= s->captured_max && r->captured <= r->length &&
           r->fraction < s->fraction_max && r->second != 0 && s->any &&
           pcap_is_near(r->second, s->last_s, PCAP_JUMP_S);
}

// What no header can do without. A hole of zeros in a file would otherwise be thousands of empty
// packets.
static bool pcap_is_possible(const struct pcap_state *s, const struct pcap_record *r)
{
    return r->captured <= s->captured_max && (r->captured | r->length | r->second) != 0;
}

// What a search takes for a header: `second` is the time of a packet before, if there is one.
static bool pcap_is_believable(const struct pcap_state *s, const struct pcap_record *r, bool any,
                               uint32_t second)
{
    return r->captured > 0 && r->captured <= s->captured_max && r->captured <= r->length &&
           r->length <= PACKET_CAPTURED_MAX && r->fraction < s->fraction_max && r->second != 0 &&
           (!any || pcap_is_near(r->second, second, PCAP_SEARCH_JUMP_S));
}

// Whether believable headers follow one another from the view's beginning. `whole` says that the
// file ends with the view: there the chain may end, within a packet only if a whole one came
// before.
static bool pcap_chain(const struct pcap_state *s, bytes view, bool whole, bool any,
                       uint32_t second)
{
    for (unsigned link = 0; link < PCAP_CHAIN_MAX; link++) {
        if (view.n < s->record_header) return link > 0;
        struct pcap_record record = pcap_parse(s, view);
        if (!pcap_is_believable(s, &record, any, second)) return false;
        size_t size = s->record_header + (size_t)record.captured;
        if (size > view.n) return link > 0 && (whole || link > 1);
        view = bytes_after(view, size);
        any = true;
        second = record.second;
    }
    return true;
}

// Where in the view, from `from` on and before `until`, a chain of believable headers begins;
// `until` if nowhere.
static size_t pcap_find_chain(const struct pcap_state *s, bytes view, size_t from, size_t until,
                              bool whole)
{
    while (from < until && !pcap_chain(s, bytes_after(view, from), whole, s->any, s->last_s))
        from++;
    return from;
}

enum pcap_sequel { SEQUEL_GOOD, SEQUEL_BAD, SEQUEL_CUT };

// What becomes of an unusual header's packet: whether possible headers follow, or the end of the
// file, or whether the end cuts it or one of them. One header near in time is enough.
static enum pcap_sequel pcap_sequel(const struct pcap_state *s, struct pcap_record r, bytes view,
                                    bool whole)
{
    for (unsigned link = 0; link < PCAP_CHAIN_MAX; link++) {
        size_t size = s->record_header + (size_t)r.captured;
        if (size > view.n || size + s->record_header > view.n) {
            return whole && size != view.n ? SEQUEL_CUT : SEQUEL_GOOD;
        }
        view = bytes_after(view, size);
        uint32_t second = r.second;
        r = pcap_parse(s, view);
        if (!pcap_is_possible(s, &r)) return SEQUEL_BAD;
        bool is_near = pcap_is_near(r.second, second, PCAP_SEARCH_JUMP_S) ||
                       pcap_is_near(r.second, s->last_s, PCAP_SEARCH_JUMP_S);
        if (is_near) return SEQUEL_GOOD;
    }
    return SEQUEL_GOOD;
}

// An unusual header is believed when what follows is good, or when the file is cut and holds no
// better header.
static bool pcap_is_packet(struct capture_file *f, const struct pcap_state *s,
                           const struct pcap_record *r)
{
    if (!pcap_is_possible(s, r)) return false;
    bool whole = !block_need(&f->in, r->captured + (size_t)PCAP_SEQUEL_WINDOW);
    bytes view = block_view(&f->in);
    switch (pcap_sequel(s, *r, view, whole)) {
    case SEQUEL_GOOD:
        return true;
    case SEQUEL_BAD:
        return false;
    case SEQUEL_CUT:
        break;
    }
    return pcap_find_chain(s, view, 1, view.n, true) == view.n;
}

// Goes on to the next believable header behind the one at hand; false when there is none until the
// end.
static bool pcap_search(struct capture_file *f, const struct pcap_state *s)
{
    capture_skip_damage(f, 1);
    for (;;) {
        bool whole = !block_need(&f->in, PCAP_SEARCH_WINDOW);
        bytes view = block_view(&f->in);
        size_t until = whole ? view.n : view.n / 2;
        size_t found = pcap_find_chain(s, view, 0, until, whole);
        capture_skip_damage(f, found);
        if (found < until) return true;
        if (whole) return false;
    }
}

// Makes the next record contiguous in the view; false at the end of the data.
static inline bool pcap_next(struct capture_file *f, struct pcap_state *s,
                             struct pcap_record *record)
{
    for (;;) {
        if (!block_need(&f->in, s->record_header)) return false;
        *record = pcap_parse(s, block_view(&f->in));
        if (__builtin_expect(pcap_is_ordinary(s, record), 1) || pcap_is_packet(f, s, record)) {
            return block_need(&f->in, s->record_header + (size_t)record->captured);
        }
        if (!pcap_search(f, s)) return false;
    }
}

static enum fill_result pcap_fill(struct capture_file *f, struct packet_batch *out, nanos until)
{
    struct pcap_state *s = f->state;
    if (!s->record_header) return capture_end_cut(f);
    for (unsigned examined = 0; out->count < PACKETS_MAX && examined < FILL_EXAMINED_MAX;
         examined++) {
        struct pcap_record record;
        if (!pcap_next(f, s, &record)) return capture_end_cut(f);
        nanos time = record.second * NANOS_PER_SECOND + (nanos)record.fraction * s->fraction_ns;
        if (time > until) return capture_hold(f, time);
        s->last_s = record.second;
        s->any = true;
        capture_deliver(f, out,
                        &(struct capture_packet){.offset = s->record_header,
                                                 .captured = record.captured,
                                                 .length = record.length,
                                                 .time = time,
                                                 .link_type = s->link_type});
        block_skip(&f->in, s->record_header + (size_t)record.captured);
    }
    return FILL_GO;
}

// Which of the header sizes that go with the magic number makes sense of the first records.
static uint8_t pcap_choose_variant(struct capture_file *f, struct pcap_state *s)
{
    const uint8_t *sizes = s->magic->record_headers;
    if (!sizes[1]) return sizes[0];
    bool whole = !block_need(&f->in, BLOCK_READ_SIZE_SHARED);
    for (unsigned i = 0; i < PCAP_VARIANTS_MAX && sizes[i]; i++) {
        s->record_header = sizes[i];
        if (pcap_chain(s, block_view(&f->in), whole, false, 0)) return sizes[i];
    }
    return sizes[0];
}

// AIX writes version 2.2 with nanoseconds, and interface types (RFC 1573) for link types.
static void pcap_begin_aix(struct pcap_state *s)
{
    switch (s->link_type) {
    case 6:
        s->link_type = LINK_TYPE_ETHERNET;
        break;
    case 9:
        s->link_type = 6;
        break; // token ring
    case 24:
        s->link_type = 0;
        break; // loopback
    default:
        return;
    }
    s->fraction_max = (uint32_t)NANOS_PER_SECOND;
}

static void pcap_begin(struct capture_file *f)
{
    struct pcap_state *s = f->state;
    bool complete = block_need(&f->in, PCAP_HEADER_SIZE);
    struct reader r = reader_of(block_view(&f->in));
    s->magic = pcap_magic_of(reader_rest(&r), &s->big);
    if (!complete || !block_need(&f->in, PCAP_HEADER_SIZE + (size_t)s->magic->extra)) return;
    r = reader_of(block_view(&f->in));
    read_bytes(&r, 4);
    uint16_t major = pcap_u16(s, &r), minor = pcap_u16(s, &r);
    read_bytes(&r, 8);
    uint32_t snap_length = pcap_u32(s, &r);
    s->link_type = link_type_of_pcap(pcap_u32(s, &r));
    s->lengths_swapped = (major == 2 && minor < 3) || major == 543;
    s->lengths_maybe_swapped = major == 2 && minor == 3;
    s->fraction_max = s->magic->fraction_max;
    if (major == 2 && minor == 2) pcap_begin_aix(s);
    s->fraction_ns = (uint32_t)NANOS_PER_SECOND / s->fraction_max;
    bool is_large = snap_length > PACKET_CAPTURED_USUAL && snap_length <= PACKET_CAPTURED_MAX;
    s->snap_length = snap_length;
    s->captured_max = is_large ? snap_length : PACKET_CAPTURED_USUAL;
    f->info->interface_count = 1;
    capture_add_link_type(f, s->link_type);
    block_skip(&f->in, PCAP_HEADER_SIZE + (size_t)s->magic->extra);
    s->record_header = pcap_choose_variant(f, s);
}

// Whether a header is ordinary depends on the time of the packet before.
static uint64_t pcap_save(const struct capture_file *f)
{
    const struct pcap_state *s = f->state;
    return s->last_s;
}

static void pcap_resume(struct capture_file *f, uint64_t saved)
{
    struct pcap_state *s = f->state;
    s->last_s = (uint32_t)saved;
    s->any = true;
}

static void pcap_interface(const struct capture_file *f, uint16_t number,
                           struct capture_interface *out)
{
    (void)number;
    out->snap_length = ((const struct pcap_state *)f->state)->snap_length;
}

const struct capture_format pcap_format = {
    .name = "pcap",
    .recognise = pcap_recognise,
    .begin = pcap_begin,
    .fill = pcap_fill,
    .save = pcap_save,
    .resume = pcap_resume,
    .interface = pcap_interface,
    .state_size = sizeof(struct pcap_state),
};
