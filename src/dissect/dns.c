// DNS over UDP and TCP (RFC 1035), with EDNS (RFC 6891); multicast DNS (RFC 6762) and LLMNR (RFC
// 4795).
//
// A query is held until its answer comes: the same number and question, from the other side. One
// record for both. A query that is sent again is the same transaction. What is not answered within
// DNS_WAIT_S of packet time, or until the end, stands alone; so does an answer whose query was not
// seen, and every message of multicast DNS, where many answer whoever asks, and most tell without
// being asked.
#include <assert.h>

#include "base/hash.h"
#include "dissect/dns_row.h"

enum {
    PENDING_FIRST = 1, // room in the state of most conversations
    PENDING_MAX = DISSECT_HELD_MAX,
    DNS_WAIT_S = 60,
    PORT_MDNS = 5353,
    PORT_LLMNR = 5355,
    PREFIX_SIZE = 2, // the length before a message on a stream (RFC 1035 section 4.2.2)
};

// A query that waits for its answer.
struct pending {
    uint64_t question; // a hash of name, type and class
    uint32_t held;
    uint32_t seconds; // when it was seen first
    uint16_t id;
    uint16_t retransmits;
    uint8_t side; // of who asks
    uint8_t has;  // enum dns_row_part
};

// Of a stream: what is known of the message that comes.
struct framing {
    nanos time;        // when its prefix began to come
    uint64_t position; // where its bytes begin, behind the prefix
    uint64_t skip;     // bytes of a message with a gap that need not be shown
    uint32_t length;   // 0: the prefix comes first
};

struct dns_state {
    struct framing framings[2];
    uint32_t message_count;
    uint32_t pending_count, pending_room;
    struct pending pending[]; // oldest first; grows up to PENDING_MAX
};
#define DNS_STATE_SIZE(room) (sizeof(struct dns_state) + (room) * sizeof(struct pending))
_Static_assert(DNS_STATE_SIZE(PENDING_MAX) <= DISSECT_STATE_MAX, "a state is bounded");

// ---- queries that wait --------------------------------------------------------------------------

static void pending_remove(struct dns_state *s, uint32_t index)
{
    assert(index < s->pending_count);
    s->pending_count--;
    for (uint32_t i = index; i < s->pending_count; i++) s->pending[i] = s->pending[i + 1];
}

// Takes the row of a query that waits no longer.
static struct row *pending_take(struct dissect *d, struct dns_state *s, uint32_t index)
{
    struct row *row = dissect_take(d, s->pending[index].held);
    row_uint(row, DNS_RETRANSMITS, s->pending[index].retransmits);
    pending_remove(s, index);
    return row;
}

static void pending_expire(struct dissect *d, struct dns_state *s, uint32_t seconds)
{
    while (s->pending_count) {
        int32_t age = (int32_t)(seconds - s->pending[0].seconds);
        if (age <= DNS_WAIT_S) return;
        dissect_emit(d, pending_take(d, s, 0));
    }
}

static uint64_t question_hash(const struct dns_message *m)
{
    uint8_t memory[DNS_NAME_TEXT_MAX + 4];
    const struct dns_name *name = &m->question.name;
    for (size_t i = 0; i < name->n; i++) {
        uint8_t c = (uint8_t)name->text[i];
        memory[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; // RFC 4343
    }
    struct buf b = {memory, name->n, sizeof memory, false};
    buf_put(&b, bytes_of(&m->question.type, sizeof m->question.type));
    buf_put(&b, bytes_of(&m->question.class_, sizeof m->question.class_));
    return table_hash(b.p, b.n, 0);
}

// The query that `m` answers, or sends again; -1 when there is none. An answer may leave out the
// question.
static int pending_find(const struct dns_state *s, const struct dns_message *m)
{
    bool is_answer = dns_is_answer(&m->header);
    uint64_t question = m->has_question ? question_hash(m) : 0;
    for (uint32_t i = 0; i < s->pending_count; i++) {
        const struct pending *p = &s->pending[i];
        if (p->id != m->header.id) continue;
        if (m->has_question || !is_answer) {
            if (p->question != question) continue;
        }
        if ((p->side == m->side) != is_answer) return (int)i;
    }
    return -1;
}

static uint32_t seconds_of(nanos time)
{
    return (uint32_t)(time / NANOS_PER_SECOND);
}

// ---- messages -----------------------------------------------------------------------------------

static enum dns_variant variant_of(const struct dissect *d)
{
    uint16_t src = dissect_port(d, 0), dst = dissect_port(d, 1);
    if (src == PORT_MDNS || dst == PORT_MDNS) return DNS_VARIANT_MDNS;
    if (src == PORT_LLMNR || dst == PORT_LLMNR) return DNS_VARIANT_LLMNR;
    return DNS_VARIANT_DNS;
}

static void emit_alone(struct dns_message *m)
{
    struct row *row = dissect_row(m->d, &dns_kind, m->side, m->position, m->time);
    dns_message_row(m, row, 0);
    dissect_emit(m->d, row);
}

// Room for one more: the state, which may have moved, or NULL when it could not.
static struct dns_state *pending_grow(struct dissect *d, struct dns_state *s)
{
    uint32_t room = s->pending_room ? s->pending_room : PENDING_FIRST;
    if (s->pending_count == room) {
        room = room * 4 < PENDING_MAX ? room * 4 : PENDING_MAX;
        s = dissect_state_resize(d, DNS_STATE_SIZE(room));
    }
    if (s) s->pending_room = room;
    return s;
}

// Moves the state.
static void on_query(struct dns_state *s, struct dns_message *m)
{
    // On a stream nothing is sent again: it is a second query that looks the same.
    int again = dissect_transport(m->d) == TRANSPORT_UDP ? pending_find(s, m) : -1;
    if (again >= 0) {
        if (s->pending[again].retransmits < UINT16_MAX) s->pending[again].retransmits++;
        return;
    }
    if (s->pending_count == PENDING_MAX) dissect_emit(m->d, pending_take(m->d, s, 0));
    struct row *row = dissect_row(m->d, &dns_kind, m->side, m->position, m->time);
    dns_message_row(m, row, 0);
    s = pending_grow(m->d, s);
    uint32_t held = s ? dissect_hold(m->d, row) : 0;
    if (!held) {
        dissect_emit(m->d, row);
        return;
    }
    s->pending[s->pending_count++] = (struct pending){
        .question = m->has_question ? question_hash(m) : 0,
        .held = held,
        .seconds = seconds_of(m->time),
        .id = m->header.id,
        .side = m->side,
        .has = DNS_ROW_QUERY | (m->survey.has_edns ? DNS_ROW_EDNS : 0),
    };
}

static void on_answer(struct dns_state *s, struct dns_message *m)
{
    int index = pending_find(s, m);
    if (index < 0) {
        emit_alone(m);
        return;
    }
    unsigned has = s->pending[index].has;
    struct row *row = pending_take(m->d, s, (uint32_t)index);
    row_time(row, DNS_RTT, m->time - row->ts);
    dns_message_row(m, row, has);
    dissect_emit(m->d, row);
}

static void on_message(struct dns_message *m)
{
    struct dns_state *s = dissect_state(m->d);
    m->variant = variant_of(m->d);
    dns_message_open(m);
    bool is_first = s->message_count++ == 0;
    pending_expire(m->d, s, seconds_of(m->time));
    if (m->variant == DNS_VARIANT_MDNS) {
        emit_alone(m);
        return;
    }
    uint8_t client = m->side ^ (dns_is_answer(&m->header) ? 1 : 0);
    if (is_first) dissect_client_is(m->d, client);
    if (dns_is_answer(&m->header)) on_answer(s, m);
    else on_query(s, m);
}

static bool has_header(const struct dns_message *m)
{
    return m->data.n >= DNS_HEADER_SIZE;
}

// ---- datagrams ----------------------------------------------------------------------------------

static enum recognition recognise_datagram(const struct piece *first)
{
    switch (dns_look(first->data)) {
    case DNS_LOOK_SURE:
        return RECOGNISE_YES;
    case DNS_LOOK_GOOD:
    case DNS_LOOK_WEAK:
        return RECOGNISE_PORT;
    case DNS_LOOK_NO:
        break;
    }
    return RECOGNISE_NO;
}

static enum verdict dns_datagram(struct dissect *d, const struct piece *piece)
{
    struct dns_state *s = dissect_state(d);
    struct dns_message m = {
        .d = d,
        .data = piece->data,
        .position = piece->position,
        .length = piece->length,
        .begin = piece->position,
        .time = piece->time,
        .side = piece->side,
        .cut = piece->cut,
    };
    if (has_header(&m)) on_message(&m);
    else if (s->message_count == 0) return DISSECT_NOT_MINE;
    else if (!m.cut) dns_message_anomaly(&m, "dns_truncated", 0, "no whole header");
    return DISSECT_GO;
}

// ---- streams ------------------------------------------------------------------------------------

static enum recognition recognise_stream(const struct piece *first)
{
    // Longer ones are not waited for: they are answers, and a query tells the same sooner.
    enum { WAIT_FOR_MAX = 500 };
    struct reader r = reader_of(first->data);
    uint16_t length = read_be16(&r);
    if (!r.bad && length < DNS_HEADER_SIZE) return RECOGNISE_NO;
    if (reader_left(&r) < DNS_HEADER_SIZE) return first->last ? RECOGNISE_NO : RECOGNISE_MORE;
    bool is_whole = reader_left(&r) >= length;
    enum dns_look look = dns_look(bytes_first(reader_rest(&r), length));
    if (look == DNS_LOOK_NO) return RECOGNISE_NO;
    if (is_whole) return look == DNS_LOOK_SURE ? RECOGNISE_YES : RECOGNISE_PORT;
    return length <= WAIT_FOR_MAX && !first->last ? RECOGNISE_MORE : RECOGNISE_PORT;
}

static enum recognition dns_recognise(const struct piece *first, enum transport transport)
{
    return transport == TRANSPORT_TCP ? recognise_stream(first) : recognise_datagram(first);
}

// Moves the state.
static bool stream_message(struct dissect *d, uint8_t side, const struct framing *f, bytes data)
{
    struct dns_state *s = dissect_state(d);
    struct dns_message m = {
        .d = d,
        .data = data,
        .position = f->position - PREFIX_SIZE,
        .length = data.n + PREFIX_SIZE,
        .begin = f->position,
        .time = f->time,
        .side = side,
    };
    if (has_header(&m)) on_message(&m);
    else if (s->message_count == 0) return false;
    else dns_message_anomaly(&m, "dns_truncated", 0, "no whole header");
    return true;
}

static void tell_cut_stream(struct dissect *d, const struct piece *piece, const struct framing *f,
                            size_t used)
{
    bytes left = bytes_after(piece->data, used);
    if (!piece->last || (left.n == 0 && f->length == 0)) return;
    dissect_anomaly(d, "dns_truncated", piece->side, piece->position + used, piece->time,
                    bytes_text("the stream ends within a message"));
}

static struct progress dns_stream(struct dissect *d, const struct piece *piece)
{
    struct dns_state *s = dissect_state(d);
    struct framing *f = &s->framings[piece->side];
    struct progress progress = {.verdict = DISSECT_GO};
    if (f->skip) {
        progress.skip = f->skip;
        f->skip = 0;
        return progress;
    }
    struct reader r = reader_of(piece->data);
    for (;;) {
        if (f->length == 0) {
            if (reader_left(&r) < PREFIX_SIZE) break;
            f->length = read_be16(&r);
            f->time = dissect_time_at(d, piece->side, piece->position + progress.used);
            progress.used += PREFIX_SIZE;
            f->position = piece->position + progress.used;
        }
        if (reader_left(&r) < f->length) break;
        bytes data = read_bytes(&r, f->length);
        f->length = 0;
        if (!stream_message(d, piece->side, f, data)) {
            progress.verdict = DISSECT_NOT_MINE;
            return progress;
        }
        s = dissect_state(d);
        f = &s->framings[piece->side];
        progress.used += data.n;
    }
    progress.want = f->length ? f->length : PREFIX_SIZE;
    tell_cut_stream(d, piece, f, progress.used);
    return progress;
}

// The prefix tells where the next message begins, as long as the gap does not reach beyond that.
static bool dns_gap(struct dissect *d, uint8_t side, uint64_t position, uint64_t length)
{
    struct dns_state *s = dissect_state(d);
    struct framing *f = &s->framings[side];
    uint64_t end = f->position + f->length, next = position + length;
    bool is_within = f->length && next <= end;
    f->skip = is_within ? end - next : 0;
    f->length = 0;
    return is_within;
}

static void dns_end(struct dissect *d)
{
    struct dns_state *s = dissect_state(d);
    while (s->pending_count) dissect_emit(d, pending_take(d, s, 0));
}

const struct dissector dns_dissector = {
    .name = "dns",
    .transports = TRANSPORT_TCP | TRANSPORT_UDP,
    .ports = {53, PORT_MDNS, PORT_LLMNR},
    .state_size = DNS_STATE_SIZE(PENDING_FIRST),
    .kinds = {&dns_kind},
    .recognise = dns_recognise,
    .datagram = dns_datagram,
    .stream = dns_stream,
    .gap = dns_gap,
    .end = dns_end,
};
