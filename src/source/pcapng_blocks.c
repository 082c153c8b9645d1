// The blocks of a pcapng file that describe: sections, interfaces, statistics, secrets, and their
// options.
#include "base/buf.h"
#include "base/memory.h"
#include "source/pcapng.h"

enum {
    RESOLUTION_MICRO = 6, // 10^-6, where no option says otherwise
    RESOLUTION_BINARY = 0x80,
};

struct pcapng_option {
    uint16_t code;
    bytes value;
};

// The next option; false at the end, or when the rest is none.
static bool pcapng_next_option(const struct pcapng_state *s, struct reader *r,
                               struct pcapng_option *option)
{
    option->code = pcapng_u16(s, r);
    uint16_t length = pcapng_u16(s, r);
    option->value = read_bytes(r, length);
    size_t padding = (4 - length % 4) % 4;
    if (r->bad || option->code == OPTION_END) return false;
    read_bytes(r, padding < reader_left(r) ? padding : reader_left(r));
    return true;
}

static uint64_t pcapng_option_u64(const struct pcapng_state *s, const struct pcapng_option *option)
{
    struct reader r = reader_of(option->value);
    return s->big ? read_be64(&r) : read_le64(&r);
}

bool pcapng_read_section(struct capture_file *f, struct pcapng_state *s, struct reader body)
{
    read_bytes(&body, 4); // the byte order, which the walk has seen
    uint16_t major = pcapng_u16(s, &body);
    read_bytes(&body, 10); // minor version, section length
    if (body.bad || major != 1) return false;
    s->section_first = s->interface_count;
    struct pcapng_option option;
    for (unsigned i = 0; i < PCAPNG_OPTIONS_MAX && pcapng_next_option(s, &body, &option); i++) {
        if (option.code == OPTION_COMMENT) capture_add_comment(f, option.value);
    }
    return true;
}

// 10^-n or, with the highest bit set, 2^-n. Whole nanoseconds make the walk's fast path.
static void pcapng_set_resolution(struct pcapng_interface *i, uint8_t resolution)
{
    i->resolution = resolution;
    i->tick_ns = 0;
    if (resolution > 9) return;
    i->tick_ns = 1;
    for (unsigned n = resolution; n < 9; n++) i->tick_ns *= 10;
}

static void pcapng_interface_option(struct capture_file *f, const struct pcapng_state *s,
                                    struct pcapng_interface *i, const struct pcapng_option *option)
{
    if (option->code == OPTION_COMMENT) capture_add_comment(f, option->value);
    if (option->code == OPTION_INTERFACE_NAME) {
        struct buf name = buf_on(i->name, sizeof i->name - 1);
        buf_put(&name, bytes_first(option->value, sizeof i->name - 1));
    }
    if (option->code == OPTION_RESOLUTION && option->value.n == 1)
        pcapng_set_resolution(i, option->value.p[0]);
    if (option->code == OPTION_OFFSET && option->value.n == 8)
        i->offset_s = (int64_t)pcapng_option_u64(s, option);
}

static void pcapng_keep_interface(struct pcapng_state *s, const struct pcapng_interface *i)
{
    if (s->interface_count == s->interface_room) {
        s->interface_room = s->interface_room ? 2 * s->interface_room : 8;
        s->interfaces = memory_resize(s->interfaces, s->interface_room * sizeof *s->interfaces);
    }
    s->interfaces[s->interface_count++] = *i;
}

bool pcapng_read_interface(struct capture_file *f, struct pcapng_state *s, struct reader body)
{
    struct pcapng_interface i = {.link_type = pcapng_u16(s, &body)};
    read_bytes(&body, 2);
    i.snap_length = pcapng_u32(s, &body);
    if (body.bad || s->interface_count == PCAPNG_INTERFACES_MAX) return false;
    pcapng_set_resolution(&i, RESOLUTION_MICRO);
    struct pcapng_option option;
    for (unsigned n = 0; n < PCAPNG_OPTIONS_MAX && pcapng_next_option(s, &body, &option); n++) {
        pcapng_interface_option(f, s, &i, &option);
    }
    pcapng_keep_interface(s, &i);
    f->info->interface_count = s->interface_count;
    capture_add_link_type(f, i.link_type);
    return true;
}

static void pcapng_tell_loss(struct capture_file *f, const struct pcapng_interface *i,
                             struct capture_loss loss)
{
    if (!loss.from) loss.from = f->info->first_seen;
    if (loss.from > loss.to) loss.from = loss.to;
    memcpy(loss.interface, i->name, sizeof loss.interface);
    capture_add_loss(f, &loss);
}

// The reason that a comment of statistics stands for; NULL: it is a comment.
static const char *pcapng_reason(bytes comment)
{
    static const struct {
        const char *reason, *comment;
    } rows[] = {
#define ROW(reason, comment) {reason, comment},
        INTERFACE_LOSSES(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (bytes_equal(comment, bytes_text(rows[i].comment))) return rows[i].reason;
    return NULL;
}

// Statistics and packets tell the same loss in two ways; the greater one counts.
void pcapng_add_drops(struct capture_file *f, struct pcapng_interface *i,
                      const struct pcapng_drops *drops)
{
    uint64_t before = i->drops_told > i->drops_between ? i->drops_told : i->drops_between;
    if (drops->told > i->drops_told) i->drops_told = drops->told;
    if (__builtin_add_overflow(i->drops_between, drops->between, &i->drops_between))
        i->drops_between = UINT64_MAX;
    uint64_t after = i->drops_told > i->drops_between ? i->drops_told : i->drops_between;
    f->info->interface_drops += after - before;
    if (after > before)
        pcapng_tell_loss(f, i,
                         (struct capture_loss){.from = i->told_until ? i->told_until : drops->from,
                                               .to = drops->to,
                                               .packets = after - before,
                                               .reason = "interface_drops"});
    i->told_until = drops->to;
}

static nanos pcapng_option_time(const struct pcapng_state *s, const struct pcapng_interface *i,
                                const struct pcapng_option *option)
{
    struct reader r = reader_of(option->value);
    uint64_t ticks = (uint64_t)pcapng_u32(s, &r) << 32;
    ticks |= pcapng_u32(s, &r);
    return r.bad ? 0 : pcapng_time(i, ticks);
}

// Section 4.6.
bool pcapng_read_statistics(struct capture_file *f, struct pcapng_state *s, struct reader body)
{
    uint32_t number = pcapng_u32(s, &body);
    uint64_t ticks = (uint64_t)pcapng_u32(s, &body) << 32;
    ticks |= pcapng_u32(s, &body);
    if (body.bad || number >= s->interface_count - s->section_first) return false;
    struct pcapng_interface *i = &s->interfaces[s->section_first + number];
    struct pcapng_drops drops = {.to = pcapng_time(i, ticks)};
    uint64_t interface_drops = 0, system_drops = 0;
    const char *reason = NULL;
    struct pcapng_option option;
    for (unsigned n = 0; n < PCAPNG_OPTIONS_MAX && pcapng_next_option(s, &body, &option); n++) {
        if (option.code == OPTION_COMMENT) {
            const char *meant = pcapng_reason(option.value);
            if (meant) reason = meant;
            else capture_add_comment(f, option.value);
        }
        if (option.code == OPTION_STATISTICS_FROM) drops.from = pcapng_option_time(s, i, &option);
        if (option.code == OPTION_STATISTICS_TO) drops.to = pcapng_option_time(s, i, &option);
        if (option.code == OPTION_INTERFACE_DROPS) interface_drops = pcapng_option_u64(s, &option);
        if (option.code == OPTION_SYSTEM_DROPS) system_drops = pcapng_option_u64(s, &option);
    }
    if (reason) {
        struct capture_loss loss = {
            .from = drops.from, .to = drops.to, .messages = interface_drops, .reason = reason};
        pcapng_tell_loss(f, i, loss);
        return true;
    }
    if (__builtin_add_overflow(interface_drops, system_drops, &drops.told)) drops.told = UINT64_MAX;
    pcapng_add_drops(f, i, &drops);
    return true;
}

bool pcapng_read_secrets(struct capture_file *f, struct pcapng_state *s, struct reader body)
{
    uint32_t type = pcapng_u32(s, &body), length = pcapng_u32(s, &body);
    bytes secret = read_bytes(&body, length);
    if (body.bad) return false;
    if (f->secrets.take) f->secrets.take(f->secrets.context, f->info->number, type, secret);
    return true;
}

void pcapng_read_packet_options(struct capture_file *f, struct pcapng_state *s,
                                struct pcapng_interface *i, struct reader options)
{
    struct pcapng_option option;
    for (unsigned n = 0; n < PCAPNG_OPTIONS_MAX && pcapng_next_option(s, &options, &option); n++) {
        if (option.code == OPTION_COMMENT) capture_add_comment(f, option.value);
        if (option.code == OPTION_COMMENT && f->comments.take)
            f->comments.take(f->comments.context, f->ordinal - 1, option.value);
        if (option.code == OPTION_PACKET_DROPS)
            pcapng_add_drops(f, i,
                             &(struct pcapng_drops){.between = pcapng_option_u64(s, &option),
                                                    .to = f->last_time});
    }
}

__extension__ typedef __int128
    wide_nanos; // ticks and seconds of 64 bits, in nanoseconds: less than 2^94

nanos pcapng_time_slow(const struct pcapng_interface *i, uint64_t ticks)
{
    unsigned n = i->resolution & 0x7f;
    wide_nanos t = (wide_nanos)ticks * NANOS_PER_SECOND;
    if (i->resolution & RESOLUTION_BINARY) {
        t >>= n;
    } else {
        for (unsigned digit = 0; digit < n && t > 0; digit++) t /= 10;
    }
    t += (wide_nanos)i->offset_s * NANOS_PER_SECOND;
    if (t >= INT64_MAX) return INT64_MAX - 1;
    if (t <= 0) return 0;
    return (nanos)t;
}
