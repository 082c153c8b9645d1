#include "source/capture_writer.h"

#include "source/pcapng.h"

enum {
    RESOLUTION_NANO = 9,     // 10^-9
    OPTION_SIZE_MAX = 65532, // that a block's option can have, padded
    SECTION_BYTE_ORDER = 0x1a2b3c4d,
};

static void put(struct capture_writer *w, bytes b)
{
    if (b.n) fwrite(b.p, 1, b.n, w->out);
}

static void put_u16(struct capture_writer *w, uint16_t v)
{
    uint8_t b[] = {(uint8_t)v, (uint8_t)(v >> 8)};
    put(w, bytes_of(b, sizeof b));
}

static void put_u32(struct capture_writer *w, uint32_t v)
{
    put_u16(w, (uint16_t)v);
    put_u16(w, (uint16_t)(v >> 16));
}

static uint32_t padded(size_t n)
{
    return (uint32_t)((n + 3) / 4 * 4);
}

static void put_padded(struct capture_writer *w, bytes b)
{
    static const uint8_t zeros[4] = {0};
    put(w, b);
    put(w, bytes_of(zeros, padded(b.n) - b.n));
}

// Section 3.5. An empty value is no option.
static uint32_t option_size(bytes value)
{
    return value.n ? 4 + padded(bytes_first(value, OPTION_SIZE_MAX).n) : 0;
}

static void put_option(struct capture_writer *w, uint16_t code, bytes value)
{
    if (!value.n) return;
    value = bytes_first(value, OPTION_SIZE_MAX);
    put_u16(w, code);
    put_u16(w, (uint16_t)value.n);
    put_padded(w, value);
}

static void put_options_end(struct capture_writer *w)
{
    put_u32(w, 0);
}

// Section 4.1; the length of the section is left open.
void capture_write_begin(struct capture_writer *w, FILE *out, const char *program)
{
    *w = (struct capture_writer){.out = out};
    bytes name = bytes_text(program);
    uint32_t size = 28 + option_size(name) + 4;
    put_u32(w, PCAPNG_SECTION);
    put_u32(w, size);
    put_u32(w, SECTION_BYTE_ORDER);
    put_u16(w, 1);
    put_u16(w, 0);
    put_u32(w, UINT32_MAX);
    put_u32(w, UINT32_MAX);
    put_option(w, OPTION_PROGRAM, name);
    put_options_end(w);
    put_u32(w, size);
}

// Section 4.2.
uint32_t capture_write_interface(struct capture_writer *w, const struct capture_interface *i)
{
    static const uint8_t resolution[] = {RESOLUTION_NANO};
    bytes name = bytes_text(i->name), nano = bytes_of(resolution, sizeof resolution);
    uint32_t size = 20 + option_size(name) + option_size(nano) + 4;
    put_u32(w, PCAPNG_INTERFACE);
    put_u32(w, size);
    put_u16(w, i->link_type);
    put_u16(w, 0);
    put_u32(w, i->snap_length);
    put_option(w, OPTION_INTERFACE_NAME, name);
    put_option(w, OPTION_RESOLUTION, nano);
    put_options_end(w);
    put_u32(w, size);
    return w->interface_count++;
}

static void put_time(struct capture_writer *w, nanos time)
{
    uint64_t ticks = (uint64_t)(time > 0 ? time : 0);
    put_u32(w, (uint32_t)(ticks >> 32));
    put_u32(w, (uint32_t)ticks);
}

static void put_time_option(struct capture_writer *w, uint16_t code, nanos time)
{
    put_u16(w, code);
    put_u16(w, sizeof(uint64_t));
    put_time(w, time);
}

static void put_count_option(struct capture_writer *w, uint16_t code, uint64_t count)
{
    put_u16(w, code);
    put_u16(w, sizeof count);
    put_u32(w, (uint32_t)count);
    put_u32(w, (uint32_t)(count >> 32));
}

// Section 4.6.
void capture_write_statistics(struct capture_writer *w, uint32_t interface,
                              const struct capture_statistics *s)
{
    enum { NUMBER_OPTION = 12 };
    bytes comment = bytes_text(s->comment ? s->comment : "");
    uint32_t size = 24 + (comment.n ? 3 : 5) * NUMBER_OPTION + option_size(comment) + 4;
    put_u32(w, PCAPNG_STATISTICS);
    put_u32(w, size);
    put_u32(w, interface);
    put_time(w, s->to);
    put_option(w, OPTION_COMMENT, comment);
    put_time_option(w, OPTION_STATISTICS_FROM, s->from);
    put_time_option(w, OPTION_STATISTICS_TO, s->to);
    if (!comment.n) put_count_option(w, OPTION_RECEIVED, s->received);
    put_count_option(w, OPTION_INTERFACE_DROPS, s->interface_drops);
    if (!comment.n) put_count_option(w, OPTION_SYSTEM_DROPS, s->system_drops);
    put_options_end(w);
    put_u32(w, size);
}

// Section 4.3.
void capture_write_packet(struct capture_writer *w, uint32_t interface, const struct packet *p,
                          const bytes *comments, unsigned comment_count)
{
    uint32_t options = 0;
    for (unsigned i = 0; i < comment_count; i++) options += option_size(comments[i]);
    if (options) options += 4;
    uint32_t size = 32 + padded(p->captured) + options;
    put_u32(w, PCAPNG_ENHANCED_PACKET);
    put_u32(w, size);
    put_u32(w, interface);
    put_time(w, p->time);
    put_u32(w, p->captured);
    put_u32(w, p->length);
    put_padded(w, bytes_of(p->data, p->captured));
    for (unsigned i = 0; i < comment_count; i++) put_option(w, OPTION_COMMENT, comments[i]);
    if (options) put_options_end(w);
    put_u32(w, size);
}
