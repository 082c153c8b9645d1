#include "source/capture_builder.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

struct build *build_create(bool big)
{
    struct build *b = memory_get(sizeof *b);
    b->big = big;
    return b;
}

void put_u8(struct build *b, uint8_t v)
{
    assert(b->n < BUILD_SIZE_MAX);
    b->p[b->n++] = v;
}

static void put_number(struct build *b, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        put_u8(b, (uint8_t)(v >> 8 * (b->big ? size - 1 - i : i)));
    }
}

void put_u16(struct build *b, uint16_t v)
{
    put_number(b, v, 2);
}

void put_u32(struct build *b, uint32_t v)
{
    put_number(b, v, 4);
}

void put_u64(struct build *b, uint64_t v)
{
    put_number(b, v, 8);
}

void put_fill(struct build *b, uint8_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) put_u8(b, v);
}

void pcap_put_header(struct build *b, uint32_t magic, uint32_t link_type)
{
    put_u32(b, magic);
    put_u16(b, 2);
    put_u16(b, 4);
    put_u64(b, 0);
    put_u32(b, 65535);
    put_u32(b, link_type);
}

void pcap_put_packet(struct build *b, uint32_t second, uint32_t fraction, uint32_t captured,
                     uint32_t length, uint8_t fill)
{
    put_u32(b, second);
    put_u32(b, fraction);
    put_u32(b, captured);
    put_u32(b, length);
    put_fill(b, fill, captured);
}

size_t block_begin(struct build *b, uint32_t type)
{
    size_t place = b->n;
    put_u32(b, type);
    put_u32(b, 0);
    return place;
}

void block_end(struct build *b, size_t place)
{
    put_fill(b, 0, (4 - (b->n - place) % 4) % 4);
    uint32_t size = (uint32_t)(b->n + 4 - place);
    put_u32(b, size);
    size_t end = b->n;
    b->n = place + 4;
    put_u32(b, size);
    b->n = end;
}

void option_put(struct build *b, uint16_t code, const void *value, uint16_t n)
{
    put_u16(b, code);
    put_u16(b, n);
    for (uint16_t i = 0; i < n; i++) put_u8(b, ((const uint8_t *)value)[i]);
    put_fill(b, 0, (4 - n % 4) % 4);
}

void section_put(struct build *b, const char *comment)
{
    size_t place = block_begin(b, 0x0a0d0d0a);
    put_u32(b, 0x1a2b3c4d);
    put_u16(b, 1);
    put_u16(b, 0);
    put_u64(b, UINT64_MAX);
    if (comment) {
        option_put(b, 1, comment, (uint16_t)strlen(comment));
        option_put(b, 0, NULL, 0);
    }
    block_end(b, place);
}

void interface_put(struct build *b, uint16_t link_type, int resolution)
{
    size_t place = block_begin(b, 1);
    put_u16(b, link_type);
    put_u16(b, 0);
    put_u32(b, 0);
    uint8_t value = (uint8_t)resolution;
    if (resolution >= 0) option_put(b, 9, &value, 1);
    if (resolution >= 0) option_put(b, 0, NULL, 0);
    block_end(b, place);
}

void enhanced_put(struct build *b, uint32_t interface, uint64_t ticks, uint32_t captured,
                  uint32_t length, uint8_t fill)
{
    size_t place = block_begin(b, 6);
    put_u32(b, interface);
    put_u32(b, (uint32_t)(ticks >> 32));
    put_u32(b, (uint32_t)ticks);
    put_u32(b, captured);
    put_u32(b, length);
    put_fill(b, fill, captured);
    block_end(b, place);
}

static struct seen seen_of(const struct packet *p)
{
    struct seen seen = {p->time,    p->ordinal,   p->captured,  p->length,
                        p->capture, p->link_type, p->interface, p->captured ? p->data[0] : 0,
                        false};
    for (uint32_t i = 0; i < p->captured; i++) seen.damaged |= p->data[i] != seen.fill;
    return seen;
}

static void readout_fill(struct readout *out, struct source *s)
{
    struct packet_batch *batch = packet_batch_create();
    enum source_result result;
    while ((result = source_read(s, batch, &out->err)) == SOURCE_PACKETS) {
        for (uint32_t i = 0; i < batch->count && out->count < READOUT_MAX; i++) {
            out->packets[out->count++] = seen_of(&batch->packets[i]);
        }
        packet_batch_clear(batch);
    }
    assert(result == SOURCE_END || out->err.code != ERR_NONE);
    packet_batch_destroy(batch);
    out->captures = source_capture_count(s);
    out->info = *source_capture(s, 0);
    if (out->info.loss_count)
        memcpy(out->losses, out->info.losses, out->info.loss_count * sizeof *out->losses);
    snprintf(out->comments, sizeof out->comments, "%s", out->info.comments);
    if (!capture_remark(&out->info, out->remark)) out->remark[0] = 0;
    source_secrets(s, &out->secrets);
}

static void readout_take(struct readout *out, struct source *s)
{
    out->opened = s != NULL;
    if (s) readout_fill(out, s);
    source_close(s);
}

static void readout_reset(struct readout *out)
{
    out->err = (struct err){0};
    out->count = out->captures = out->secrets = 0;
}

void read_memory(struct readout *out, bytes content, const char *bpf)
{
    readout_reset(out);
    struct source_options options = {.bpf = bpf};
    readout_take(out, source_open_memory(content, &options, &out->err));
}

void read_paths(struct readout *out, const char *const *paths, uint32_t count, const char *bpf)
{
    readout_reset(out);
    struct source_options options = {
        .paths = paths, .path_count = count, .bpf = bpf, .hash_captures = true};
    readout_take(out, source_open(&options, &out->err));
}

void file_put(const char *folder, const char *name, bytes content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t written = fd < 0 ? -1 : write(fd, content.p, content.n);
    assert(written == (ssize_t)content.n);
    close(fd);
}
