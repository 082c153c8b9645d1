// TLS 1.0 to 1.3 over streams, SSL 3.0, and the hellos of SSL 2.0: RFC 8446 and RFC 5246, section 5
// and 6 for records.
//
// Records are walked by their headers; the bodies of encrypted ones are skipped unseen, so that a
// long download costs nothing. Handshake messages are handed to tls_handshake.c.
#include "dissect/tls_walk.h"
#include "dissect/x509.h"

enum {
    LOOK_MAX = 4, // bytes of a record's body that are looked at to tell what it is
    // RFC 8446: header 4, at least 32 of a hash, type 1, at least 8 of a tag.
    FINISHED_SIZE_MIN = 45,
    SCAN_MAX = 2 * STREAM_VIEW_MAX, // in search of a record behind a gap
};

// ---- records ------------------------------------------------------------------------------------

static size_t look_size(const struct tls_header *h)
{
    if (h->type == TLS_APPLICATION_DATA) return 0;
    return h->length < LOOK_MAX ? h->length : LOOK_MAX;
}

// Behind ChangeCipherSpec handshake messages are encrypted, save the hellos of TLS 1.3, which has
// that record for show only (RFC 8446 appendix D.4).
static bool is_sealed(const struct tls_walk *w, const struct tls_header *h, bytes body)
{
    if (!w->side->ccs) return false;
    if (w->s->version && !tls_is_13(w->s)) return true;
    struct reader r = reader_of(body);
    uint8_t type = read_u8(&r);
    uint32_t length = read_be24(&r);
    bool is_hello = type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO;
    return r.bad || !is_hello || length + TLS_MESSAGE_HEADER_SIZE != h->length;
}

static enum tls_step record_handshake(struct tls_walk *w, const struct tls_header *h)
{
    if (is_sealed(w, h, tls_walk_rest(w))) {
        w->side->sealed_handshake = true;
        return tls_walk_pass(w, h->length);
    }
    w->side->record_left = h->length;
    return TLS_STEP_ON;
}

static enum tls_step record_change(struct tls_walk *w, const struct tls_header *h)
{
    if (h->length != 1)
        tls_walk_anomaly(w, "tls_record_length", bytes_first(tls_walk_rest(w), look_size(h)));
    if (!w->side->ccs) tls_session_history(w->s, w->piece->side, 'I');
    w->side->ccs = true;
    tls_walk_cleared(w, h->length);
    return tls_walk_pass(w, h->length);
}

// An alert in the clear has two bytes, an encrypted one more (RFC 8446 section 6).
static enum tls_step record_alert(struct tls_walk *w, const struct tls_header *h)
{
    struct reader r = reader_of(bytes_first(tls_walk_rest(w), h->length));
    uint8_t level = read_u8(&r), description = read_u8(&r);
    bool is_clear = h->length == 2 && (level == 1 || level == 2);
    if (is_clear) {
        w->s->has_alert = true;
        w->s->alert = description;
        tls_session_history(w->s, w->piece->side, 'L');
    } else if (tls_side_is_clear(w->side)) {
        tls_walk_anomaly(w, "tls_alert_malformed", bytes_first(tls_walk_rest(w), look_size(h)));
    }
    if (is_clear) tls_walk_cleared(w, h->length);
    return tls_walk_pass(w, h->length);
}

// RFC 6520 section 4: type, length, payload, at least 16 bytes of padding. A length beyond the
// record asks for what does not belong to the sender (CVE-2014-0160).
static enum tls_step record_heartbeat(struct tls_walk *w, const struct tls_header *h)
{
    enum { REQUEST = 1, HEAD = 3 };
    struct reader r = reader_of(bytes_first(tls_walk_rest(w), h->length));
    uint8_t type = read_u8(&r);
    uint32_t payload = read_be16(&r);
    if (tls_side_is_clear(w->side)) {
        tls_session_history(w->s, w->piece->side, 'B');
        if (type == REQUEST && HEAD + payload > h->length)
            tls_walk_anomaly(w, "tls_heartbeat_overread",
                             bytes_first(tls_walk_rest(w), look_size(h)));
    }
    return tls_walk_pass(w, h->length);
}

// Data of a client before the server's hello is early data, not the end of a handshake (RFC 8446
// section 4.2.10).
static enum tls_step record_data(struct tls_walk *w, const struct tls_header *h)
{
    struct tls_side *side = w->side;
    bool is_early = w->s->early_data && !w->s->server_hello;
    if (h->length >= FINISHED_SIZE_MIN && !is_early) side->sealed_data = true;
    if (side->app_bytes == 0 && !side->handshake) tls_session_history(w->s, w->piece->side, 'D');
    side->app_bytes += h->length;
    return tls_walk_pass(w, h->length);
}

static enum tls_step record_body(struct tls_walk *w, const struct tls_header *h)
{
    if (h->type != TLS_HANDSHAKE) w->side->discard = 0;
    switch (h->type) {
    case TLS_CHANGE_CIPHER_SPEC:
        return record_change(w, h);
    case TLS_ALERT:
        return record_alert(w, h);
    case TLS_HANDSHAKE:
        return record_handshake(w, h);
    case TLS_HEARTBEAT:
        return record_heartbeat(w, h);
    default:
        return record_data(w, h);
    }
}

static enum tls_step record_broken(struct tls_walk *w, const struct tls_header *h)
{
    if (!w->s->begun) {
        w->progress.verdict = DISSECT_NOT_MINE;
        return TLS_STEP_PAUSE;
    }
    const char *name = !tls_has_type(h)      ? "tls_content_type"
                       : !tls_has_version(h) ? "tls_record_version"
                                             : "tls_record_length";
    tls_walk_anomaly(w, name, bytes_first(tls_walk_rest(w), TLS_HEADER_SIZE));
    if (w->side->seen) return tls_walk_stop(w);
    // What this side said before TLS began: the answer of a proxy, the consent to an upgrade.
    w->side->lost = true;
    return TLS_STEP_ON;
}

// A record of SSL 2.0 (RFC 6101 appendix E): the upper bit tells that its header has two bytes and
// no padding.
static size_t ssl2_size(bytes b)
{
    struct reader r = reader_of(b);
    uint16_t first = read_be16(&r);
    return first & 0x8000 ? 2u + (first & 0x7fff) : 3u + (first & 0x3fff);
}

static enum tls_step record_ssl2_hello(struct tls_walk *w, const struct tls_header *h)
{
    struct reader r = reader_of(tls_walk_rest(w));
    size_t size = ssl2_size(tls_walk_rest(w));
    if (w->side->seen || !(read_be16(&r) & 0x8000)) return record_broken(w, h);
    uint8_t type = read_u8(&r);
    if (type != 1 && type != 4) return record_broken(w, h);
    if (size > tls_walk_rest(w).n) return tls_walk_wait(w, size);
    struct tls_place at = tls_walk_place(w);
    at.length = size;
    if (!tls_message_ssl2(&at, bytes_after(bytes_first(tls_walk_rest(w), size), 2)))
        return record_broken(w, h);
    w->side->records++;
    w->at += size;
    tls_walk_cleared(w, 0);
    return TLS_STEP_ON;
}

static enum tls_step record_ssl2(struct tls_walk *w)
{
    struct tls_place at = tls_walk_place(w);
    tls_session_begin(&at);
    w->side->records++;
    return tls_walk_pass(w, ssl2_size(tls_walk_rest(w)));
}

static enum tls_step record(struct tls_walk *w)
{
    bytes rest = tls_walk_rest(w);
    if (rest.n < TLS_HEADER_SIZE) return tls_walk_wait(w, TLS_HEADER_SIZE);
    if (w->s->ssl2) return record_ssl2(w);
    struct tls_header h = tls_header_read(rest);
    if (!tls_is_record(&h)) return record_ssl2_hello(w, &h);
    size_t look = TLS_HEADER_SIZE + look_size(&h);
    if (rest.n < look) return tls_walk_wait(w, look);
    struct tls_place at = tls_walk_place(w);
    tls_session_begin(&at);
    w->s->record_version = (uint16_t)(h.major << 8 | h.minor);
    w->side->records++;
    w->at += TLS_HEADER_SIZE;
    if (w->side->records == 1) tls_walk_cleared(w, 0);
    return record_body(w, &h);
}

// ---- behind a gap -------------------------------------------------------------------------------

enum found { FOUND_NOT, FOUND_MORE, FOUND_RECORD };

// Whether a record begins here: its header is believable, and so is the one behind it. *want: bytes
// that would tell.
static enum found find_record(const struct tls_walk *w, bytes here, size_t *want)
{
    struct tls_header h = tls_header_read(here);
    if (!tls_is_record(&h)) return FOUND_NOT;
    size_t size = TLS_HEADER_SIZE + h.length;
    if (here.n == size && w->piece->last) return FOUND_RECORD;
    if (here.n < size + TLS_HEADER_SIZE) {
        *want = size + TLS_HEADER_SIZE;
        return w->piece->last ? FOUND_NOT : FOUND_MORE;
    }
    struct tls_header next = tls_header_read(bytes_after(here, size));
    return tls_is_record(&next) ? FOUND_RECORD : FOUND_NOT;
}

static enum tls_step resync(struct tls_walk *w)
{
    for (; tls_walk_rest(w).n >= TLS_HEADER_SIZE; w->at++) {
        size_t want = 0;
        enum found found = find_record(w, tls_walk_rest(w), &want);
        if (found == FOUND_MORE) return tls_walk_wait(w, want);
        if (found == FOUND_RECORD) {
            w->side->lost = false;
            return TLS_STEP_ON;
        }
        if (++w->side->scanned > SCAN_MAX) return tls_walk_stop(w);
    }
    return tls_walk_wait(w, TLS_HEADER_SIZE);
}

// ---- the dissector ------------------------------------------------------------------------------

static enum tls_step walk_step(struct tls_walk *w)
{
    if (w->side->lost) return resync(w);
    if (w->side->record_left) return tls_handshake(w);
    return record(w);
}

static struct progress tls_stream(struct dissect *d, const struct piece *piece)
{
    assert(piece->side < 2 && piece->data.n <= STREAM_VIEW_MAX);
    struct tls_state *s = dissect_state(d);
    struct tls_walk w = {.d = d, .s = s, .side = &s->sides[piece->side], .piece = piece};
    w.progress.verdict = DISSECT_GO;
    while (walk_step(&w) == TLS_STEP_ON) continue;
    w.progress.used = w.at;
    return w.progress;
}

static bool tls_gap(struct dissect *d, uint8_t side, uint64_t position, uint64_t length)
{
    (void)position, (void)length;
    struct tls_state *s = dissect_state(d);
    struct tls_side *lost = &s->sides[side];
    if (s->ssl2) return false;
    lost->lost = lost->uncertain = true;
    lost->record_left = lost->discard = lost->scanned = 0;
    lost->join = (struct tls_join){0};
    return true;
}

static void tls_end(struct dissect *d)
{
    tls_session_end(d, dissect_state(d));
}

const struct dissector tls_dissector = {
    .name = "tls",
    .transports = TRANSPORT_TCP,
    .ports = {443, 8443, 993, 995, 465, 636, 853},
    .state_size = sizeof(struct tls_state),
    .kinds = {&tls_kind, &x509_kind},
    .recognise = tls_recognise,
    .stream = tls_stream,
    .gap = tls_gap,
    .end = tls_end,
};
