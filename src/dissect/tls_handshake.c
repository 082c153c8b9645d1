// Handshake messages in records: read where they lie, joined for the call when they span records,
// passed over when they are longer than a view (RFC 8446 section 5.1, RFC 5246 section 6.2.1).
#include "base/buf.h"
#include "dissect/tls_walk.h"

// What follows in this direction can't be read.
static enum tls_step handshake_give_up(struct tls_walk *w, bytes detail)
{
    if (tls_side_is_clear(w->side))
        tls_walk_anomaly(w, "tls_handshake_type", bytes_first(detail, TLS_MESSAGE_HEADER_SIZE));
    w->side->ccs = true;
    uint32_t left = w->side->record_left;
    w->side->record_left = 0;
    w->side->join = (struct tls_join){0};
    return tls_walk_pass(w, left);
}

static enum tls_step handshake_too_long(struct tls_walk *w, uint32_t size)
{
    tls_walk_anomaly(w, "tls_message_too_long",
                     bytes_first(tls_walk_rest(w), TLS_MESSAGE_HEADER_SIZE));
    w->side->discard = size;
    w->side->join = (struct tls_join){0};
    return TLS_STEP_ON;
}

static enum tls_step handshake_discard(struct tls_walk *w)
{
    struct tls_side *side = w->side;
    assert(side->discard > 0 && side->record_left > 0);
    uint32_t n = side->record_left < side->discard ? side->record_left : side->discard;
    side->record_left -= n;
    side->discard -= n;
    return tls_walk_pass(w, n);
}

// ---- messages that span records -----------------------------------------------------------------
//
// The walk along their records is kept in the state, so that many small records are not walked
// again with each segment; it waits at each point where something is decided, so that what is
// decided does not come sooner when more is shown at once. Once the message is whole it is joined
// for the call.

static uint32_t join_size(const struct tls_join *j)
{
    struct reader r = reader_of(bytes_of(j->head, TLS_MESSAGE_HEADER_SIZE));
    read_u8(&r);
    uint32_t length = read_be24(&r);
    return TLS_MESSAGE_HEADER_SIZE + (j->have < TLS_MESSAGE_HEADER_SIZE ? 0 : length);
}

// RFC 8446 section 5.1: no other records between those of a message.
static enum tls_step join_interrupted(struct tls_walk *w)
{
    struct tls_join *j = &w->side->join;
    bytes head = bytes_first(bytes_after(tls_walk_rest(w), j->seen), TLS_HEADER_SIZE);
    tls_walk_anomaly(w, "tls_message_interrupted", head);
    w->side->records += j->records;
    w->side->record_left = 0;
    w->at += j->seen;
    *j = (struct tls_join){0};
    return TLS_STEP_ON;
}

static enum tls_step join_record(struct tls_walk *w)
{
    struct tls_join *j = &w->side->join;
    struct reader r = reader_of(bytes_after(tls_walk_rest(w), j->seen));
    if (reader_left(&r) < TLS_HEADER_SIZE) return tls_walk_wait(w, j->seen + TLS_HEADER_SIZE);
    struct tls_header h = tls_header_read(read_bytes(&r, TLS_HEADER_SIZE));
    if (h.type != TLS_HANDSHAKE || !tls_is_record(&h)) return join_interrupted(w);
    j->seen += TLS_HEADER_SIZE;
    j->record_left = h.length;
    j->records++;
    return TLS_STEP_ON;
}

// The part of the message in the record at hand, or of its header while that is not whole.
static enum tls_step join_part(struct tls_walk *w, uint32_t missing)
{
    struct tls_join *j = &w->side->join;
    struct reader r = reader_of(bytes_after(tls_walk_rest(w), j->seen));
    uint32_t n = missing < j->record_left ? missing : j->record_left;
    if (reader_left(&r) < n) return tls_walk_wait(w, j->seen + n);
    bytes part = read_bytes(&r, n);
    if (j->have < TLS_MESSAGE_HEADER_SIZE) memcpy(j->head + j->have, part.p, part.n);
    j->have += n;
    j->seen += n;
    j->record_left -= n;
    return TLS_STEP_ON;
}

// Not inlined, so that only who needs the room pays for it.
__attribute__((noinline)) static enum tls_step join_done(struct tls_walk *w)
{
    uint8_t memory[STREAM_VIEW_MAX];
    struct tls_join j = w->side->join;
    struct buf out = buf_on(memory, sizeof memory);
    struct reader r = reader_of(bytes_first(tls_walk_rest(w), j.seen));
    for (uint32_t left = w->side->record_left; reader_left(&r) > 0;) {
        size_t n = left < reader_left(&r) ? left : reader_left(&r);
        buf_put(&out, read_bytes(&r, n));
        left = reader_left(&r) ? tls_header_read(read_bytes(&r, TLS_HEADER_SIZE)).length : 0;
    }
    assert(out.n == j.have && !out.full);
    struct tls_place at = tls_walk_place(w);
    at.length = j.seen;
    tls_message(&at, j.head[0], bytes_after(buf_bytes(&out), TLS_MESSAGE_HEADER_SIZE));
    w->side->records += j.records;
    w->side->record_left = j.record_left;
    w->side->join = (struct tls_join){0};
    w->at += j.seen;
    tls_walk_cleared(w, 0);
    return TLS_STEP_ON;
}

static enum tls_step handshake_join(struct tls_walk *w)
{
    struct tls_join *j = &w->side->join;
    uint32_t size = join_size(j), missing = size - j->have;
    if (j->have >= TLS_MESSAGE_HEADER_SIZE) {
        if (!tls_message_is_known(j->head[0]) || w->side->uncertain)
            return handshake_give_up(w, bytes_of(j->head, TLS_MESSAGE_HEADER_SIZE));
        uint32_t more = missing > j->record_left ? TLS_HEADER_SIZE : 0;
        if (size > STREAM_VIEW_MAX || j->seen + missing + more > STREAM_VIEW_MAX)
            return handshake_too_long(w, size);
        if (missing == 0) return join_done(w);
    }
    return j->record_left == 0 ? join_record(w) : join_part(w, missing);
}

static enum tls_step handshake_join_begin(struct tls_walk *w)
{
    w->side->join = (struct tls_join){.record_left = w->side->record_left, .begun = true};
    return TLS_STEP_ON;
}

// ---- messages in one record ---------------------------------------------------------------------

// The usual case: the message lies in one record.
static enum tls_step handshake_whole(struct tls_walk *w, uint8_t type, uint32_t size)
{
    assert(size <= w->side->record_left);
    struct reader r = reader_of(tls_walk_rest(w));
    if (reader_left(&r) < size) return tls_walk_wait(w, size);
    struct tls_place at = tls_walk_place(w);
    at.length = size;
    bytes message = read_bytes(&r, size);
    tls_message(&at, type, bytes_after(message, TLS_MESSAGE_HEADER_SIZE));
    w->side->record_left -= size;
    w->at += size;
    tls_walk_cleared(w, 0);
    return TLS_STEP_ON;
}

enum tls_step tls_handshake(struct tls_walk *w)
{
    if (w->side->discard) return handshake_discard(w);
    if (w->side->join.begun) return handshake_join(w);
    if (w->side->record_left < TLS_MESSAGE_HEADER_SIZE) return handshake_join_begin(w);
    struct reader r = reader_of(tls_walk_rest(w));
    uint8_t type = read_u8(&r);
    uint32_t size = TLS_MESSAGE_HEADER_SIZE + read_be24(&r);
    if (r.bad) return tls_walk_wait(w, TLS_MESSAGE_HEADER_SIZE);
    if (!tls_message_is_known(type)) return handshake_give_up(w, tls_walk_rest(w));
    if (size <= w->side->record_left) return handshake_whole(w, type, size);
    return handshake_join_begin(w);
}
