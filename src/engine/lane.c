#include "engine/lane.h"

#include "base/memory.h"
#include "dissect/driver.h"
#include "engine/ambiguity.h"
#include "engine/losses.h"
#include "engine/resting.h"
#include "extract/extract.h"
#include "flow/flow.h"
#include "flow/gaps.h"
#include "flow/references.h"
#include "flow/tcp.h"

// Address space of a lane; pages are used as traffic needs them. What reaches these limits is the
// last resort of the process, and is counted (DESIGN: budgets that shape results are those of
// conversation and shard).
enum { LANE_STREAMS_MAX = 2 * 1024 * 1024 };
#define LANE_BLOCKS_MAX (UINT64_C(8) << 30)

struct lane {
    struct lane_options options;
    struct record_writer *writer;
    struct blocks blocks;
    struct flow_table *table;
    struct streams *streams;
    struct dissect_stage *dissect;
    struct extractor *extractor;
    struct resting *resting; // NULL when nothing is dissected
    struct references references;
    struct accounts *accounts;
    struct losses *losses;
    struct lane_counters counters;
};

// ---- bodies: dissect to extract -----------------------------------------------------------------

static uint32_t lane_body_open(void *context, const struct body_start *start)
{
    return extract_open(((struct lane *)context)->extractor, start);
}

static void lane_body_data(void *context, uint32_t body, bytes data)
{
    extract_data(((struct lane *)context)->extractor, body, data);
}

static void lane_body_gap(void *context, uint32_t body, uint64_t length)
{
    extract_gap(((struct lane *)context)->extractor, body, length);
}

static void lane_body_close(void *context, uint32_t body, bool complete,
                            struct body_summary *summary, struct row *row, void *memory,
                            size_t size)
{
    row_init(row, &file_kind, memory, size);
    extract_close(((struct lane *)context)->extractor, body, complete, summary, row);
}

// ---- stream to dissect --------------------------------------------------------------------------

static struct stream_consumed lane_show(void *context, void *owner, const struct stream_view *view)
{
    struct lane *l = context;
    struct conversation *c = owner;
    if (!l->dissect || c->undissected)
        return (struct stream_consumed){.used = view->data.n, .ignore = true};
    return dissect_view(l->dissect, c, view);
}

// The losses of a conversation are the map of its gaps.
static void lane_note_gap(struct lane *l, struct conversation *c, uint8_t side, uint64_t position,
                          uint64_t length, const char *reason)
{
    struct gap gap = {position, length, c->first_seen, c->last_seen, reason, side};
    nanos since, until;
    stream_gap_times(l->streams, c->stream, side, &since, &until);
    if (since) gap.since = since;
    if (until) gap.until = until;
    // Times of packets may go back.
    if (gap.until < gap.since) gap.until = gap.since;
    gaps_add(&l->blocks, c, &gap);
}

static bool lane_gap(void *context, void *owner, uint8_t side, uint64_t position, uint64_t length,
                     enum gap_kind kind)
{
    struct lane *l = context;
    struct conversation *c = owner;
    // Other kinds are told by lane_missed, also where nobody looks.
    if (kind == GAP_UNREAD) losses_add(l->losses, c, GIVEN_UP_VIEW_FULL, length);
    if (kind == GAP_UNKEPT) losses_add(l->losses, c, GIVEN_UP_UNKEPT, length);
    if (!l->dissect || c->undissected) return false;
    return dissect_lost(l->dissect, c, side, position, length);
}

static void lane_missed(void *context, void *owner, uint8_t side, uint64_t position,
                        uint64_t length, enum gap_kind kind)
{
    struct lane *l = context;
    struct conversation *c = owner;
    if (l->dissect) dissect_mark(l->dissect, c, side, position, length, FLAW_INCOMPLETE);
    if (kind == GAP_BUDGET) l->counters.budget_bytes += length;
    if (kind == GAP_CUT) c->side[side].cut_bytes += length;
    else
        lane_note_gap(l, c, side, position, length,
                      kind == GAP_BUDGET ? "reassembly_budget" : "never_seen");
    if (l->options.watch_gap)
        l->options.watch_gap(l->options.watcher, owner, side, position, length, kind);
}

static void lane_strayed(void *context, void *owner, uint8_t side, uint64_t length)
{
    (void)side;
    losses_add(((struct lane *)context)->losses, owner, GIVEN_UP_OUT_OF_WINDOW, length);
}

static void lane_refused(void *context, const struct conversation *c, bool is_body)
{
    losses_add(((struct lane *)context)->losses, c,
               is_body ? GIVEN_UP_FILES_FULL : GIVEN_UP_DISSECT_FULL, 0);
}

static void lane_delivered(void *context, void *owner, const struct stream_delivery *piece)
{
    struct lane *l = context;
    l->options.watch(l->options.watcher, owner, piece);
}

static void lane_placed(void *context, void *owner, uint8_t side, uint64_t position,
                        uint64_t length)
{
    struct lane *l = context;
    l->options.placed(l->options.watcher, owner, side, position, length);
}

static void lane_tell_ambiguity(struct lane *l, struct conversation *c,
                                const struct stream_ambiguity *a)
{
    l->counters.ambiguities++;
    if (!ambiguity_write(c, a, l->writer)) l->counters.ambiguities_untold++;
}

static void lane_ambiguous(void *context, void *owner, const struct stream_ambiguity *a)
{
    struct lane *l = context;
    if (l->dissect)
        dissect_mark(l->dissect, owner, a->side, a->position, a->length, FLAW_AMBIGUOUS);
    lane_tell_ambiguity(l, owner, a);
}

// ---- the end of conversations -------------------------------------------------------------------

static void lane_note_missed(struct lane *l, struct conversation *c, unsigned side, uint64_t missed)
{
    if (!missed) return;
    c->side[side].missed_bytes += missed;
    if (c->side[side].gaps_noted < UINT8_MAX)
        history_note_counted(c, side, 'G', ++c->side[side].gaps_noted);
    l->counters.gaps++;
    l->counters.missed_bytes += missed;
}

static void lane_interval(void *context, struct conversation *c, nanos watermark)
{
    struct lane *l = context;
    const struct flow_options *o = &l->options.flow;
    flow_write(c, flow_end_at(c, watermark, o->active_timeout, o->idle_timeout), l->writer);
}

static void lane_conversation_end(void *context, struct conversation *c, enum conversation_end why,
                                  nanos watermark)
{
    struct lane *l = context;
    if (c->rest) resting_end(l->resting, c);
    if (c->stream) {
        uint64_t missed[2];
        stream_close(l->streams, c->stream, c, missed);
        lane_note_missed(l, c, 0, missed[0]);
        lane_note_missed(l, c, 1, missed[1]);
    }
    if (l->dissect) dissect_close(l->dissect, c);
    if (l->options.watch_end) l->options.watch_end(l->options.watcher, c);
    if (why == CONVERSATION_EVICTED) losses_add(l->losses, c, GIVEN_UP_SHARD_FULL, 0);
    if (why == CONVERSATION_SOURCE) losses_add(l->losses, c, GIVEN_UP_SOURCE_FULL, 0);
    gaps_end(&l->blocks, c, l->options.point, l->writer);
    lane_interval(l, c, watermark);
    conversation_write(c, l->writer);
    references_end(&l->references, c);
}

// ---- packets ------------------------------------------------------------------------------------

static struct conversation *lane_conversation(struct lane *l, const struct packet *p)
{
    struct conversation *c = flow_table_find(l->table, p);
    if (c && p->has_transport && p->key.proto == 6 && tcp_is_new_connection(c, p)) {
        flow_table_replace(l->table, c, p->watermark);
        c = NULL;
    }
    if (c) {
        if (c->rest) resting_end(l->resting, c);
        c->stirred = true;
        flow_table_meter(l->table, c, p);
        return c;
    }
    c = flow_table_add(l->table, p);
    if (!c) return NULL;
    c->src_side = p->side;
    conversation_name(c, p, l->options.point);
    if (l->options.wants) c->undissected = !l->options.wants(l->options.watcher, c);
    if (l->options.watch_begin) c->watched = l->options.watch_begin(l->options.watcher, c);
    l->counters.conversations++;
    return c;
}

// Who answers a SYN did not begin: when the other side is heard at last, it is the one who did. A
// side that is never heard is not made the source of anything (G24).
static void lane_orient(struct conversation *c, const struct packet *p)
{
    if (conversation_is_src(c, p->side) || c->turned || c->settled) return;
    bool is_first = c->side[p->side].packets == 1;
    if (is_first && c->side[c->src_side].state == ENDPOINT_SYN_ACK_SENT) conversation_turn(c);
}

// Who receives decides: the bytes of side 0 go to b.
static void lane_overlap(struct lane *l, const struct conversation *c)
{
    const struct overlap_rules *rules = &l->options.overlap;
    if (!rules->text) return;
    stream_overlap(l->streams, c->stream, 0, overlap_of(rules, c->key.b));
    stream_overlap(l->streams, c->stream, 1, overlap_of(rules, c->key.a));
}

static void lane_tcp(struct lane *l, struct conversation *c, const struct packet *p)
{
    lane_orient(c, p);
    tcp_note(c, p);
    if (!c->stream) {
        if (!p->payload_length && !(p->tcp_flags & TCP_SYN)) return;
        c->stream = stream_open(l->streams, c->shard);
        if (!c->stream) {
            if (p->payload_length) l->counters.packets_unread++;
            return;
        }
        stream_charge(l->streams, c->stream, c->accounts);
        lane_overlap(l, c);
    }
    struct conversation_side *side = &c->side[p->side];
    if (p->payload_length && !(p->tcp_flags & TCP_RST)) history_note(c, p->side, 'D');
    struct stream_effect effect = stream_packet(l->streams, c->stream, c, p);
    side->payload_bytes += effect.new_bytes;
    if (effect.retransmit) {
        side->retransmits++;
        if (side->retransmits_noted < UINT8_MAX)
            history_note_counted(c, p->side, 'T', ++side->retransmits_noted);
    }
    lane_note_missed(l, c, p->side, effect.missed_bytes);
    lane_note_missed(l, c, p->side ^ 1u, effect.missed_other);
}

static void lane_datagram(struct lane *l, struct conversation *c, const struct packet *p)
{
    c->side[p->side].payload_bytes += p->payload_length;
    c->side[p->side].cut_bytes += p->payload_length - p->payload_captured;
    if (!p->payload_length) return;
    history_note(c, p->side, 'D');
    uint64_t position = c->side[p->side].payload_bytes - p->payload_length;
    if (l->options.placed) lane_placed(l, c, p->side, position, p->payload_length);
    if (p->is_ambiguous) {
        struct stream_ambiguity a = ambiguity_of_fragments(p, position);
        lane_tell_ambiguity(l, c, &a);
    }
    if (l->options.watch) {
        struct stream_delivery piece = {bytes_of(p->data + p->payload_offset, p->payload_captured),
                                        position,
                                        p->time,
                                        p->side,
                                        true,
                                        {p->ordinal, p->capture},
                                        p->frames,
                                        p->frame_count};
        l->options.watch(l->options.watcher, c, &piece);
    }
    if (l->dissect && !c->undissected && p->key.proto == 17) dissect_packet(l->dissect, c, p);
}

static void lane_packet(struct lane *l, const struct packet *p)
{
    uint64_t frames = 1 + (uint64_t)p->frame_count - p->shared_count;
    l->counters.packets_in += frames;
    struct conversation *c = lane_conversation(l, p);
    if (!c) {
        l->counters.packets_shed += frames;
        return;
    }
    l->counters.packets_counted += frames;
    if (l->options.references) references_add(&l->references, c, p);
    conversation_count(c, p);
    if (p->has_transport && p->key.proto == 6) lane_tcp(l, c, p);
    else lane_datagram(l, c, p);
    if (c->dissect && !c->is_awake) resting_add(l->resting, c);
}

static uint16_t shard_of(const struct packet *p)
{
    return p->class_ == PACKET_IP ? p->shard : SHARD_NONE;
}

void lane_deal(struct packet_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) batch->shards[i] = shard_of(&batch->packets[i]);
    for (uint32_t i = 0; i < batch->more_count; i++)
        batch->more[i].shard = shard_of(&batch->more[i].packet);
}

static bool lane_owns(const struct lane *l, uint16_t shard)
{
    return shard != SHARD_NONE && shard % l->options.lanes == l->options.lane;
}

// A packet was written by the dispatcher, on another processor when there are several lanes.
static void packet_prefetch(const struct packet *p)
{
    const char *at = (const char *)p;
    for (size_t line = 0; line < sizeof *p; line += 64) __builtin_prefetch(at + line);
}

// In order, where frames hold several packets.
static void lane_packets_and_more(struct lane *l, const struct packet_batch *batch)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (lane_owns(l, batch->shards[i])) lane_packet(l, &batch->packets[i]);
        for (; at < batch->more_count && batch->more[at].after == i; at++)
            if (lane_owns(l, batch->more[at].shard)) lane_packet(l, &batch->more[at].packet);
    }
}

static void lane_packets_only(struct lane *l, const struct packet_batch *batch)
{
    uint16_t own[PACKETS_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        if (lane_owns(l, batch->shards[i])) own[n++] = (uint16_t)i;
    for (uint32_t i = 0; i < n; i++) packet_prefetch(&batch->packets[own[i]]);
    for (uint32_t i = 0; i < n; i++) {
        const struct packet *p = &batch->packets[own[i]];
        flow_table_prefetch(l->table, p->hash);
        __builtin_prefetch(p->data + p->payload_offset);
    }
    for (uint32_t i = 0; i < n; i++) lane_packet(l, &batch->packets[own[i]]);
}

void lane_packets(struct lane *l, const struct packet_batch *batch)
{
    if (batch->more_count) lane_packets_and_more(l, batch);
    else lane_packets_only(l, batch);
    if (batch->count) flow_table_run(l->table, batch->packets[batch->count - 1].watermark);
    if (batch->rests) writer_flush(l->writer);
}

const struct conversation *lane_find(struct lane *l, const struct packet *p)
{
    return flow_table_find(l->table, p);
}

void lane_finish(struct lane *l, const struct packet *p)
{
    struct conversation *c = flow_table_find(l->table, p);
    if (c) flow_table_replace(l->table, c, p->watermark);
}

void lane_end(struct lane *l)
{
    flow_table_end_all(l->table);
    losses_end(l->losses);
    writer_flush(l->writer);
}

// ---- life ---------------------------------------------------------------------------------------

static bool lane_make_dissect(struct lane *l, struct err *err)
{
    struct extract_options extract = EXTRACT_DEFAULTS;
    extract.kept_max = l->options.kept_max;
    extract.artifacts = l->options.artifacts;
    l->extractor = extractor_create(&extract, err);
    if (!l->extractor) return false;
    struct body_hooks bodies = {l, lane_body_open, lane_body_data, lane_body_gap, lane_body_close};
    l->dissect = dissect_stage_create(LANE_STREAMS_MAX, &l->blocks, l->writer, bodies, err);
    if (!l->dissect) return false;
    dissect_stage_streams(l->dissect, l->streams);
    dissect_stage_charge(l->dissect, (struct dissect_budget){l->accounts, l, lane_refused});
    l->resting = resting_create(l->table, l->streams, l->dissect, &l->blocks, l->options.awake_max);
    return true;
}

struct lane *lane_create(const struct lane_options *options, const struct record_kind *const *kinds,
                         uint32_t kind_count, struct record_sink sink, struct err *err)
{
    struct lane *l = memory_get(sizeof *l);
    l->options = *options;
    l->writer = writer_create(kinds, kind_count, sink);
    l->references = (struct references){&l->blocks, l->writer, options->reading, 0};
    struct flow_table_hooks table_hooks = {l, lane_conversation_end, lane_interval};
    struct stream_hooks stream_hooks = {l,
                                        lane_show,
                                        lane_gap,
                                        options->watch ? lane_delivered : NULL,
                                        lane_missed,
                                        lane_strayed,
                                        options->placed ? lane_placed : NULL,
                                        lane_ambiguous};
    l->losses = losses_create(l->writer, options->point);
    struct flow_options flow = options->flow;
    uint32_t sources_max = 2 * flow.conversations_max;
    flow.accounts = l->accounts = accounts_create(options->shard_max, sources_max, err);
    if (l->accounts && blocks_init(&l->blocks, LANE_BLOCKS_MAX, err) &&
        (l->table = flow_table_create(&flow, table_hooks, err)) &&
        (l->streams = streams_create(LANE_STREAMS_MAX, &l->blocks, stream_hooks, err)) &&
        (!options->dissect || lane_make_dissect(l, err))) {
        streams_charge(l->streams, l->accounts);
        return l;
    }
    lane_destroy(l);
    return NULL;
}

void lane_destroy(struct lane *l)
{
    if (!l) return;
    resting_destroy(l->resting);
    dissect_stage_destroy(l->dissect);
    extractor_destroy(l->extractor);
    streams_destroy(l->streams);
    flow_table_destroy(l->table);
    accounts_destroy(l->accounts);
    losses_destroy(l->losses);
    if (l->blocks.range) blocks_deinit(&l->blocks);
    writer_destroy(l->writer);
    memory_free(l);
}

struct lane_counters lane_counters(const struct lane *l)
{
    struct lane_counters n = l->counters;
    n.conversations_evicted = losses_count(l->losses, GIVEN_UP_SHARD_FULL);
    n.conversations_of_source = losses_count(l->losses, GIVEN_UP_SOURCE_FULL);
    n.dissect_refused = losses_count(l->losses, GIVEN_UP_DISSECT_FULL);
    n.files_unbudgeted = losses_count(l->losses, GIVEN_UP_FILES_FULL);
    n.records = writer_records(l->writer);
    n.uncompared_bytes = streams_uncompared(l->streams);
    n.references_lost = l->references.lost;
    if (l->dissect) {
        n.rests = resting_count(l->resting);
        const struct dissect_counters *d = dissect_stage_counters(l->dissect);
        n.recognised = d->recognised;
        n.given_up = d->given_up;
        n.rows_truncated = d->rows_truncated;
        n.held_full = d->held_full;
        n.anomalies_untold = d->anomalies_untold;
        const struct extract_counts *x = extractor_counts(l->extractor);
        n.files = x->files;
        n.files_refused = x->files_refused;
        n.extract_faults = x->faults;
    }
    return n;
}

struct lane_gauges lane_gauges(const struct lane *l)
{
    struct lane_gauges now = {.open_conversations = flow_table_count(l->table)};
    for (unsigned i = 0; i < SHARDS; i++) now.held_bytes += l->accounts->shards[i].bytes;
    return now;
}
