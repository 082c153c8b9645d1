#include "service/gather.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "bus/kafka_place.h"
#include "decode/decode.h"
#include "record/loss.h"
#include "service/topics.h"
#include "source/connections.h"
#include "source/datagrams.h"
#include "source/source.h"

enum {
    IPFIX_HEADER = 16,
    PROTO_UDP = 17,
    POLL_MS = 100,
    HOST_MAX = 256,
    ROUNDS_MAX = 16,
    DRAIN_ROUNDS_MAX = 64,
    MESSAGE_MAX = UINT16_MAX,
    HEAD_SIZE = 4,
};
#define FLOW_FILE_MAX ((size_t)1 << 32)

// ---- captures -----------------------------------------------------------------------------------

static void gather_packet(struct collector *c, const struct packet *p)
{
    if (p->class_ != PACKET_IP || p->key.proto != PROTO_UDP || !p->payload_captured) return;
    struct export_message m = {
        .data = bytes_of(p->data + p->payload_offset, p->payload_captured),
        .from = p->side ? p->key.b : p->key.a,
        .port = p->side ? p->key.port_b : p->key.port_a,
        .received = p->time,
    };
    collector_take(c, &m);
}

static bool is_stopped(const struct gather_options *options)
{
    return options->stop && atomic_load(options->stop);
}

static bool gather_capture(const struct gather_options *options, struct source *source,
                           struct collector *c, struct err *err)
{
    struct decoder *decoder = memory_get(sizeof *decoder);
    struct packet_batch *batch = packet_batch_create();
    enum source_result result = SOURCE_END;
    decoder_init(decoder);
    while (!is_stopped(options) && (result = source_read(source, batch, err)) == SOURCE_PACKETS) {
        decode_batch(decoder, batch);
        for (uint32_t i = 0; i < batch->count; i++) gather_packet(c, &batch->packets[i]);
        packet_batch_clear(batch);
    }
    packet_batch_destroy(batch);
    decoder_deinit(decoder);
    memory_free(decoder);
    return result != SOURCE_FAILED;
}

// ---- files of messages --------------------------------------------------------------------------

static bool is_messages(bytes content)
{
    struct reader r = reader_of(content);
    uint16_t version = read_be16(&r), length = read_be16(&r);
    return !r.bad && version == IPFIX && length >= IPFIX_HEADER;
}

static bytes head_of(const char *path, uint8_t memory[HEAD_SIZE])
{
    FILE *file = fopen(path, "rbe");
    size_t n = file ? fread(memory, 1, HEAD_SIZE, file) : 0;
    if (file) fclose(file);
    return bytes_of(memory, n);
}

bool gather_is_file(const char *path)
{
    uint8_t memory[HEAD_SIZE];
    bytes head = head_of(path, memory);
    return is_messages(head) || nfdump_recognise(head);
}

// Messages of a file, as far as they were read: room for two of the longest.
struct window {
    FILE *file;
    size_t from, to;
    uint8_t bytes[2 * MESSAGE_MAX];
};

static bytes window_next(struct window *w)
{
    if (w->to - w->from < MESSAGE_MAX) {
        memmove(w->bytes, w->bytes + w->from, w->to - w->from);
        w->to -= w->from;
        w->from = 0;
        w->to += fread(w->bytes + w->to, 1, sizeof w->bytes - w->to, w->file);
    }
    return bytes_of(w->bytes + w->from, w->to - w->from);
}

// A file is one session of its own, as a connection is. What is no message ends it, and is counted
// as one.
static bool gather_messages(const struct gather_options *options, const char *path, uint64_t number,
                            struct collector *c, struct err *err)
{
    struct export_message m = {.connection = number};
    struct window *w = memory_get(sizeof *w);
    bytes content = {0};
    w->file = fopen(path, "rbe");
    if (!w->file) {
        memory_free(w);
        return err_system(err, errno, "cannot read %s", path);
    }
    while (!is_stopped(options) && is_messages(content = window_next(w))) {
        struct reader r = reader_of(content);
        read_be16(&r);
        uint16_t length = read_be16(&r);
        m.data = bytes_first(content, length);
        m.received = (nanos)read_be32(&r) * NANOS_PER_SECOND;
        collector_take(c, &m);
        w->from += m.data.n;
    }
    m.data = content;
    if (content.n && !is_stopped(options)) collector_take(c, &m);
    bool ok = !ferror(w->file) || err_system(err, errno, "cannot read %s", path);
    fclose(w->file);
    memory_free(w);
    return ok;
}

// ---- sockets ------------------------------------------------------------------------------------

// Where messages arrive: one of both.
struct gather_port {
    struct datagrams *datagrams;
    struct connections *connections;
    uint64_t dropped; // told so far
};

struct gathering {
    const struct gather_options *options;
    struct collector *collector;
    struct record_writer *writer;
    struct gather_counts *counts;
    struct gather_port ports[GATHER_INPUTS_MAX];
    struct pollfd polled[GATHER_INPUTS_MAX + TOPICS_MAX];
    uint32_t port_count;
    uint64_t files; // of messages, so far
    nanos now;      // time of the last message
    bool more;      // a topic may have more at once
};

static const struct scheme {
    const char *prefix, *transport;
    uint16_t port; // when none is named; 0: one must be
} schemes[] = {
    {"udp://", "UDP", 0},
    {"ipfix://", "UDP", 4739},
    {"sflow://", "UDP", 6343},
    {"tcp://", "TCP", 4739},
};

// NULL when the input is no port.
static const struct scheme *scheme_of(const char *input)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(input, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) return &schemes[i];
    return NULL;
}

bool gather_is_port(const char *input)
{
    return scheme_of(input);
}

bool gather_is_datagrams(const char *input)
{
    const struct scheme *s = scheme_of(input);
    return s && strcmp(s->transport, "UDP") == 0;
}

static bool place_parse(const struct scheme *s, const char *input, char host[HOST_MAX],
                        uint16_t *port, struct err *err)
{
    const char *digits, *place = input + strlen(s->prefix);
    char *end = "";
    bool fits = place_split(place, host, HOST_MAX, &digits);
    unsigned long n = digits ? strtoul(digits, &end, 10) : s->port;
    *port = (uint16_t)n;
    return (fits && (digits || s->port) && !*end && n <= UINT16_MAX) ||
           err_set(err, ERR_USAGE, "\"%s\" names no port: %sHOST:PORT, or %s:PORT", input,
                   s->prefix, s->prefix);
}

bool gather_check(const char *input, struct err *err)
{
    const struct scheme *s = scheme_of(input);
    char host[HOST_MAX];
    uint16_t port;
    return !s || place_parse(s, input, host, &port, err);
}

static bool gather_listen(struct gathering *g, const char *input, struct err *err)
{
    const struct scheme *s = scheme_of(input);
    char host[HOST_MAX];
    uint16_t port = 0;
    if (g->port_count == GATHER_INPUTS_MAX)
        return err_set(err, ERR_USAGE, "more than %d inputs", GATHER_INPUTS_MAX);
    if (!place_parse(s, input, host, &port, err)) return false;
    if (g->options->is_shared && !port)
        return err_set(err, ERR_USAGE,
                       "\"%s\" leaves the port open: several sockets need one that is named",
                       input);
    struct gather_port p = {0};
    bool is_tcp = strcmp(s->transport, "TCP") == 0;
    if (is_tcp) p.connections = connections_open(host, port, err);
    else p.datagrams = datagrams_open(host, port, g->options->buffer, g->options->is_shared, err);
    if (!p.connections && !p.datagrams) return false;
    int fd = is_tcp ? connections_descriptor(p.connections) : datagrams_descriptor(p.datagrams);
    port = is_tcp ? connections_port(p.connections) : datagrams_port(p.datagrams);
    g->polled[g->port_count] = (struct pollfd){fd, POLLIN, 0};
    g->ports[g->port_count++] = p;
    if (g->options->listening)
        g->options->listening(g->options->context, input, s->transport, port);
    return true;
}

// What the kernel had no room for since it was told last.
static void gather_tell_drops(struct gathering *g)
{
    for (uint32_t i = 0; i < g->port_count; i++) {
        struct datagrams *d = g->ports[i].datagrams;
        uint64_t dropped = d ? datagrams_dropped(d) - g->ports[i].dropped : 0;
        if (!dropped) continue;
        char point[32];
        snprintf(point, sizeof point, "udp port %u", datagrams_port(d));
        struct loss loss = {"collect", "kernel_drops",     g->now,
                            g->now,    .packets = dropped, .point = point};
        loss_tell(g->writer, &loss);
        g->ports[i].dropped += dropped;
        g->counts->dropped += dropped;
    }
}

// Takes what is there, but not for ever: others wait too.
static bool gather_datagrams(struct gathering *g, struct datagrams *d, struct err *err)
{
    const struct datagram *list;
    int n = DATAGRAMS_AT_ONCE;
    for (unsigned round = 0; round < ROUNDS_MAX && n == DATAGRAMS_AT_ONCE; round++) {
        n = datagrams_read(d, &list, err);
        for (int i = 0; i < n; i++) {
            struct export_message m = {list[i].data, list[i].from, list[i].port, 0,
                                       list[i].received};
            g->now = m.received;
            g->counts->bytes += m.data.n;
            collector_take(g->collector, &m);
        }
        if (n > 0) g->counts->datagrams += (uint64_t)n;
    }
    return n >= 0;
}

// Connections are asked in every round: they may be overdue when nothing comes.
static bool gather_read(struct gathering *g, uint32_t i, struct err *err)
{
    const struct gather_port *p = &g->ports[i];
    if (p->datagrams) return !g->polled[i].revents || gather_datagrams(g, p->datagrams, err);
    uint64_t first = (uint64_t)(i + 1) << 48;
    nanos now = g->options->clock();
    if (now > g->now) g->now = now;
    return gather_connections(g->options, p->connections, first, g->collector, g->writer, g->counts,
                              err);
}

static bool gather_rest(struct gathering *g, struct err *err)
{
    gather_tell_drops(g);
    return !g->options->rest || g->options->rest(g->options->context, g->now, err);
}

static bool gather_topics(struct gathering *g, bool *more, struct err *err)
{
    if (!g->options->topics) return true;
    nanos now = g->options->clock();
    if (now > g->now) g->now = now;
    return topics_read(g->options->topics, now, more, err);
}

// `came`: something did, or is there still.
static bool gather_round(struct gathering *g, bool *came, struct err *err)
{
    uint32_t polled = g->port_count + topics_poll(g->options->topics, g->polled + g->port_count);
    int ready = poll(g->polled, polled, g->more ? 0 : POLL_MS);
    for (uint32_t i = 0; ready >= 0 && i < g->port_count; i++)
        if (!gather_read(g, i, err)) return false;
    if (!gather_topics(g, &g->more, err)) return false;
    *came = ready > 0 || g->more;
    return gather_rest(g, err);
}

// What the kernel has when it ends, and not what senders go on sending.
static bool gather_drain(struct gathering *g, struct err *err)
{
    for (unsigned round = 0; round < DRAIN_ROUNDS_MAX; round++) {
        if (poll(g->polled, g->port_count, 0) <= 0) return true;
        for (uint32_t i = 0; i < g->port_count; i++)
            if (!gather_read(g, i, err)) return false;
    }
    return true;
}

static bool gather_ports(struct gathering *g, struct err *err)
{
    const struct gather_options *o = g->options;
    nanos idle = 0;
    while ((g->port_count || o->topics) && !is_stopped(o)) {
        bool came;
        if (!gather_round(g, &came, err)) return false;
        idle = came ? 0 : idle + POLL_MS * NANOS_PER_MILLI;
        if (!g->port_count && topics_are_at_end(o->topics)) return true;
        if (o->idle && idle >= o->idle) return true;
    }
    return gather_drain(g, err);
}

// ---- files --------------------------------------------------------------------------------------

static bool gather_nfdump(struct gathering *g, const char *path, bytes content, struct err *err)
{
    struct nfdump_options options = {.input = path,
                                     .point = g->options->point ? g->options->point : "",
                                     .elements = g->options->elements};
    struct nfdump_counts n;
    if (!nfdump_read(content, &options, g->writer, &n, err)) return false;
    nfdump_counts_add(&g->counts->nfdump, &n);
    return true;
}

static bool gather_binary(struct gathering *g, const char *path, struct err *err)
{
    struct source_options options = {.paths = &path, .path_count = 1};
    bool ok = true;
    uint8_t memory[HEAD_SIZE];
    bytes head = head_of(path, memory);
    if (is_messages(head)) return gather_messages(g->options, path, ++g->files, g->collector, err);
    if (nfdump_recognise(head)) {
        bytes content = file_read(path, FLOW_FILE_MAX, err);
        if (!content.p) return false;
        ok = gather_nfdump(g, path, content, err);
        memory_free((void *)content.p);
        return ok;
    }
    struct source *source = source_open(&options, err);
    ok = source && gather_capture(g->options, source, g->collector, err);
    source_close(source);
    return ok;
}

static bool gather_file(struct gathering *g, const char *path, struct err *err)
{
    bool is_lines;
    if (!gather_lines(g->options, path, g->writer, &g->counts->lines, &is_lines, err)) return false;
    return is_lines || gather_binary(g, path, err);
}

bool gather(const struct gather_options *options, struct collector *c, struct record_writer *writer,
            struct gather_counts *counts, struct err *err)
{
    struct gathering *g = memory_get(sizeof *g);
    *g = (struct gathering){.options = options, .collector = c, .writer = writer, .counts = counts};
    bool ok = true;
    for (uint32_t i = 0; ok && i < options->input_count; i++)
        if (scheme_of(options->inputs[i])) ok = gather_listen(g, options->inputs[i], err);
    for (uint32_t i = 0; ok && i < options->input_count; i++)
        if (!scheme_of(options->inputs[i]) && !kafka_is_place(options->inputs[i]) &&
            !is_stopped(options))
            ok = gather_file(g, options->inputs[i], err);
    ok = ok && gather_ports(g, err);
    gather_tell_drops(g);
    for (uint32_t i = 0; i < g->port_count; i++) {
        datagrams_close(g->ports[i].datagrams);
        connections_close(g->ports[i].connections);
    }
    memory_free(g);
    return ok;
}
