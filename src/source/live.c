#include "source/live.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "bus/kafka_place.h"
#include "source/capture_writer.h"
#include "source/link_type.h"
#include "source/pcapng.h"

enum {
    WAIT_MILLISECONDS = 100,
    WAIT_HELD_MILLISECONDS = 20, // while packets wait for those of other interfaces
    PACKET_HEADER = 28,
    PACKET_FRAMING = PACKET_HEADER + 4,
};
#define LOOK_EVERY (100 * NANOS_PER_MILLI) // whether interfaces are down
#define COUNT_EVERY NANOS_PER_SECOND
#define END_PATIENCE                                                                               \
    (3 * NANOS_PER_SECOND) // with what the kernel holds, when more comes all the time

struct tapped {
    struct live_device *device; // NULL when it is gone
    bool has_ended;
    char name[INTERFACE_NAME_MAX];
    struct live_queue queue;
    nanos reached;                           // whatever comes from it now is later
    struct capture_statistics counted, told; // since it was opened; and of that, what was told
    struct capture_statistics before;        // counted before this capture began
    // Its interfaces in the capture: one for each link type.
    struct {
        uint16_t link_type;
        uint32_t number;
    } links[LIVE_LINK_TYPES_MAX];
    unsigned link_count;
    uint64_t downs;
    nanos down_since; // 0: it is up
    nanos up_until;   // when it was last seen up
};

struct live {
    struct capture_content content;
    struct live_options options;
    struct live_clock clock;
    struct tapped *tapped;
    uint32_t count, gone, described;
    char *name;
    bytes left;   // what comes before the next packet; lies in one of the two
    char *blocks; // of open_memstream
    size_t blocks_size;
    uint8_t *packet;                             // one that did not fit
    nanos now, began;                            // by the clock: in the last round, at first
    nanos started, packet_came, looked, counted; // elapsed
    nanos ends;                                  // elapsed; 0: nothing says that it ends
    uint64_t given, given_before;                // packets; and before this capture
    bool is_last_round, ended;                   // ended: this capture
    bool wants_cut;
};

// ---- blocks -------------------------------------------------------------------------------------

// Blocks other than packets are written as into any file.
static struct capture_writer blocks_begin(struct live *l)
{
    assert(l->left.n == 0);
    free(l->blocks);
    l->blocks = NULL;
    struct capture_writer w = {.out = open_memstream(&l->blocks, &l->blocks_size)};
    assert(w.out);
    return w;
}

static void blocks_end(struct live *l, struct capture_writer *w)
{
    fclose(w->out);
    l->left = bytes_of(l->blocks, l->blocks_size);
}

static void describe(struct live *l, struct capture_writer *w, struct tapped *t, uint16_t link_type)
{
    struct capture_interface interface = t->device->interface;
    assert(t->link_count < LIVE_LINK_TYPES_MAX);
    interface.link_type = link_type;
    capture_write_interface(w, &interface);
    t->links[t->link_count].link_type = link_type;
    t->links[t->link_count++].number = l->described++;
}

static void begin_capture(struct live *l)
{
    struct capture_writer w = blocks_begin(l);
    capture_write_begin(&w, w.out, l->options.program);
    l->described = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        l->tapped[i].link_count = 0;
        uint16_t link_type = l->tapped[i].device->interface.link_type;
        if (link_type != LIVE_LINK_UNKNOWN) describe(l, &w, &l->tapped[i], link_type);
    }
    blocks_end(l, &w);
}

// The number of the interface for packets of this link type; false when it has to be read first.
static bool find_interface(struct live *l, struct tapped *t, uint16_t link_type, uint32_t *number)
{
    for (unsigned i = 0; i < t->link_count; i++) {
        *number = t->links[i].number;
        if (t->links[i].link_type == link_type) return true;
    }
    struct capture_writer w = blocks_begin(l);
    describe(l, &w, t, link_type);
    blocks_end(l, &w);
    return false;
}

static void count_one(struct tapped *t)
{
    struct capture_statistics *s = &t->counted;
    if (!t->device) return;
    t->device->calls->count(t->device, &s->received, &s->system_drops, &s->interface_drops);
}

// What it counted, where that is not in the capture yet: so losses lie between two times that are
// no further apart than two counts with packets between.
static void tell_counts(struct live *l, struct capture_writer *w, uint32_t i, bool is_end)
{
    struct tapped *t = &l->tapped[i];
    count_one(t);
    struct capture_statistics s = t->counted;
    bool is_new = s.received != t->told.received || s.system_drops != t->told.system_drops ||
                  s.interface_drops != t->told.interface_drops;
    if ((!is_new && !is_end) || !t->link_count) return;
    t->told = s;
    s.received -= t->before.received;
    s.system_drops -= t->before.system_drops;
    s.interface_drops -= t->before.interface_drops;
    s.from = l->began;
    s.to = l->now;
    capture_write_statistics(w, t->links[0].number, &s);
}

// Where the end is the same however fast it was read, so is what is told, and when.
static void tell_missed(struct live *l, struct capture_writer *w, uint32_t i, bool is_end)
{
    struct tapped *t = &l->tapped[i];
    struct capture_statistics s;
    if (!t->device || !t->device->calls->missed || (l->options.until_end && !is_end)) return;
    while (t->device->calls->missed(t->device, &s)) {
        if (!t->link_count) describe(l, w, t, LINK_TYPE_ETHERNET);
        capture_write_statistics(w, t->links[0].number, &s);
    }
}

static void tell_down(struct live *l, struct capture_writer *w, uint32_t i)
{
    struct tapped *t = &l->tapped[i];
    if (!t->down_since) return;
    capture_write_statistics(w, t->links[0].number,
                             &(struct capture_statistics){
                                 .from = t->down_since, .to = l->now, .comment = INTERFACE_DOWN});
    t->down_since = 0;
}

static void look_one(struct live *l, struct capture_writer *w, uint32_t i)
{
    struct tapped *t = &l->tapped[i];
    uint64_t downs = t->downs;
    if (t->has_ended) return;
    bool is_down = t->device ? t->device->calls->is_down(t->device, &downs) : true;
    if (!t->down_since && (is_down || downs != t->downs)) t->down_since = t->up_until;
    t->downs = downs;
    if (is_down) return;
    tell_down(l, w, i);
    t->up_until = l->now;
}

// What the clock brings.
static void look(struct live *l, nanos elapsed)
{
    if (elapsed - l->looked < LOOK_EVERY) return;
    bool counts = elapsed - l->counted >= COUNT_EVERY;
    struct capture_writer w = blocks_begin(l);
    for (uint32_t i = 0; i < l->count; i++) {
        if (counts) tell_missed(l, &w, i, l->is_last_round);
        if (counts) tell_counts(l, &w, i, l->is_last_round);
        look_one(l, &w, i);
    }
    blocks_end(l, &w);
    l->looked = elapsed;
    if (counts) l->counted = elapsed;
}

// Where it is down, the next capture tells that it still is.
static void end_capture(struct live *l)
{
    struct capture_writer w = blocks_begin(l);
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->tapped[i].down_since) l->tapped[i].up_until = l->now;
        tell_down(l, &w, i);
        tell_missed(l, &w, i, true);
        tell_counts(l, &w, i, true);
    }
    blocks_end(l, &w);
    l->ended = true;
}

void live_cut(struct live *l)
{
    __atomic_store_n(&l->wants_cut, true, __ATOMIC_RELAXED);
}

bool live_is_cutting(const struct live *l)
{
    return __atomic_load_n(&l->wants_cut, __ATOMIC_RELAXED);
}

static void cut_capture(struct live *l)
{
    if (l->given != l->given_before) end_capture(l);
    else __atomic_store_n(&l->wants_cut, false, __ATOMIC_RELAXED);
}

bool live_next(struct live *l)
{
    if (!live_is_cutting(l) || !l->ended || l->is_last_round) return false;
    l->ended = false;
    l->began = l->now;
    l->given_before = l->given;
    for (uint32_t i = 0; i < l->count; i++) l->tapped[i].before = l->tapped[i].told;
    begin_capture(l);
    __atomic_store_n(&l->wants_cut, false, __ATOMIC_RELAXED);
    return true;
}

// ---- packets ------------------------------------------------------------------------------------

static bool is_due(const struct live *l, nanos time)
{
    nanos safe = INT64_MAX;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->tapped[i].reached < safe) safe = l->tapped[i].reached;
    // What is of the future came before somebody set the clock.
    return l->count == 1 || l->is_last_round || time <= safe || time > l->now + LIVE_WINDOW;
}

// The queue with the earliest packet, if that is due.
static struct tapped *next_queue(struct live *l, struct live_queued *head)
{
    struct tapped *first = NULL;
    for (uint32_t i = 0; i < l->count; i++) {
        struct live_queued other;
        if (!live_queue_first(&l->tapped[i].queue, &other)) continue;
        if (first && other.time >= head->time) continue;
        first = &l->tapped[i];
        *head = other;
    }
    return first && is_due(l, head->time) ? first : NULL;
}

static void put_32(uint8_t *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) to[i] = (uint8_t)(v >> 8 * i);
}

// An enhanced packet block (section 4.3), of which there is room for all.
static size_t put_packet(uint8_t *to, uint32_t interface, const struct live_queued *p,
                         const uint8_t *data)
{
    uint32_t padded = (p->captured + 3) / 4 * 4, size = PACKET_FRAMING + padded;
    uint64_t time = (uint64_t)(p->time > 0 ? p->time : 0);
    const uint32_t head[] = {PCAPNG_ENHANCED_PACKET, size,        interface, (uint32_t)(time >> 32),
                             (uint32_t)time,         p->captured, p->length};
    for (unsigned i = 0; i < sizeof head / sizeof head[0]; i++) put_32(to + 4 * i, head[i]);
    memcpy(to + PACKET_HEADER, data, p->captured);
    memset(to + PACKET_HEADER + p->captured, 0, padded - p->captured);
    put_32(to + PACKET_HEADER + padded, size);
    return size;
}

static size_t give_left(struct live *l, uint8_t *to, size_t room)
{
    bytes some = bytes_first(l->left, room);
    if (some.n) memcpy(to, some.p, some.n);
    l->left = bytes_after(l->left, some.n);
    return some.n;
}

static bool has_enough(const struct live *l)
{
    return l->options.packets && l->given >= l->options.packets;
}

// What is due, as far as it has room.
static size_t give(struct live *l, uint8_t *to, size_t room)
{
    size_t n = give_left(l, to, room);
    struct live_queued head;
    struct tapped *t;
    while (!l->ended && !has_enough(l) && n < room && (t = next_queue(l, &head))) {
        uint32_t number;
        if (!find_interface(l, t, head.link_type, &number)) {
            n += give_left(l, to + n, room - n);
            continue;
        }
        size_t size = PACKET_FRAMING + (head.captured + (size_t)3) / 4 * 4;
        bool fits = size <= room - n;
        if (!fits && n > 0) return n;
        size_t put =
            put_packet(fits ? to + n : l->packet, number, &head, live_queue_data(&t->queue));
        live_queue_pass(&t->queue, &head);
        l->given++;
        if (!fits) l->left = bytes_of(l->packet, put);
        n += fits ? put : give_left(l, to, room);
    }
    return n;
}

// ---- rounds -------------------------------------------------------------------------------------

static void lose_device(struct live *l, struct tapped *t)
{
    count_one(t);
    t->device->calls->close(t->device);
    t->device = NULL;
    t->reached = INT64_MAX;
    l->gone++;
}

// What it knows is asked for later.
static void end_device(struct live *l, struct tapped *t)
{
    t->has_ended = true;
    t->reached = INT64_MAX;
    l->gone++;
}

// Takes what an interface has; false when there is more.
static bool take_from(struct live *l, struct tapped *t, nanos elapsed)
{
    if (!t->device || t->has_ended) return true;
    size_t before = t->queue.end - t->queue.at;
    enum live_result result = t->device->calls->read(t->device, &t->queue);
    if (t->queue.end - t->queue.at > before) l->packet_came = elapsed;
    switch (result) {
    case LIVE_DRAINED:
        t->reached = l->now - LIVE_WINDOW;
        return true;
    case LIVE_MORE:
        t->reached = t->queue.last - 1;
        return false;
    case LIVE_GONE:
        lose_device(l, t);
        return true;
    case LIVE_ENDED:
        end_device(l, t);
        return true;
    case LIVE_FAILED:
        l->content.err = t->device->err;
        return true;
    }
    return true;
}

static bool wants_to_end(const struct live *l, nanos elapsed)
{
    const struct live_options *o = &l->options;
    return (o->stop && __atomic_load_n(o->stop, __ATOMIC_RELAXED)) ||
           (o->duration && elapsed - l->started >= o->duration) ||
           (o->idle && elapsed - l->packet_came >= o->idle) || l->gone == l->count;
}

static void wait_for_more(struct live *l)
{
    int descriptors[LIVE_INTERFACES_MAX];
    uint32_t n = 0;
    bool holds = false;
    for (uint32_t i = 0; i < l->count; i++) {
        struct live_device *d = l->tapped[i].device;
        if (d && !l->tapped[i].has_ended) descriptors[n++] = d->calls->descriptor(d);
        holds |= l->tapped[i].queue.at < l->tapped[i].queue.end;
    }
    l->clock.wait(l->clock.context, descriptors, n,
                  holds ? WAIT_HELD_MILLISECONDS : WAIT_MILLISECONDS);
}

// Asks all interfaces once. What came before the end was asked for may lie in a block of the kernel
// for a while yet: so rounds go on for the window.
static void round_go(struct live *l)
{
    nanos elapsed = l->clock.elapsed(l->clock.context);
    bool is_dry = true;
    l->now = l->clock.now(l->clock.context);
    if (!l->ends && wants_to_end(l, elapsed)) l->ends = elapsed + LIVE_WINDOW;
    for (uint32_t i = 0; i < l->count; i++) is_dry &= take_from(l, &l->tapped[i], elapsed);
    bool is_over = l->ends && elapsed >= l->ends && (is_dry || elapsed >= l->ends + END_PATIENCE);
    l->is_last_round = is_over || has_enough(l);
    look(l, elapsed);
    struct live_queued head;
    if (is_dry && !l->is_last_round && !l->left.n && !next_queue(l, &head)) wait_for_more(l);
}

// Reading waits until there is something.
static ssize_t live_read(struct capture_content *content, uint64_t offset, uint8_t *to, size_t size)
{
    struct live *l = content->context;
    (void)offset; // always the next
    for (;;) {
        if (live_is_cutting(l) && !l->ended && !l->left.n) cut_capture(l);
        size_t n = give(l, to, size);
        if (n > 0 || l->ended) return (ssize_t)n;
        if (l->content.err.code) return -1;
        if (l->is_last_round) end_capture(l);
        else round_go(l);
    }
}

// ---- life ---------------------------------------------------------------------------------------

static const char prefix[] = "interface:";

const char *live_interface_of(const char *word)
{
    size_t n = sizeof prefix - 1;
    return strncmp(word, prefix, n) == 0 ? word + n : NULL;
}

static void name_it(struct live *l)
{
    struct text name = {0};
    for (uint32_t i = 0; i < l->count; i++) {
        const struct live_device *d = l->tapped[i].device;
        const char *before = i ? "," : d->called ? "" : prefix;
        text_format(&name, "%s%s", before, d->called ? d->called : d->interface.name);
    }
    l->name = name.p;
}

struct live *live_over(const struct live_options *options, const struct live_clock *clock,
                       struct live_device **devices)
{
    struct live *l = memory_get(sizeof *l);
    l->content = (struct capture_content){.context = l, .read = live_read};
    l->options = *options;
    l->clock = *clock;
    l->count = options->interface_count;
    l->tapped = memory_get(l->count * sizeof *l->tapped);
    l->packet = memory_get(PACKET_FRAMING + LIVE_PACKET_MAX);
    l->now = l->began = clock->now(clock->context);
    l->started = l->packet_came = l->looked = l->counted = clock->elapsed(clock->context);
    for (uint32_t i = 0; i < l->count; i++) {
        struct tapped *t = &l->tapped[i];
        t->device = devices[i];
        memcpy(t->name, devices[i]->interface.name, sizeof t->name);
        live_queue_init(&t->queue, LIVE_QUEUE_SIZE);
        t->up_until = l->now;
    }
    memory_free(devices);
    name_it(l);
    begin_capture(l);
    return l;
}

static bool is_named_before(const struct live_options *o, uint32_t i)
{
    for (uint32_t before = 0; before < i; before++)
        if (strcmp(o->interfaces[before], o->interfaces[i]) == 0) return true;
    return false;
}

struct live *live_open(const struct live_options *options, struct err *err)
{
    struct live_options o = *options;
    struct live_pcap_options pcap = {o.bpf, o.quiet, o.buffer ? o.buffer : LIVE_BUFFER};
    struct live_topic_options topic = {o.more, o.bpf,     o.until_end, o.duration,
                                       o.stop, o.context, o.tell};
    if (o.interface_count > LIVE_INTERFACES_MAX) {
        err_set(err, ERR_USAGE, "more than %d interfaces", LIVE_INTERFACES_MAX);
        return NULL;
    }
    struct live_device **devices = memory_get(o.interface_count * sizeof(struct live_device *));
    uint32_t n = 0;
    bool ok = true;
    for (uint32_t i = 0; ok && i < options->interface_count; i++) {
        if (is_named_before(options, i)) continue;
        const char *name = options->interfaces[i];
        if (kafka_is_place(name) != kafka_is_place(options->interfaces[0]))
            ok = err_set(err, ERR_USAGE, "topics and interfaces are not read together");
        else if (kafka_is_place(name)) devices[n] = live_topic_open(name, &topic, err);
        else devices[n] = live_pcap_open(name, &pcap, err);
        ok = ok && devices[n] != NULL;
        n += ok;
    }
    o.interface_count = n;
    if (ok) return live_over(&o, &live_pcap_clock, devices);
    for (uint32_t i = 0; i < n; i++) devices[i]->calls->close(devices[i]);
    memory_free(devices);
    return NULL;
}

void live_close(struct live *l)
{
    if (!l) return;
    for (uint32_t i = 0; i < l->count; i++) {
        struct live_device *d = l->tapped[i].device;
        if (d) d->calls->close(d);
        live_queue_deinit(&l->tapped[i].queue);
    }
    memory_free(l->tapped);
    memory_free(l->packet);
    free(l->blocks);
    memory_free(l->name);
    memory_free(l);
}

const char *live_name(const struct live *l)
{
    return l->name;
}

bool live_is_topics(const struct live *l)
{
    return l->tapped[0].device && l->tapped[0].device->calls->positions;
}

void live_resume(struct live *l, const struct live_memory *memory)
{
    for (uint32_t i = 0; live_is_topics(l) && i < l->count; i++)
        l->tapped[i].device->calls->resume(l->tapped[i].device, memory);
}

void live_positions(const struct live *l,
                    void (*take)(void *context, const char *input, uint64_t next), void *context)
{
    for (uint32_t i = 0; live_is_topics(l) && i < l->count; i++)
        l->tapped[i].device->calls->positions(l->tapped[i].device, take, context);
}

void live_kept(struct live *l)
{
    for (uint32_t i = 0; live_is_topics(l) && i < l->count; i++)
        l->tapped[i].device->calls->kept(l->tapped[i].device);
}

struct capture_content *live_content(struct live *l)
{
    return &l->content;
}

bool live_state(const struct live *l, uint32_t interface, struct live_state *state)
{
    if (interface >= l->count) return false;
    const struct tapped *t = &l->tapped[interface];
    *state = (struct live_state){.interface = t->name,
                                 .kernel_drops = t->counted.system_drops,
                                 .interface_drops = t->counted.interface_drops,
                                 .queued_bytes = t->queue.end - t->queue.at,
                                 .up = t->device && !t->down_since};
    return true;
}

bool live_remark(const struct live *l, char *text, size_t size)
{
    int n = 0;
    for (uint32_t i = 0; i < l->count && n < (int)size; i++)
        if (!l->tapped[i].device)
            n += snprintf(text + n, size - (size_t)n, "%s%s", n ? ", " : "", l->tapped[i].name);
    if (n && n < (int)size)
        snprintf(text + n, size - (size_t)n, ": not there any more since it was taken away");
    return n > 0;
}
