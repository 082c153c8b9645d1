#include "flow/gaps.h"

#include "flow/flow.h"
#include "record/loss.h"

enum { GAPS_FIRST = 4 };

// Room for one more, or false.
static bool gaps_room(struct blocks *blocks, struct conversation *c)
{
    if (c->gap_count < c->gap_room) return true;
    if (c->gap_room == GAPS_MAX) return false;
    uint16_t room = c->gap_room ? (uint16_t)(c->gap_room * 2) : GAPS_FIRST;
    struct gap *larger = blocks_take(blocks, room * sizeof *larger);
    if (!larger) return false;
    if (c->gaps) {
        memcpy(larger, c->gaps, c->gap_count * sizeof *larger);
        blocks_give(blocks, c->gaps, c->gap_room * sizeof *larger);
    }
    c->gaps = larger;
    c->gap_room = room;
    return true;
}

// Gaps that touch are one, as when several segments in a row are missing one after the other.
static bool gaps_join(struct conversation *c, const struct gap *gap)
{
    struct gap *last = c->gap_count ? &c->gaps[c->gap_count - 1] : NULL;
    if (!last || last->side != gap->side || last->reason != gap->reason ||
        last->position + last->length != gap->position)
        return false;
    last->length += gap->length;
    last->until = gap->until;
    return true;
}

void gaps_add(struct blocks *blocks, struct conversation *c, const struct gap *gap)
{
    if (gaps_join(c, gap)) return;
    if (gaps_room(blocks, c)) c->gaps[c->gap_count++] = *gap;
    else c->side[gap->side].unplaced_bytes += gap->length;
}

static void gaps_tell(const struct conversation *c, struct loss loss, const char *point,
                      struct record_writer *writer)
{
    struct record_id id = conversation_id(c);
    loss.point = point;
    loss.conversation = &id;
    loss_tell(writer, &loss);
}

void gaps_end(struct blocks *blocks, struct conversation *c, const char *point,
              struct record_writer *writer)
{
    for (uint16_t i = 0; i < c->gap_count; i++) {
        const struct gap *g = &c->gaps[i];
        const char *side = conversation_is_src(c, g->side) ? "src" : "dst";
        struct loss loss = {"stream",
                            g->reason,
                            g->since,
                            g->until,
                            .bytes = g->length,
                            .side = side,
                            .offset = g->position};
        gaps_tell(c, loss, point, writer);
    }
    if (c->gaps) blocks_give(blocks, c->gaps, c->gap_room * sizeof *c->gaps);
    c->gaps = NULL;
    c->gap_count = c->gap_room = 0;
    for (unsigned side = 0; side < 2; side++) {
        const struct conversation_side *s = &c->side[side];
        struct loss more = {"stream", "more_gaps", c->first_seen, c->last_seen,
                            .bytes = s->unplaced_bytes};
        struct loss cut = {"source", "snapped", c->first_seen, c->last_seen, .bytes = s->cut_bytes};
        if (s->unplaced_bytes) gaps_tell(c, more, point, writer);
        if (s->cut_bytes) gaps_tell(c, cut, point, writer);
    }
}
