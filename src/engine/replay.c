#include "engine/replay.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "decode/decode.h"
#include "engine/captures.h"
#include "engine/catalogue.h"
#include "engine/reading.h"
#include "engine/shaping.h"
#include "flow/flow.h"
#include "store/case.h"

struct run {
    struct case_reader *reader;
    const struct replay_options *options;
    struct referred referred;
    const struct referred_reading *reading; // at hand
    struct captures *captures;
    struct lane *lane;
    struct decoder *decoder;
    struct packet_batch *batch;
    const struct packet *at_hand;
    struct text texts; // of the options
};

static bool is_asked_for(const struct run *r, const struct conversation *c)
{
    const struct referred_conversation *asked = referred_find(&r->referred, conversation_id(c));
    return asked && asked->reading == r->reading->number;
}

// ---- what the lane tells ------------------------------------------------------------------------

static bool run_wants(void *context, const struct conversation *c)
{
    return is_asked_for(context, c);
}

static uint32_t run_begin(void *context, const struct conversation *c)
{
    struct run *r = context;
    return is_asked_for(r, c) ? r->options->begin(r->options->context, c) : 0;
}

static void run_over(void *context, const struct conversation *c)
{
    struct run *r = context;
    if (is_asked_for(r, c)) r->options->end(r->options->context, c);
}

static void run_watch(void *context, const struct conversation *c,
                      const struct stream_delivery *piece)
{
    struct run *r = context;
    if (is_asked_for(r, c)) r->options->watch(r->options->context, c, piece);
}

static void run_watch_gap(void *context, const struct conversation *c, uint8_t side,
                          uint64_t position, uint64_t length, enum gap_kind kind)
{
    struct run *r = context;
    if (is_asked_for(r, c))
        r->options->watch_gap(r->options->context, c, side, position, length, kind);
}

static void run_placed(void *context, const struct conversation *c, uint8_t side, uint64_t position,
                       uint64_t length)
{
    struct run *r = context;
    struct replay_place place = {r->reading->number, position, length, r->at_hand, side};
    if (is_asked_for(r, c)) r->options->placed(r->options->context, c, &place);
}

// ---- records ------------------------------------------------------------------------------------

// Where a row of this kind names its conversation; -1 when it names none.
static int conversation_field(const struct record_kind *kind)
{
    return kind_field(kind, bytes_text(kind == &conversation_kind ? "id" : "conversation_id"));
}

static bool is_row_asked_for(const struct run *r, const struct record_batch *b, unsigned field,
                             uint32_t row)
{
    if (!batch_has(b, field, row)) return false;
    const struct referred_conversation *asked =
        referred_find(&r->referred, batch_get_id(b, field, row));
    return asked && asked->reading == r->reading->number;
}

// Packets may be of several conversations, so there may be rows of others.
static void run_take(void *context, const struct record_batch *b)
{
    struct run *r = context;
    int field = conversation_field(b->kind);
    uint32_t first = 0;
    if (field < 0) return;
    while (first < b->rows && is_row_asked_for(r, b, (unsigned)field, first)) first++;
    if (first == b->rows) {
        r->options->sink.take(r->options->sink.context, b);
        return;
    }
    struct record_batch *some = batch_create(b->kind);
    for (uint32_t row = 0; row < b->rows; row++) {
        bool copied = !is_row_asked_for(r, b, (unsigned)field, row) || batch_copy(some, b, row);
        assert(copied);
    }
    if (some->rows) r->options->sink.take(r->options->sink.context, some);
    batch_destroy(some);
}

// ---- packets ------------------------------------------------------------------------------------

// Behind its last packet a conversation is over: what comes on the same ports later is not its own.
// Nor is anything kept of one that is not asked for, though it shares packets with one that is.
static void run_end(struct run *r, const struct packet *p, struct packet_frame frame)
{
    const struct conversation *c = lane_find(r->lane, p);
    if (!c) return;
    const struct referred_conversation *asked = referred_find(&r->referred, conversation_id(c));
    bool goes_on =
        asked && (asked->last.capture != frame.capture || asked->last.ordinal != frame.ordinal);
    if (!goes_on) lane_finish(r->lane, p);
}

// Packets go through one by one, so that it is known which one is at hand.
static bool run_packet(void *context, const struct packet *p, const struct capture_place *place,
                       struct err *err)
{
    struct run *r = context;
    struct packet_frame frame = {p->ordinal, p->capture};
    (void)err;
    if (r->options->packet) r->options->packet(r->options->context, p, place->path);
    struct packet *at = &r->batch->packets[0];
    *at = *p;
    r->batch->count = 1;
    r->at_hand = at;
    decode_batch(r->decoder, r->batch);
    lane_deal(r->batch);
    lane_packets(r->lane, r->batch);
    if (at->class_ == PACKET_IP) run_end(r, at, frame);
    for (uint32_t i = 0; i < r->batch->more_count; i++)
        if (r->batch->more[i].packet.class_ == PACKET_IP)
            run_end(r, &r->batch->more[i].packet, frame);
    packet_batch_clear(r->batch);
    return true;
}

// ---- one reading --------------------------------------------------------------------------------

static const char *reading_options_text(const struct case_reader *reader, uint64_t number)
{
    const struct catalogue *c = case_catalogue(reader);
    for (size_t i = 0; i < c->reading_count; i++)
        if (c->readings[i].seq == number) return c->readings[i].options;
    return "";
}

// The options of the reading that shape what is made of a conversation; those that shape how it
// began and ended say nothing here.
static bool run_recall(struct run *r, struct lane_options *lane, struct err *err)
{
    const char *text = reading_options_text(r->reader, r->reading->number);
    struct ingest_options recalled = {.reading = READING_DEFAULTS};
    if (!shaping_recall(text, &recalled, &r->texts, err)) return false;
    lane->kept_max = recalled.reading.lane.kept_max;
    lane->point = recalled.reading.lane.point;
    lane->overlap = recalled.reading.lane.overlap;
    return true;
}

static bool run_make(struct run *r, struct err *err)
{
    const struct replay_options *o = r->options;
    struct reading_options defaults = READING_DEFAULTS;
    struct lane_options lane = defaults.lane;
    decoder_init(r->decoder);
    // Conversations end with their last packet, see run_end.
    lane.flow.conversation_timeout = lane.flow.closed_linger = INT64_MAX / 4;
    lane.flow.shard_max = lane.flow.source_max = lane.flow.conversations_max;
    lane.shard_max = (struct budget){UINT32_MAX, UINT32_MAX, SHARD_RECENT_MAX};
    if (!run_recall(r, &lane, err)) return false;
    if (o->kept_max) lane.kept_max = o->kept_max;
    lane.dissect = o->dissect;
    lane.artifacts = o->artifacts;
    lane.references = false;
    lane.lanes = 1;
    lane.watcher = r;
    lane.wants = run_wants;
    if (o->begin) lane.watch_begin = run_begin;
    if (o->end) lane.watch_end = run_over;
    if (o->watch) lane.watch = run_watch;
    if (o->watch_gap) lane.watch_gap = run_watch_gap;
    if (o->placed) lane.placed = run_placed;
    struct record_sink sink = {r, o->sink.take ? run_take : NULL};
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    r->lane = lane_create(&lane, kinds, kind_count, sink, err);
    return r->lane != NULL;
}

static bool run_reading(struct run *r, const struct referred_reading *reading, struct err *err)
{
    r->reading = reading;
    r->captures = captures_of(r->reader, reading, 1, err);
    if (r->captures && r->options->left_out)
        *r->options->left_out += captures_left_out(r->captures);
    bool ok = r->captures && run_make(r, err) && captures_visit(r->captures, run_packet, r, err);
    if (ok) lane_end(r->lane);
    lane_destroy(r->lane);
    r->lane = NULL;
    decoder_deinit(r->decoder);
    captures_close(r->captures);
    return ok;
}

bool replay(struct case_reader *reader, const struct replay_options *options, struct err *err)
{
    struct run *r = memory_get(sizeof *r);
    r->reader = reader;
    r->options = options;
    r->decoder = memory_get(sizeof *r->decoder);
    r->batch = packet_batch_create();
    bool ok = referred_load(&r->referred, reader, &options->which, err);
    for (size_t i = 0; ok && i < r->referred.reading_count; i++)
        ok = run_reading(r, &r->referred.readings[i], err);
    packet_batch_destroy(r->batch);
    text_deinit(&r->texts);
    memory_free(r->decoder);
    referred_deinit(&r->referred);
    memory_free(r);
    return ok;
}
