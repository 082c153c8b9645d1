// Order: which bytes of a segment are new, what may be delivered, and when a hole becomes a gap.
#include "stream/side.h"

// Further ahead than this, neither an acknowledgement nor a FIN nor a single segment is believed by
// itself: sequence numbers are 32 bits of anybody's choice, and a gap of them would be told as
// lost.
#define JUMP_MAX 16777216

static int64_t side_distance(const struct stream_side *side, uint32_t seq)
{
    return (int32_t)(seq - side->next_seq);
}

static void side_start(struct stream_side *side, uint32_t seq)
{
    if (side->started) return;
    side->started = true;
    side->next_seq = seq;
}

static void side_advance(struct stream_side *side, uint64_t n)
{
    side->next += n;
    side->next_seq += (uint32_t)n;
    side->hole_packets = 0;
}

// The end is believed when the other side has acknowledged just that, or at the end of all: a FIN
// that never arrived must not hide what its sender says behind it. Who goes on, or has more
// acknowledged, has not ended there.
static bool side_end_is_known(const struct stream_side *side)
{
    return side->fin && side->acked == side->fin_at + 1;
}

static void side_check_fin(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    if (!side->fin || side->finished) return;
    if (side->next > side->fin_at || side->acked > side->fin_at + 1) side->fin = false;
    else if (side->next == side->fin_at && side_end_is_known(side)) side_finish(turn);
}

void side_note_ack(struct turn *turn, const struct packet *p)
{
    if (!(p->tcp_flags & TCP_ACK)) return;
    struct stream_side *other = &turn->st->side[p->side ^ 1];
    // Who acknowledges a SYN tells where the data of its sender begin, even if we never saw that
    // SYN.
    if (p->tcp_flags & TCP_SYN) side_start(other, p->tcp_ack);
    if (!other->started) return;
    int64_t ahead = side_distance(other, p->tcp_ack);
    if (!ahead && (other->has_syn || !(p->tcp_flags & TCP_SYN))) other->confirmed = true;
    if (ahead < 0 && (uint64_t)-ahead > other->next) return;
    uint64_t acked = other->next + (uint64_t)ahead;
    if (ahead > JUMP_MAX && !segments_reach(other, acked)) return;
    if (acked > other->acked) other->acked = acked;
    doubt_note_window(turn, p, acked);
    if (ahead < 0) return;
    turn->side = p->side ^ 1;
    recent_drop(turn);
    side_check_fin(turn);
}

// The bytes from `next` on are missing: says so to the account, and to the consumer if he still
// looks.
static void side_miss(struct turn *turn, uint64_t length, enum gap_kind kind)
{
    const struct stream_hooks *hooks = &turn->s->hooks;
    if (hooks->missed)
        hooks->missed(hooks->context, turn->owner, turn->side, turn->st->side[turn->side].next,
                      length, kind);
    view_gap(turn, length, kind);
}

// Delivers in-order bytes of which `captured` are there; the rest was cut by the snap length.
static void side_deliver(struct turn *turn, const struct segment *what, bytes data)
{
    struct stream_side *side = &turn->st->side[turn->side];
    if (data.n && turn->s->hooks.delivered) {
        struct stream_delivery piece = {
            data, side->next, what->origin.time, turn->side, what->push, what->frame, NULL, 0};
        turn->s->hooks.delivered(turn->s->hooks.context, turn->owner, &piece);
    }
    // Bytes that were not kept, since nobody wanted them when they came, are missing to whoever
    // wants them now.
    if (data.n < what->captured) view_gap(turn, what->captured, GAP_CUT);
    if (data.n == what->length) recent_keep(turn, data, &what->origin);
    else recent_drop(turn);
    // Moved on first: `next` is then the end of what the consumer may see.
    side_advance(side, what->captured);
    if (data.n) view_deliver(turn, data, what->origin.time);
    uint32_t cut = what->length - what->captured;
    if (!cut) return;
    side_miss(turn, cut, GAP_CUT);
    side_advance(side, cut);
}

// Delivers what waits, as far as it is in order now.
static void side_pull(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    side_check_fin(turn);
    while (side->held && side->held->position <= side->next && !side->finished) {
        struct segment *first = side->held;
        // Segments are kept without overlap, so the first is either in order or wholly old.
        if (first->position == side->next) {
            struct segment what = *first;
            side_deliver(turn, &what, bytes_of(first->data, first->kept));
        }
        segments_drop_first(turn);
        side_check_fin(turn);
    }
}

void side_finish(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    if (side->finished) return;
    side->finished = true;
    view_show_last(turn, side->fin && side->next >= side->fin_at);
    side->ignore = true;
}

void side_declare_gap(struct turn *turn, uint64_t end, enum gap_kind kind)
{
    struct stream_side *side = &turn->st->side[turn->side];
    uint64_t length = end - side->next;
    if (length) {
        bool own = turn->side == turn->packet_side;
        *(own ? &turn->effect->missed_bytes : &turn->effect->missed_other) += length;
        *(own ? &turn->effect->gap : &turn->effect->gap_other) = true;
        recent_drop(turn);
        side_miss(turn, length, kind);
        side_advance(side, length);
    }
    side_pull(turn);
}

// The part of the segment that is not yet delivered: trims what came before `next`.
static bool side_trim(const struct stream_side *side, struct segment *what, bytes *data)
{
    if (what->position >= side->next) return true;
    uint64_t old = side->next - what->position;
    if (old >= what->length) return false;
    what->position += old;
    what->length -= (uint32_t)old;
    what->captured = old >= what->captured ? 0 : what->captured - (uint32_t)old;
    *data = bytes_after(*data, old);
    return true;
}

static bool side_wants_bytes(const struct turn *turn)
{
    return !turn->st->side[turn->side].ignore || turn->s->hooks.delivered;
}

static void side_hold(struct turn *turn, struct segment *what, bytes data)
{
    struct stream_side *side = &turn->st->side[turn->side];
    // What waits may be cut before it is compared: its checksum is looked at now.
    if (doubt_packet_sum(turn)) what->origin.doubts |= DOUBT_BAD_CHECKSUM;
    what->origin.has_sum = false;
    // Where nobody wants them, some are kept all the same, to compare them.
    bool is_kept = side_wants_bytes(turn) || side->held_bytes < STREAM_RECENT_MAX;
    bool has_room = turn_has_room(turn, sizeof *what + data.n);
    bool fits = segments_add(turn, what, is_kept ? data : bytes_first(data, 0));
    if (fits && side->held_bytes <= STREAM_HELD_MAX && side->held_count <= STREAM_SEGMENTS_MAX &&
        has_room)
        return;
    if (side->held) side_declare_gap(turn, side->held->position, GAP_BUDGET);
}

// Compares what was delivered already, also behind the end. One byte just before the next one only
// asks whether the other side lives, and is any byte (RFC 9293 section 3.8.4).
static void side_compare(struct turn *turn, const struct packet *p, int64_t distance)
{
    const struct stream_side *side = &turn->st->side[turn->side];
    if (!side->recent || distance >= 0 || (distance == -1 && p->payload_length == 1)) return;
    bytes data = {p->data + p->payload_offset, p->payload_captured};
    uint64_t back = (uint64_t)-distance, before = back > side->next ? back - side->next : 0;
    recent_compare(turn, side->next + before - back, bytes_after(data, before));
}

static void side_tell_fragments(struct turn *turn, const struct packet *p,
                                const struct segment *what)
{
    const struct stream_hooks *hooks = &turn->s->hooks;
    if (!hooks->ambiguous) return;
    struct stream_ambiguity a = ambiguity_of_fragments(p, what->position);
    a.length = what->length;
    hooks->ambiguous(hooks->context, turn->owner, &a);
}

static void side_stray(struct stream_side *side, uint32_t n)
{
    side->strayed = n > UINT32_MAX - side->strayed ? UINT32_MAX : side->strayed + n;
}

static void side_take_payload(struct turn *turn, const struct packet *p, int64_t distance)
{
    struct stream_side *side = &turn->st->side[turn->side];
    struct segment what = {
        .position = turn->origin.position,
        .length = p->payload_length,
        .captured = p->payload_captured,
        .push = p->tcp_flags & TCP_PSH,
        .origin = turn->origin,
        .frame = {p->ordinal, p->capture},
    };
    bytes data = {p->data + p->payload_offset, p->payload_captured};
    // One byte or none just before the next one only asks whether the other side lives (RFC 9293
    // section 3.8.4).
    if (distance == -1 && p->payload_length == 1) return;
    // What stands before the first byte seen has no position: it is delivered to nobody.
    if (distance < 0 && (uint64_t)-distance > side->next) {
        uint64_t before = (uint64_t)-distance - side->next;
        side_stray(side, before < what.length ? (uint32_t)before : what.length);
        if (before >= what.length) return;
        what.position = 0;
        what.length -= (uint32_t)before;
        what.captured = before >= what.captured ? 0 : what.captured - (uint32_t)before;
        data = bytes_after(data, before);
        what.origin.position = 0;
        what.origin.length = what.length;
        what.origin.has_sum = false; // it is that of more than is kept
    }
    const struct stream_hooks *hooks = &turn->s->hooks;
    if (hooks->placed)
        hooks->placed(hooks->context, turn->owner, turn->side, what.position, what.length);
    if (!side_trim(side, &what, &data)) {
        turn->effect->retransmit = true;
        return;
    }
    if (p->is_ambiguous) side_tell_fragments(turn, p, &what);
    if (what.position > side->next ||
        (side->held && side->held->position < what.position + what.length)) {
        side_hold(turn, &what, data);
        side_pull(turn);
        return;
    }
    turn->effect->new_bytes += what.length;
    side_deliver(turn, &what, data);
    side_pull(turn);
}

// Of several FINs the nearest counts: one far ahead must not hide the one that ends the stream.
static void side_note_fin(struct stream_side *side, uint64_t at)
{
    if (side->fin && side->fin_at <= at) return;
    if (at - side->next > JUMP_MAX && !segments_reach(side, at)) return;
    side->fin = true;
    side->fin_at = at;
}

void side_take(struct turn *turn, const struct packet *p)
{
    turn->side = turn->packet_side = p->side;
    struct stream_side *side = &turn->st->side[p->side];
    bool syn = p->tcp_flags & TCP_SYN, fin = p->tcp_flags & TCP_FIN;
    // The SYN takes a sequence number of its own, data in it come behind (RFC 7413).
    uint32_t seq = p->tcp_seq + (syn ? 1 : 0);
    if (syn || p->payload_length || fin) side_start(side, seq);
    // A SYN-ACK may be sent anew with another number as long as nothing behind it was sent, or
    // acknowledged.
    if (syn && !side->next && !side->held && !side->fin && !side->confirmed) side->next_seq = seq;
    if (!side->started) return;
    int64_t distance = side_distance(side, seq), end = distance + (int64_t)p->payload_length;
    uint64_t position = (uint64_t)((int64_t)side->next + distance);
    if (syn) doubt_note_syn(side, p);
    if (p->payload_length) {
        turn->origin = origin_of(turn, position);
        side_compare(turn, p, distance);
    }
    doubt_note_timestamp(side, p, position);
    if (side->finished) {
        uint64_t behind = end <= 0 ? 0 : (uint64_t)end;
        turn->effect->retransmit = p->payload_length && !behind;
        side_stray(side, behind < p->payload_length ? (uint32_t)behind : p->payload_length);
        return;
    }
    if (fin && end >= 0) side_note_fin(side, side->next + (uint64_t)end);
    if (p->payload_length) side_take_payload(turn, p, distance);
    side_check_fin(turn);
}

void side_lose_patience(struct turn *turn, uint8_t packet_side)
{
    struct stream_side *side = &turn->st->side[turn->side];
    turn->packet_side = packet_side;
    if (side->acked <= side->next + 1 || side->finished) return;
    if (++side->hole_packets <= GAP_PATIENCE) return;
    // What is acknowledged tells how much is missing; what is held may lie further ahead.
    uint64_t end = side->acked;
    if (side->held && side->held->position < end) end = side->held->position;
    if (side->fin && end > side->fin_at) end = side->fin_at;
    if (end > side->next) side_declare_gap(turn, end, GAP_LOST);
}

// Whether the first held segment is believed, though nothing is known of what lies before it: it is
// near, the other side has it, or another one lies near it.
static bool side_believes_held(const struct stream_side *side)
{
    const struct segment *first = side->held;
    if (first->position - side->next <= JUMP_MAX || side->acked > first->position) return true;
    return first->next && first->next->position - first->position <= JUMP_MAX;
}

void side_close(struct turn *turn)
{
    struct stream_side *side = &turn->st->side[turn->side];
    while (side->held && !side->finished && side_believes_held(side)) {
        uint64_t end = side->held->position;
        if (side_end_is_known(side) && end > side->fin_at) end = side->fin_at;
        side_declare_gap(turn, end, GAP_LOST);
    }
    for (; side->held; segments_drop_first(turn)) side_stray(side, side->held->length);
    recent_drop(turn);
    const struct stream_hooks *hooks = &turn->s->hooks;
    if (side->strayed && hooks->strayed)
        hooks->strayed(hooks->context, turn->owner, turn->side, side->strayed);
    if (!side->finished) {
        // Where the FIN was seen it tells the end; where not, a byte that was acknowledged and
        // never seen is as likely the FIN.
        uint64_t end = side->acked > side->next + 1 ? side->acked : side->next;
        if (side->fin) end = side->fin_at;
        if (end > side->next) side_declare_gap(turn, end, GAP_LOST);
    }
    side_finish(turn);
    view_drop(turn->s, side);
}
