// snoop files (RFC 1761), as Solaris writes them.
#include "source/formats.h"
#include "source/link_type.h"

enum {
    SNOOP_HEADER_SIZE = 16,
    SNOOP_RECORD_HEADER_SIZE = 24,
    SNOOP_PADDING_MAX = 4096,
    SNOOP_FRACTION_MAX = 1000000,
};

struct snoop_state {
    bool started;
    uint16_t link_type;
};

struct snoop_record {
    uint32_t length, captured, size, drops, second, fraction;
};

static bool snoop_recognise(bytes first)
{
    static const uint8_t magic[8] = "snoop";
    return first.n >= sizeof magic && memcmp(first.p, magic, sizeof magic) == 0;
}

// RFC 1761's datalink types as LINKTYPE values.
static uint16_t snoop_link_type(uint32_t datalink)
{
    switch (datalink) {
    case 0:
    case 4:
        return LINK_TYPE_ETHERNET;
    case 2:
        return 6; // token ring
    case 8:
        return 10; // FDDI
    default:
        return UINT16_MAX;
    }
}

static void snoop_begin(struct capture_file *f)
{
    struct snoop_state *s = f->state;
    if (!block_need(&f->in, SNOOP_HEADER_SIZE)) return;
    struct reader r = reader_of(block_view(&f->in));
    read_bytes(&r, 12);
    s->link_type = snoop_link_type(read_be32(&r));
    s->started = true;
    f->info->interface_count = 1;
    capture_add_link_type(f, s->link_type);
    block_skip(&f->in, SNOOP_HEADER_SIZE);
}

static struct snoop_record snoop_parse(bytes view)
{
    struct reader r = reader_of(view);
    struct snoop_record record;
    record.length = read_be32(&r);
    record.captured = read_be32(&r);
    record.size = read_be32(&r);
    record.drops = read_be32(&r);
    record.second = read_be32(&r);
    record.fraction = read_be32(&r);
    return record;
}

static bool snoop_is_believable(const struct snoop_record *r)
{
    return r->captured <= PACKET_CAPTURED_USUAL && r->captured <= r->length &&
           r->size >= SNOOP_RECORD_HEADER_SIZE + r->captured &&
           r->size <= SNOOP_RECORD_HEADER_SIZE + r->captured + SNOOP_PADDING_MAX &&
           r->fraction < SNOOP_FRACTION_MAX;
}

// Makes the next record contiguous in the view; false at the end of the data. The record length
// must agree with the captured length, so one header is enough to be believed after damage.
static bool snoop_next(struct capture_file *f, struct snoop_record *record)
{
    for (;; capture_skip_damage(f, 1)) {
        if (!block_need(&f->in, SNOOP_RECORD_HEADER_SIZE)) return false;
        *record = snoop_parse(block_view(&f->in));
        if (snoop_is_believable(record)) return block_need(&f->in, record->size);
    }
}

static enum fill_result snoop_fill(struct capture_file *f, struct packet_batch *out, nanos until)
{
    struct snoop_state *s = f->state;
    if (!s->started) return capture_end_cut(f);
    for (unsigned examined = 0; out->count < PACKETS_MAX && examined < FILL_EXAMINED_MAX;
         examined++) {
        struct snoop_record record;
        if (!snoop_next(f, &record)) return capture_end_cut(f);
        nanos time = record.second * NANOS_PER_SECOND + record.fraction * NANOS_PER_MICRO;
        if (time > until) return capture_hold(f, time);
        f->info->interface_drops = record.drops;
        capture_deliver(f, out,
                        &(struct capture_packet){.offset = SNOOP_RECORD_HEADER_SIZE,
                                                 .captured = record.captured,
                                                 .length = record.length,
                                                 .time = time,
                                                 .link_type = s->link_type});
        block_skip(&f->in, record.size);
    }
    return FILL_GO;
}

const struct capture_format snoop_format = {
    .name = "snoop",
    .recognise = snoop_recognise,
    .begin = snoop_begin,
    .fill = snoop_fill,
    .state_size = sizeof(struct snoop_state),
};
