#include "flow/tcp.h"

#include <string.h>

// Letters that are noted once a direction, by bit.
static const char once_letters[] = "SHADFRIQ";

static void history_put(struct conversation *c, unsigned side, char letter)
{
    if (c->history_length >= HISTORY_MAX - 1) return;
    c->history[c->history_length++] = (char)(conversation_is_src(c, side) ? letter : letter | 0x20);
}

void history_note(struct conversation *c, unsigned side, char letter)
{
    const char *place = strchr(once_letters, letter);
    uint16_t bit = (uint16_t)(1u << (place - once_letters));
    if (c->side[side].history_seen & bit) return;
    c->side[side].history_seen |= bit;
    history_put(c, side, letter);
}

void history_note_counted(struct conversation *c, unsigned side, char letter, uint64_t count)
{
    while (count >= 10 && count % 10 == 0) count /= 10;
    if (count == 1) history_put(c, side, letter);
}

static void history_turn_letters(struct conversation *c)
{
    for (unsigned i = 0; i < c->history_length; i++) {
        char letter = c->history[i];
        if (letter != '^') c->history[i] = (char)(letter ^ 0x20);
    }
}

void conversation_turn(struct conversation *c)
{
    c->src_side ^= 1;
    c->turned = true;
    history_turn_letters(c);
    if (c->history_length >= HISTORY_MAX - 1) return;
    memmove(c->history + 1, c->history, c->history_length);
    c->history[0] = '^';
    c->history_length++;
}

// Whether the packet answers the SYN of the other side, or the data in it too (RFC 7413).
static bool tcp_answers(const struct conversation *c, const struct packet *p)
{
    const struct conversation_side *other = &c->side[p->side ^ 1];
    if (!(p->tcp_flags & TCP_ACK) || !other->has_isn) return false;
    uint32_t with_data = p->tcp_ack - other->isn - 1;
    return with_data <= other->payload_bytes && with_data <= UINT16_MAX;
}

// Both have agreed to it, and it did not end.
static bool tcp_is_live(const struct conversation *c)
{
    for (unsigned i = 0; i < 2; i++)
        if (c->side[i].state != ENDPOINT_ESTABLISHED && c->side[i].state != ENDPOINT_CLOSED)
            return false;
    return !c->ended;
}

// A SYN with another sequence number than the one we know is another connection: the same endpoints
// may reuse ports once the old connection is closed (RFC 9293 section 3.6.1), and do so earlier
// when one of them forgot it. But who keeps no state of half-open connections answers each SYN anew
// (RFC 4987 section 3.6). And who is in a connection goes on with it, whatever SYN comes, unless he
// answers it (RFC 5961 section 4).
bool tcp_is_new_connection(const struct conversation *c, const struct packet *p)
{
    if (!(p->tcp_flags & TCP_SYN) || p->tcp_flags & (TCP_RST | TCP_FIN)) return false;
    const struct conversation_side *s = &c->side[p->side];
    bool answers = tcp_answers(c, p);
    if (s->has_isn) {
        if (p->tcp_seq == s->isn || p->tcp_seq + p->payload_length == s->isn) return false;
        if (tcp_is_live(c) && !(p->tcp_flags & TCP_ACK)) return false;
        return !answers;
    }
    // First SYN of this side: new when the side has spoken before, unless it answers one or stands
    // where what was heard before it began: then it only came late.
    uint32_t before = s->isn - p->tcp_seq;
    bool comes_late = s->packets > 0 && before <= UINT16_MAX;
    bool is_known = c->ended || s->state == ENDPOINT_PARTIAL;
    return s->packets > 0 && is_known && !answers && !comes_late;
}

static void tcp_note_syn(struct conversation *c, const struct packet *p)
{
    struct conversation_side *s = &c->side[p->side];
    bool ack = p->tcp_flags & TCP_ACK;
    // A later one counts while the connection is half open; then it is an old one that comes late.
    if (!s->has_isn || s->state == ENDPOINT_SYN_ACK_SENT) {
        s->has_isn = 1;
        s->isn = p->tcp_seq;
    }
    // What is answered was sent, even if it comes later or never.
    struct conversation_side *other = &c->side[p->side ^ 1];
    if (ack && !other->has_isn) {
        other->has_isn = 1;
        other->isn = p->tcp_ack - 1;
    }
    if (s->state == ENDPOINT_INACTIVE || s->state == ENDPOINT_PARTIAL)
        s->state = ack ? ENDPOINT_SYN_ACK_SENT : ENDPOINT_SYN_SENT;
    if (!ack && !c->syn_time) c->syn_time = p->time;
    if (p->tcp_flags & TCP_FIN) history_note(c, p->side, 'Q');
    if (p->tcp_flags & TCP_RST) history_note(c, p->side, 'I');
    history_note(c, p->side, ack ? 'H' : 'S');
}

// Until a SYN is seen, where its side began is at most the lowest number that was heard of it.
static void tcp_note_lowest(struct conversation_side *s, uint32_t number)
{
    bool is_open = !s->has_isn && s->state == ENDPOINT_PARTIAL;
    if (is_open && (int32_t)(number - s->isn) < 0) s->isn = number;
}

static void tcp_note_ack(struct conversation *c, const struct packet *p)
{
    struct conversation_side *s = &c->side[p->side], *other = &c->side[p->side ^ 1];
    // Who goes on after a SYN-ACK has sent the SYN that it answers, whether we saw it or not.
    bool began = s->state == ENDPOINT_SYN_SENT || s->state == ENDPOINT_INACTIVE;
    if (began && other->state == ENDPOINT_SYN_ACK_SENT) {
        s->state = other->state = ENDPOINT_ESTABLISHED;
        // From the first SYN to the answer of the one who sent it: once round, wherever the tap
        // stands.
        if (c->syn_time && !c->rtt) c->rtt = p->time - c->syn_time;
    }
    if (s->state == ENDPOINT_INACTIVE) {
        s->state = ENDPOINT_PARTIAL;
        if (!s->has_isn) s->isn = p->tcp_seq;
    }
    if (!(p->tcp_flags & TCP_RST)) {
        tcp_note_lowest(s, p->tcp_seq);
        if (p->tcp_flags & TCP_ACK) tcp_note_lowest(other, p->tcp_ack);
    }
    if (p->payload_length == 0 && !(p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)))
        history_note(c, p->side, 'A');
}

static void tcp_note_end(struct conversation *c, const struct packet *p)
{
    struct conversation_side *s = &c->side[p->side], *other = &c->side[p->side ^ 1];
    if (p->tcp_flags & TCP_FIN) {
        if (s->state != ENDPOINT_RESET) s->state = ENDPOINT_CLOSED;
        history_note(c, p->side, 'F');
        if (other->state == ENDPOINT_CLOSED) c->ended = true;
    }
    if (p->tcp_flags & TCP_RST) {
        // A reset behind a complete close changes nothing any more.
        if (s->state != ENDPOINT_CLOSED || other->state != ENDPOINT_CLOSED)
            s->state = ENDPOINT_RESET;
        history_note(c, p->side, 'R');
        c->ended = true;
    }
}

void tcp_note(struct conversation *c, const struct packet *p)
{
    struct conversation_side *s = &c->side[p->side];
    s->metered_flags |= p->tcp_flags;
    if (p->tcp_flags & TCP_SYN) tcp_note_syn(c, p);
    else tcp_note_ack(c, p);
    if (p->tcp_window == 0 && !(p->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN)) &&
        s->zero_windows < UINT8_MAX)
        history_note_counted(c, p->side, 'W', ++s->zero_windows);
    if (p->tcp_flags & (TCP_FIN | TCP_RST)) tcp_note_end(c, p);
}

static bool heard_nothing(enum endpoint_state state)
{
    return state == ENDPOINT_INACTIVE || state == ENDPOINT_PARTIAL;
}

static const char *tcp_reset_state(enum endpoint_state src, enum endpoint_state dst, bool empty)
{
    if (dst == ENDPOINT_RESET) {
        if (src == ENDPOINT_SYN_SENT || src == ENDPOINT_SYN_ACK_SENT ||
            (src == ENDPOINT_RESET && empty))
            return "REJ";
        return heard_nothing(src) ? "RSTRH" : "RSTR";
    }
    return heard_nothing(dst) ? "RSTOS0" : "RSTO";
}

static const char *tcp_state_of(enum endpoint_state src, enum endpoint_state dst, bool empty)
{
    if (src == ENDPOINT_RESET || dst == ENDPOINT_RESET) return tcp_reset_state(src, dst, empty);
    if (src == ENDPOINT_CLOSED && dst == ENDPOINT_CLOSED) return "SF";
    if (src == ENDPOINT_CLOSED) return heard_nothing(dst) ? "SH" : "S2";
    if (dst == ENDPOINT_CLOSED) return heard_nothing(src) ? "SHR" : "S3";
    if (src == ENDPOINT_SYN_SENT && dst == ENDPOINT_INACTIVE) return "S0";
    if (src == ENDPOINT_ESTABLISHED && dst == ENDPOINT_ESTABLISHED) return "S1";
    return "OTH";
}

const char *conn_state_of(const struct conversation *c)
{
    const struct conversation_side *src = &c->side[c->src_side], *dst = &c->side[c->src_side ^ 1];
    // Only who answered a SYN was heard: in the terms of the states he is the responder, though he
    // is our source.
    if (c->key.proto == 6 && !dst->packets && c->history[0] == 'H') {
        const struct conversation_side *heard = src;
        src = dst;
        dst = heard;
    }
    if (c->key.proto == 6)
        return tcp_state_of(src->state, dst->state,
                            src->payload_bytes == 0 && dst->payload_bytes == 0);
    if (c->key.proto == 17) return dst->packets ? "SF" : "S0";
    return "OTH";
}
