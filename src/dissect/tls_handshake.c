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
    return tls_walk_pass(w, left);
}

static enum tls_step handshake_too_long(struct tls_walk *w, uint32_t size)
{
    tls_walk_anomaly(w, "tls_message_too_long",
                     bytes_first(tls_walk_rest(w), TLS_MESSAGE_HEADER_SIZE));
    w->side->discard = size;
    return TLS_STEP_ON;
}

static enum tls_step handshake_discard(struct tls_walk *w)
{
    struct tls_side *side = w->side;
    uint32_t n = side->record_left < side->discard ? side->record_left : side->discard;
    side->record_left -= n;
    side->discard -= n;
    return tls_walk_pass(w, n);
}

// A message that spans records is joined here for the length of the call.
struct join {
    struct tls_walk *w;
    struct reader r;      // from where the walk stands
    size_t seen;          // bytes of the view that were read
    uint32_t record_left; // of the record in which `r` stands
    uint32_t records;     // that were begun
    struct buf out;
    bool interrupted; // by a record of another type
    size_t want;      // bytes from where the walk stands that are needed at least; 0: it goes on
};

static bool join_record(struct join *j, size_t missing)
{
    bytes rest = reader_rest(&j->r);
    if (rest.n < TLS_HEADER_SIZE) {
        j->want = j->seen + TLS_HEADER_SIZE + missing;
        return false;
    }
    struct tls_header h = tls_header_read(read_bytes(&j->r, TLS_HEADER_SIZE));
    j->interrupted = h.type != TLS_HANDSHAKE || !tls_is_record(&h);
    if (j->interrupted) return false;
    j->seen += TLS_HEADER_SIZE;
    j->record_left = h.length;
    j->records++;
    return true;
}

// Joins until `size` bytes of the message are there.
static bool join_until(struct join *j, size_t size)
{
    while (j->out.n < size) {
        size_t missing = size - j->out.n;
        if (j->record_left == 0 && !join_record(j, missing)) return false;
        size_t n = missing < j->record_left ? missing : j->record_left;
        if (reader_left(&j->r) < n) {
            j->want = j->seen + missing + (missing > n ? TLS_HEADER_SIZE : 0);
            return false;
        }
        buf_put(&j->out, read_bytes(&j->r, n));
        j->seen += n;
        j->record_left -= (uint32_t)n;
    }
    return true;
}

static enum tls_step join_failed(struct join *j, uint32_t size)
{
    struct tls_walk *w = j->w;
    if (!j->interrupted) {
        if (j->want > STREAM_VIEW_MAX) return handshake_too_long(w, size);
        return tls_walk_wait(w, j->want);
    }
    bytes head = bytes_first(bytes_after(tls_walk_rest(w), j->seen), TLS_HEADER_SIZE);
    // RFC 8446 section 5.1: no other records between those of a message.
    tls_walk_anomaly(w, "tls_message_interrupted", head);
    w->side->records += j->records;
    w->side->record_left = 0;
    w->at += j->seen;
    return TLS_STEP_ON;
}

static void join_done(struct join *j, uint8_t type)
{
    struct tls_walk *w = j->w;
    struct tls_place at = tls_walk_place(w);
    at.length = j->seen;
    tls_message(&at, type, bytes_after(buf_bytes(&j->out), TLS_MESSAGE_HEADER_SIZE));
    w->side->records += j->records;
    w->side->record_left = j->record_left;
    w->at += j->seen;
    tls_walk_cleared(w, 0);
}

// Not inlined, so that only who needs the room pays for it.
__attribute__((noinline)) static enum tls_step handshake_joined(struct tls_walk *w)
{
    uint8_t memory[STREAM_VIEW_MAX];
    struct join j = {.w = w, .r = reader_of(tls_walk_rest(w)), .record_left = w->side->record_left};
    j.out = buf_on(memory, sizeof memory);
    if (!join_until(&j, TLS_MESSAGE_HEADER_SIZE)) return join_failed(&j, TLS_MESSAGE_HEADER_SIZE);
    struct reader head = reader_of(buf_bytes(&j.out));
    uint8_t type = read_u8(&head);
    uint32_t size = TLS_MESSAGE_HEADER_SIZE + read_be24(&head);
    if (!tls_message_is_known(type) || w->side->uncertain)
        return handshake_give_up(w, buf_bytes(&j.out));
    if (size > sizeof memory) return handshake_too_long(w, size);
    if (!join_until(&j, size)) return join_failed(&j, size);
    join_done(&j, type);
    return TLS_STEP_ON;
}

// The usual case: the message lies in one record.
static enum tls_step handshake_whole(struct tls_walk *w, uint8_t type, uint32_t size)
{
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
    if (w->side->record_left < TLS_MESSAGE_HEADER_SIZE) return handshake_joined(w);
    struct reader r = reader_of(tls_walk_rest(w));
    uint8_t type = read_u8(&r);
    uint32_t size = TLS_MESSAGE_HEADER_SIZE + read_be24(&r);
    if (r.bad) return tls_walk_wait(w, TLS_MESSAGE_HEADER_SIZE);
    if (!tls_message_is_known(type)) return handshake_give_up(w, tls_walk_rest(w));
    if (size <= w->side->record_left) return handshake_whole(w, type, size);
    return handshake_joined(w);
}
