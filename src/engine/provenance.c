#include "engine/provenance.h"

#include <stdlib.h>

#include "base/memory.h"
#include "engine/replay.h"
#include "flow/flow.h"
#include "record/kinds.h"

void provenance_deinit(struct provenance *p)
{
    memory_free(p->whole);
    memory_free(p->spans);
    referred_deinit(&p->found);
    *p = (struct provenance){0};
}

// ---- what is asked for --------------------------------------------------------------------------

static void add_whole(struct provenance *p, struct record_id id)
{
    if (p->whole_count == p->whole_room) {
        p->whole_room = p->whole_room ? 2 * p->whole_room : 64;
        p->whole = memory_resize(p->whole, p->whole_room * sizeof *p->whole);
    }
    p->whole[p->whole_count++] = id;
}

// A place without length is that of the byte it stands at.
static void add_span(struct provenance *p, const struct record_batch *b, uint32_t row, bool is_dst,
                     uint64_t offset, uint64_t length)
{
    if (p->span_count == p->span_room) {
        p->span_room = p->span_room ? 2 * p->span_room : 64;
        p->spans = memory_resize(p->spans, p->span_room * sizeof *p->spans);
    }
    p->spans[p->span_count++] = (struct provenance_span){
        .conversation = batch_get_id(b, COMMON_CONVERSATION_ID, row),
        .from = offset,
        .to = offset + (length ? length : 1),
        .src_addr = batch_get_address(b, COMMON_SRC_ADDR, row),
        .src_port = (uint16_t)batch_get(b, COMMON_SRC_PORT, row),
        .is_dst = is_dst,
    };
}

static bool add_places(struct provenance *p, const struct record_batch *b, uint32_t row)
{
    bool any = false;
    for (unsigned side = 0; side < 2; side++) {
        unsigned offset = side ? COMMON_DST_OFFSET : COMMON_SRC_OFFSET;
        unsigned length = side ? COMMON_DST_LENGTH : COMMON_SRC_LENGTH;
        if (!batch_has(b, offset, row)) continue;
        uint64_t n = batch_has(b, length, row) ? batch_get(b, length, row) : 0;
        add_span(p, b, row, side, batch_get(b, offset, row), n);
        any = true;
    }
    return any;
}

// Bytes in dispute stand in one direction of a stream; those of fragments in a datagram.
static bool add_dispute(struct provenance *p, const struct record_batch *b, uint32_t row)
{
    bytes layer = batch_get_bytes(b, AMBIGUITY_LAYER, row);
    if (!bytes_equal(layer, bytes_text("tcp"))) return false;
    bool is_dst = bytes_equal(batch_get_bytes(b, AMBIGUITY_SIDE, row), bytes_text("dst"));
    add_span(p, b, row, is_dst, batch_get(b, AMBIGUITY_OFFSET, row),
             batch_get(b, AMBIGUITY_LENGTH, row));
    return true;
}

bool provenance_add(struct provenance *p, const struct record_batch *b, uint32_t row)
{
    if (kind_has_common_fields(b->kind) && batch_has(b, COMMON_CONVERSATION_ID, row) &&
        (b->kind == &ambiguity_kind ? add_dispute(p, b, row) : add_places(p, b, row)))
        return true;
    int field = b->kind == &conversation_kind ? kind_field(b->kind, bytes_text("id"))
                                              : kind_field(b->kind, bytes_text("conversation_id"));
    if (field < 0 || !batch_has(b, (unsigned)field, row)) return false;
    add_whole(p, batch_get_id(b, (unsigned)field, row));
    return true;
}

void provenance_widen(struct provenance *p)
{
    for (size_t i = 0; i < p->span_count; i++) add_whole(p, p->spans[i].conversation);
    p->span_count = 0;
}

// ---- places -------------------------------------------------------------------------------------

static int span_compare(const void *x, const void *y)
{
    const struct provenance_span *a = x, *b = y;
    int by_id = record_id_compare(a->conversation, b->conversation);
    if (by_id) return by_id;
    if (a->is_dst != b->is_dst) return a->is_dst ? 1 : -1;
    return a->from < b->from ? -1 : a->from > b->from;
}

static bool is_same_direction(const struct provenance_span *a, const struct provenance_span *b)
{
    return record_id_equal(a->conversation, b->conversation) && a->is_dst == b->is_dst;
}

// Sorts the spans and joins those of one direction that meet: no two overlap then.
static void spans_join(struct provenance *p)
{
    size_t n = 0;
    if (!p->span_count) return;
    qsort(p->spans, p->span_count, sizeof *p->spans, span_compare);
    for (size_t i = 1; i < p->span_count; i++) {
        struct provenance_span *last = &p->spans[n];
        const struct provenance_span *s = &p->spans[i];
        if (!is_same_direction(last, s) || s->from > last->to) p->spans[++n] = *s;
        else if (s->to > last->to) last->to = s->to;
    }
    p->span_count = n + 1;
}

// The first span whose direction or end lies behind: it is the only one that may hold `from`.
static const struct provenance_span *spans_find(const struct provenance *p,
                                                const struct provenance_span *at)
{
    size_t low = 0, high = p->span_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct provenance_span *s = &p->spans[middle];
        bool before = is_same_direction(s, at) ? s->to <= at->from : span_compare(s, at) < 0;
        if (before) low = middle + 1;
        else high = middle;
    }
    return low < p->span_count && is_same_direction(&p->spans[low], at) ? &p->spans[low] : NULL;
}

static bool is_src(const struct provenance_span *s, const struct conversation *c, unsigned side)
{
    bool is_a = address_equal(c->key.a, s->src_addr) && c->key.port_a == s->src_port;
    return is_a == (side == 0);
}

static void add_frames(struct provenance *p, const struct replay_place *place)
{
    const struct packet *packet = place->packet;
    struct frames *frames = &referred_reading(&p->found, place->reading)->frames;
    for (uint32_t i = 0; i < packet->frame_count; i++) frames_add(frames, packet->frames[i]);
    frames_add(frames, (struct packet_frame){packet->ordinal, packet->capture});
}

static void take_place(void *context, const struct conversation *c,
                       const struct replay_place *place)
{
    struct provenance *p = context;
    for (unsigned is_dst = 0; is_dst < 2; is_dst++) {
        struct provenance_span at = {
            .conversation = conversation_id(c), .from = place->position, .is_dst = is_dst};
        const struct provenance_span *s = spans_find(p, &at);
        if (!s || s->from >= place->position + place->length) continue;
        if (is_src(s, c, place->side) != is_dst) add_frames(p, place);
    }
}

static bool find_spans(struct provenance *p, struct case_reader *reader, struct err *err)
{
    spans_join(p);
    struct record_id *ids = memory_get(p->span_count * sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < p->span_count; i++)
        if (!n || !record_id_equal(ids[n - 1], p->spans[i].conversation))
            ids[n++] = p->spans[i].conversation;
    struct replay_options options = {.which = {ids, n, 0}, .context = p, .placed = take_place};
    bool ok = replay(reader, &options, err);
    memory_free(ids);
    return ok;
}

bool provenance_find(struct provenance *p, struct case_reader *reader, struct err *err)
{
    struct referred_options whole = {p->whole, p->whole_count, 0};
    if (p->whole_count && !referred_load(&p->found, reader, &whole, err)) return false;
    return !p->span_count || find_spans(p, reader, err);
}
