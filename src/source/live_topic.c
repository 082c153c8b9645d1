// A topic as a device. Its partitions are asked apart, and the earliest of their first packets
// comes next, so that the order does not depend on when brokers answer; where a partition is not in
// order of time itself, its packets come as they lie in it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bus/kafka_reader.h"
#include "record/packet_message.h"
#include "source/link_type.h"
#include "source/live_device.h"
#include "source/packet_filter.h"

enum { AT_ONCE = 4096, PARTITIONS_MAX = 4096, LINK_TYPES = 65536 };

enum head_state { HEAD_UNKNOWN, HEAD_THERE, HEAD_NONE_YET, HEAD_AT_END };

// What comes next of a partition.
struct head {
    enum head_state state;
    struct packet_message packet;
    nanos sent; // the message
};

struct missed {
    const char *comment;
    uint64_t messages;
    nanos from, to;
};

struct topic_device {
    struct live_device device;
    struct live_topic_options options;
    struct live_memory memory;
    struct kafka_reader *reader;
    struct packet_filter *filter; // or NULL
    enum packet_form form;
    uint16_t link_type; // of frames
    struct head *heads;
    int32_t head_count;
    unsigned link_count;
    bool has_link[LINK_TYPES];
    nanos began; // elapsed
    uint64_t received;
    nanos first; // time of the first packet
    struct missed undecodable, expired;
};

static struct topic_device *topic_of(struct live_device *d)
{
    return (struct topic_device *)d;
}

// ---- messages -----------------------------------------------------------------------------------

// False when packets come in more ways to be read than a capture tells apart.
static bool know_link(struct topic_device *t, uint16_t link_type)
{
    if (t->has_link[link_type]) return true;
    if (t->link_count == LIVE_LINK_TYPES_MAX) return false;
    t->link_count++;
    return t->has_link[link_type] = true;
}

static void miss(struct topic_device *t, nanos time)
{
    struct missed *m = &t->undecodable;
    if (!m->messages || time < m->from) m->from = time;
    if (!m->messages || time > m->to) m->to = time;
    m->messages++;
}

// Whether the message is a packet that is wanted.
static bool take_message(struct topic_device *t, const struct kafka_message *m, struct head *h)
{
    const struct packet_message *p = &h->packet;
    h->sent = m->time;
    if (!packet_message_read(t->form, t->link_type, m->key, m->value, &h->packet)) {
        miss(t, m->time);
        return false;
    }
    return !t->filter || packet_filter_passes(t->filter, p->link_type, p->data, p->length);
}

// Finds out what comes next of a partition; false on failure. Unknown when many messages were none.
static bool find_head(struct topic_device *t, int32_t partition)
{
    struct head *h = &t->heads[partition];
    struct kafka_message m;
    for (unsigned i = 0; h->state == HEAD_UNKNOWN && i < AT_ONCE; i++) {
        switch (kafka_reader_next(t->reader, partition, &m, &t->device.err)) {
        case KAFKA_MESSAGE:
            if (take_message(t, &m, h)) h->state = HEAD_THERE;
            else kafka_reader_pass(t->reader, partition);
            break;
        case KAFKA_NONE_YET:
            h->state = HEAD_NONE_YET;
            break;
        case KAFKA_AT_END:
            h->state = HEAD_AT_END;
            break;
        case KAFKA_FAILED:
            return false;
        }
    }
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

// The partition whose packet comes next; or why there is none.
static enum live_result choose(struct topic_device *t, int32_t *chosen)
{
    bool all_ended = true, all_known = true;
    *chosen = -1;
    for (int32_t i = 0; i < t->head_count; i++) {
        struct head *h = &t->heads[i];
        if (!find_head(t, i)) return LIVE_FAILED;
        all_known &= h->state == HEAD_THERE || h->state == HEAD_AT_END;
        all_ended &= h->state == HEAD_AT_END;
        if (h->state == HEAD_UNKNOWN) return LIVE_MORE;
        if (h->state == HEAD_THERE &&
            (*chosen < 0 || h->packet.time < t->heads[*chosen].packet.time))
            *chosen = i;
    }
    if (all_ended && t->head_count && t->options.until_end) return LIVE_ENDED;
    return all_known && *chosen >= 0 ? LIVE_MORE : LIVE_DRAINED;
}

static void give(struct topic_device *t, int32_t partition, struct live_queue *to)
{
    struct head *h = &t->heads[partition];
    const struct packet_message *p = &h->packet;
    struct live_queued queued = {.time = p->time,
                                 .captured = (uint32_t)p->data.n,
                                 .length = p->length,
                                 .link_type = p->link_type};
    h->state = HEAD_UNKNOWN;
    if (know_link(t, p->link_type)) {
        live_queue_put(to, &queued, p->data.p);
        if (!t->received++) t->first = p->time;
    } else {
        miss(t, h->sent);
    }
    kafka_reader_pass(t->reader, partition);
}

// Asks what is new, also of those that had nothing.
static bool begin_turn(struct topic_device *t)
{
    int32_t count = kafka_reader_turn(t->reader, live_pcap_clock.now(NULL), &t->device.err);
    if (count > PARTITIONS_MAX)
        return err_set(&t->device.err, ERR_INPUT,
                       "%s has more than %d partitions, too many to be joined by time",
                       kafka_reader_name(t->reader), PARTITIONS_MAX);
    if (count < 0) return false;
    if (count > t->head_count) {
        t->heads = memory_resize(t->heads, (size_t)count * sizeof *t->heads);
        for (int32_t i = t->head_count; i < count; i++) t->heads[i].state = HEAD_UNKNOWN;
        t->head_count = count;
    }
    for (int32_t i = 0; i < t->head_count; i++)
        if (t->heads[i].state != HEAD_THERE) t->heads[i].state = HEAD_UNKNOWN;
    return true;
}

static bool wants_to_end(const struct topic_device *t)
{
    const struct live_topic_options *o = &t->options;
    return (o->stop && __atomic_load_n(o->stop, __ATOMIC_RELAXED)) ||
           (o->duration && live_pcap_clock.elapsed(NULL) - t->began >= o->duration);
}

static enum live_result read_some(struct live_device *d, struct live_queue *to)
{
    struct topic_device *t = topic_of(d);
    int32_t partition;
    if (wants_to_end(t)) return LIVE_ENDED;
    if (!begin_turn(t)) return LIVE_FAILED;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        if (!live_queue_has_room(to)) return LIVE_MORE;
        enum live_result result = choose(t, &partition);
        if (result != LIVE_MORE || partition < 0) return result;
        give(t, partition, to);
    }
    return LIVE_MORE;
}

// ---- what live asks -----------------------------------------------------------------------------

static void count(struct live_device *d, uint64_t *received, uint64_t *dropped,
                  uint64_t *interface_dropped)
{
    *received = topic_of(d)->received;
    *dropped = *interface_dropped = 0;
}

static bool is_down(struct live_device *d, uint64_t *times)
{
    (void)d, (void)times;
    return false;
}

static int descriptor(const struct live_device *d)
{
    return kafka_reader_descriptor(((const struct topic_device *)d)->reader);
}

static bool tell_missed(struct missed *m, struct capture_statistics *s)
{
    if (!m->messages) return false;
    *s = (struct capture_statistics){
        .from = m->from, .to = m->to, .interface_drops = m->messages, .comment = m->comment};
    m->messages = 0;
    return true;
}

static bool missed(struct live_device *d, struct capture_statistics *s)
{
    struct topic_device *t = topic_of(d);
    // What nobody has seen was before what was seen.
    if (t->expired.messages) t->expired.from = t->expired.to = t->first;
    return tell_missed(&t->undecodable, s) || tell_missed(&t->expired, s);
}

static void resume(struct live_device *d, const struct live_memory *memory)
{
    topic_of(d)->memory = *memory;
}

static void positions(const struct live_device *d,
                      void (*take)(void *context, const char *input, uint64_t next), void *context)
{
    kafka_reader_positions(((const struct topic_device *)d)->reader, take, context);
}

static void kept(struct live_device *d)
{
    kafka_reader_kept(topic_of(d)->reader);
}

static void close_device(struct live_device *d)
{
    struct topic_device *t = topic_of(d);
    kafka_reader_close(t->reader);
    packet_filter_destroy(t->filter);
    memory_free(t->heads);
    memory_free(t);
}

static const struct live_device_calls calls = {
    read_some, count, is_down, descriptor, close_device, missed, resume, positions, kept};

// ---- opening ------------------------------------------------------------------------------------

static bool find_position(void *context, const char *input, uint64_t *next)
{
    const struct live_memory *m = &((const struct topic_device *)context)->memory;
    return m->position && m->position(m->context, input, next);
}

static void tell(void *context, const char *sentence)
{
    const struct topic_device *t = context;
    if (t->options.tell) t->options.tell(t->options.context, sentence);
}

static void tell_lost(void *context, const char *input, uint64_t messages)
{
    (void)input;
    ((struct topic_device *)context)->expired.messages += messages;
}

static bool set_form(struct topic_device *t, struct err *err)
{
    const char *format = kafka_reader_format(t->reader);
    if (*format && !packet_form_of(format, &t->form))
        return err_set(err, ERR_USAGE,
                       "format=%s: packets are in messages as pcap or frame; packets tells these "
                       "apart",
                       format);
    return link_type_parse(kafka_reader_link(t->reader), &t->link_type, err);
}

struct live_device *live_topic_open(const char *url, const struct live_topic_options *options,
                                    struct err *err)
{
    struct topic_device *t = memory_get(sizeof *t);
    struct kafka_reader_options reader = {
        .context = t, .position = find_position, .tell = tell, .lost = tell_lost, .is_apart = true};
    t->device.calls = &calls;
    t->options = *options;
    t->began = live_pcap_clock.elapsed(NULL);
    t->undecodable.comment = MESSAGES_UNDECODABLE;
    t->expired.comment = MESSAGES_EXPIRED;
    t->reader = kafka_reader_open(url, options->more, &reader, err);
    bool ok = t->reader && set_form(t, err);
    if (ok && options->bpf) {
        t->filter = packet_filter_create(options->bpf);
        ok = packet_filter_prepare(t->filter, t->link_type, err);
    }
    if (ok) {
        struct capture_interface *i = &t->device.interface;
        t->device.called = kafka_reader_name(t->reader);
        i->link_type = LIVE_LINK_UNKNOWN;
        i->snap_length = LIVE_PACKET_MAX;
        snprintf(i->name, sizeof i->name, "%s", kafka_reader_topic(t->reader));
        return &t->device;
    }
    close_device(&t->device);
    return NULL;
}
