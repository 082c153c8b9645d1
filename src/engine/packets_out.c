#include "engine/packets_out.h"

#include "base/hash.h"
#include "base/memory.h"
#include "decode/decode.h"
#include "record/packet_message.h"
#include "source/link_type.h"

struct packets_out {
    struct kafka_writer *writer;
    enum packet_form form;
    uint16_t link_type; // of frames
    uint64_t too_long;
    struct decoder decoder;
    struct packet_batch *batch; // of one packet
    uint8_t message[PACKET_MESSAGE_HEAD + PACKET_MESSAGE_MAX];
};

static bool set_form(struct packets_out *o, struct err *err)
{
    const char *format = kafka_writer_format(o->writer);
    if (!packet_form_of(*format ? format : "pcap", &o->form) || o->form == PACKET_FORM_ANY)
        return err_set(err, ERR_USAGE, "format=%s: packets become messages as pcap or frame",
                       format);
    return link_type_parse(kafka_writer_link(o->writer), &o->link_type, err);
}

struct packets_out *packets_out_open(const char *url, const char *more,
                                     const struct kafka_writer_options *options, struct err *err)
{
    struct packets_out *o = memory_get(sizeof *o);
    struct kafka_writer_options by_number = *options;
    by_number.by_number = true;
    decoder_init(&o->decoder);
    o->batch = packet_batch_create();
    o->writer = kafka_writer_open(url, more, &by_number, err);
    if (o->writer && set_form(o, err)) return o;
    packets_out_close(o);
    return NULL;
}

void packets_out_close(struct packets_out *o)
{
    if (!o) return;
    kafka_writer_close(o->writer);
    packet_batch_destroy(o->batch);
    decoder_deinit(&o->decoder);
    memory_free(o);
}

// ---- which partition ----------------------------------------------------------------------------

// The addresses of the IP header at hand, whichever is which; nothing when it is not whole.
static uint64_t hash_addresses(bytes header)
{
    bool is_v6 = header.n && header.p[0] >> 4 == 6;
    size_t from = is_v6 ? 8 : 12, size = is_v6 ? 16 : 4;
    if (header.n < from + 2 * size) return 0;
    return table_hash(header.p + from, size, 0) + table_hash(header.p + from + size, size, 0);
}

// Later fragments have no ports, and what completes them has those of all.
static uint64_t number_of(struct packets_out *o, const struct packet *frame)
{
    struct packet *p = &o->batch->packets[0];
    packet_batch_clear(o->batch);
    *p = *frame;
    o->batch->count = 1;
    decode_batch(&o->decoder, o->batch);
    if (p->class_ == PACKET_HELD || p->frame_count || p->is_fragment) {
        size_t header = p->frame_count ? 0 : p->network_offset;
        return hash_addresses(bytes_after(bytes_of(p->data, p->captured), header));
    }
    if (p->class_ != PACKET_IP) return 0;
    struct conversation_key key = p->key;
    key.scope = 0; // as in Community ID, networks have no part in it
    return table_hash(&key, sizeof key, 0);
}

// ---- sending ------------------------------------------------------------------------------------

static bool is_frame(const struct packets_out *o, const struct packet *p, struct err *err)
{
    if (p->link_type == o->link_type) return true;
    const char *name = link_type_name(p->link_type);
    return err_set(err, ERR_INPUT,
                   "packets of link type %s (%u) are no frames as the topic has them: "
                   "format=pcap tells of each packet what it is, link= of all of them",
                   name ? name : "?", p->link_type);
}

bool packets_out_take(struct packets_out *o, const struct packet *p, struct err *err)
{
    uint8_t key[PACKET_MESSAGE_KEY];
    if (p->captured > PACKET_MESSAGE_MAX) {
        o->too_long++;
        return true;
    }
    uint64_t number = number_of(o, p);
    if (o->form == PACKET_FORM_FRAME) {
        if (!is_frame(o, p, err)) return false;
        packet_message_key(p, key);
        return kafka_writer_send_by(o->writer, number, bytes_of(key, sizeof key),
                                    bytes_of(p->data, p->captured), err);
    }
    packet_message_head(p, o->message);
    memcpy(o->message + PACKET_MESSAGE_HEAD, p->data, p->captured);
    return kafka_writer_send_by(o->writer, number, bytes_of(NULL, 0),
                                bytes_of(o->message, PACKET_MESSAGE_HEAD + p->captured), err);
}

bool packets_out_batch(void *out, const struct packet_batch *batch, struct err *err)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < batch->count; i++)
        ok = packets_out_take(out, &batch->packets[i], err);
    return ok;
}

bool packets_out_end(struct packets_out *o, struct err *err)
{
    return kafka_writer_flush(o->writer, err);
}

struct packets_out_counts packets_out_counts(const struct packets_out *o)
{
    struct kafka_writer_counts n = kafka_writer_counts(o->writer);
    return (struct packets_out_counts){n.sent + o->too_long, n.delivered, n.failed, o->too_long};
}
