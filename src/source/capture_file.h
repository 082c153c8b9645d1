// One capture while it is read: the block reader, the format's state, and what is known of the
// capture so far.
//
// A format is one file with a constant struct capture_format, and one line in capture_file.c. Its
// fill puts packets into a batch directly, without a call for each; capture_deliver below does what
// all formats have in common.
//
// One thread.
#pragma once

#include "source/block.h"
#include "source/interface.h"
#include "source/packet_filter.h"
#include "source/source.h"

enum {
    // libpcap's MAXIMUM_SNAPLEN: more is believed only where a snap length says so.
    PACKET_CAPTURED_USUAL = 262144,
    PACKET_CAPTURED_MAX = 16 * 1024 * 1024, // and never more than this
    FILL_EXAMINED_MAX = 2048, // records looked at in one call, when a filter leaves them out
    CAPTURE_MAGIC_SIZE = 16,
};

enum fill_result {
    FILL_GO,   // the batch is full, or enough was looked at
    FILL_HELD, // the next packet is later than `until`: its time is in head_time
    FILL_END,
};

struct capture_file;

struct capture_format {
    const char *name;
    // Whether a file that begins with these bytes (CAPTURE_MAGIC_SIZE, or all there is) is of this
    // format.
    bool (*recognise)(bytes first);
    // Reads the header; state_size zeroed bytes are at f->state. A header that is cut is no
    // failure: fill finds the end.
    void (*begin)(struct capture_file *f);
    // Adds packets not later than `until` to the batch.
    enum fill_result (*fill)(struct capture_file *f, struct packet_batch *out, nanos until);
    void (*end)(struct capture_file *f); // gives back what the state holds; may be NULL
    // What must be known of the packets before, to go on behind them at another place: as a number,
    // and back. NULL when nothing must.
    uint64_t (*save)(const struct capture_file *f);
    void (*resume)(struct capture_file *f, uint64_t saved);
    // Reads the block at hand, which capture_describes was told of. NULL when there are none.
    void (*describe)(struct capture_file *f);
    // Fills in what is known of the interface of a packet that was delivered, beside its link type;
    // NULL: nothing is.
    void (*interface)(const struct capture_file *f, uint16_t number, struct capture_interface *out);
    size_t state_size;
};

// Where pcapng's decryption secrets go.
struct capture_secrets {
    void *context;
    void (*take)(void *context, uint32_t capture, uint32_t type, bytes secret);
};

// Where a capture goes that is kept, and what is known of where its packets lie.
struct capture_keeping {
    const struct capture_sink *sink; // NULL: nobody wants to know
    void *kept;                      // the sink's handle
    struct capture_map map;
    uint64_t point_next;   // the next point lies here or behind
    bool hash_content;     // it is compressed: the file's hash is not that of the content
    struct sha256 content; // in the thread beside
};

// Where the comments of packets go, if anybody asks.
struct capture_comments {
    void *context;
    void (*take)(void *context, uint64_t ordinal, bytes comment);
};

struct capture_file {
    struct block_reader in;
    const struct capture_format *format;
    void *state;
    struct capture_info *info;
    struct packet_filter *filter; // NULL: all packets
    struct capture_secrets secrets;
    struct capture_keeping keeping;
    struct capture_comments comments;
    uint64_t ordinal; // of the next packet
    nanos last_time;  // of the packet before; 0 at the beginning
    nanos head_time;  // see FILL_HELD
};

struct capture_file_options {
    struct aside *hasher;         // or NULL
    struct packet_filter *filter; // or NULL
    struct capture_secrets secrets;
    const struct capture_sink *sink; // or NULL
    struct aside *keeper;            // gives the sink what it keeps; there when `keep`
    bool keep;
};

// Reads a capture. `info` (with path and number) is kept and filled in; everything in `options` is
// borrowed until the file is closed. NULL and err when it is not a capture.
struct capture_file *capture_file_open(const struct block_input *input, struct capture_info *info,
                                       const struct capture_file_options *options, struct err *err);
// What the file ends in: sizes, hash, truncation. After FILL_END; false and err when reading
// failed.
bool capture_file_finish(struct capture_file *f, struct err *err);
void capture_file_close(struct capture_file *f); // NULL is fine
void capture_info_deinit(struct capture_info *info);

// Between two packets: notes for those who come back where it is, now and then.
void capture_file_note(struct capture_file *f);
// The block at hand is needed by later packets.
void capture_describes(struct capture_file *f);
// Goes on at `point`, behind where it is; the descriptions on the way there are read.
void capture_file_jump(struct capture_file *f, const struct capture_map *map,
                       const struct capture_point *point);
// Why reading failed. Always false.
bool capture_file_error(const struct capture_file *f, struct err *err);

// Adds the name to info->link_types, and lets the filter see whether it can be compiled for it.
void capture_add_link_type(struct capture_file *f, uint16_t link_type);
void capture_add_comment(struct capture_file *f, bytes comment);

void capture_add_loss(struct capture_file *f, const struct capture_loss *loss);

// Skips n bytes as damaged.
static inline void capture_skip_damage(struct capture_file *f, size_t n)
{
    block_skip(&f->in, n);
    f->info->damaged_bytes += n;
}

// The data end within a record: what is there of it is no packet.
enum fill_result capture_end_cut(struct capture_file *f);

struct capture_packet {
    size_t offset; // of its data in the view
    uint32_t captured, length;
    nanos time;
    uint16_t link_type, interface;
    bool timeless; // the format gives it no time
};

// Counts the packet at the view's beginning and, unless the filter leaves it out, adds it to the
// batch.
static inline void capture_deliver(struct capture_file *f, struct packet_batch *out,
                                   const struct capture_packet *c)
{
    struct capture_info *info = f->info;
    const uint8_t *data = bytes_after(block_view(&f->in), c->offset).p;
    uint64_t ordinal = f->ordinal++;
    info->packets++;
    info->packet_bytes += c->length;
    info->captured_bytes += c->captured;
    info->packets_backwards += c->time < f->last_time;
    f->last_time = c->time;
    if (c->time < info->first_seen && !c->timeless) info->first_seen = c->time;
    if (c->time > info->last_seen && !c->timeless) info->last_seen = c->time;
    if (f->filter &&
        !packet_filter_passes(f->filter, c->link_type, bytes_of(data, c->captured), c->length)) {
        info->packets_filtered++;
        return;
    }
    struct packet *p = &out->packets[out->count++];
    p->data = data;
    p->captured = c->captured;
    p->length = c->length;
    p->time = c->time;
    p->watermark = 0;
    p->ordinal = ordinal;
    p->capture = info->number;
    p->link_type = c->link_type;
    p->interface = c->interface;
    if (out->buffer_count == 0 || out->buffers[out->buffer_count - 1] != f->in.buffer) {
        packet_batch_keep(out, f->in.buffer);
    }
}

static inline enum fill_result capture_hold(struct capture_file *f, nanos time)
{
    f->head_time = time;
    return FILL_HELD;
}
