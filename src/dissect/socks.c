// SOCKS 4, 4a ("SOCKS: A protocol for TCP proxy across firewalls", Lee 1992, and its extension) and
// 5 (RFC 1928, logins RFC 1929), on TCP.
//
// A conversation begins with what the client says, which is how it is known. When the server has
// agreed, all that follows is something else and is recognised anew; the conversation's `tunnel`
// names the proxy then. Where the answer is not there (lost, or only the client was captured), what
// follows the request is taken as granted: whether it was, what is found there tells. Behind a
// method that wraps all that follows (GSSAPI, TLS) nothing is read.
#include <string.h>

#include "dissect/dissect.h"
#include "dissect/socks_message.h"

// Bytes behind the request that wait for the server's answer, and of an answer that wait for the
// request: packets of the two directions may have been captured in the wrong order.
enum { WAITING_MAX = 4096 };
enum { MALFORMED_SHOWN = 2 }; // no message can be told to be malformed by less

enum field_number {
    SOCKS_VERSION = COMMON_COUNT,
    SOCKS_COMMAND,
    SOCKS_METHOD,
    SOCKS_USERNAME,
    SOCKS_LOGGED_IN,
    SOCKS_REQUEST_ADDR,
    SOCKS_REQUEST_NAME,
    SOCKS_REQUEST_PORT,
    SOCKS_REPLY,
    SOCKS_REPLY_NAME,
    SOCKS_BOUND_ADDR,
    SOCKS_BOUND_NAME,
    SOCKS_BOUND_PORT,
    SOCKS_PEER_ADDR,
    SOCKS_PEER_PORT,
    SOCKS_FIELD_COUNT,
};

// clang-format off
static const struct field FIELDS[] = {
    RECORD_COMMON_FIELDS,
    {"version", FIELD_UINT, NULL, "4 or 5", "network.protocol_version", NULL, 0},
    {"command", FIELD_TEXT, NULL,
     "What was asked for: connect, bind, udp_associate, resolve, resolve_ptr",
     "event.action", NULL, 0},
    {"method", FIELD_TEXT, NULL, "How the server wants the client to log in", NULL, NULL, 0},
    {"username", FIELD_TEXT, NULL, "Name by which the client logs in", "user.name", "user", 0},
    {"logged_in", FIELD_BOOL, NULL, "What the server said of the login", NULL, NULL, 0},
    {"request_addr", FIELD_ADDRESS, NULL,
     "Address that was asked for", NULL, "request.host", 0},
    {"request_name", FIELD_TEXT, NULL, "Name that was asked for", "url.domain", "request.name", 0},
    {"request_port", FIELD_UINT, NULL, "Port that was asked for", "url.port", "request_p", 0},
    {"reply", FIELD_UINT, NULL, "The server's answer, as a number", NULL, NULL, 0},
    {"reply_name", FIELD_TEXT, NULL, "The server's answer", "event.reason", "status", 0},
    {"bound_addr", FIELD_ADDRESS, NULL,
     "Address that the server uses for it", NULL, "bound.host", 0},
    {"bound_name", FIELD_TEXT, NULL,
     "Name of what the server uses for it", NULL, "bound.name", 0},
    {"bound_port", FIELD_UINT, NULL, "Port that the server uses for it", NULL, "bound_p", 0},
    {"peer_addr", FIELD_ADDRESS, NULL, "Who connected to a bound port", NULL, NULL, 0},
    {"peer_port", FIELD_UINT, NULL, "Port of who connected to a bound port", NULL, NULL, 0},
};
// clang-format on
_Static_assert(sizeof FIELDS / sizeof *FIELDS == SOCKS_FIELD_COUNT, "a number for each field");

static const struct record_kind KIND = {
    .name = "socks",
    .help = "What a client asked of a SOCKS proxy, and its answer",
    .fields = FIELDS,
    .field_count = SOCKS_FIELD_COUNT,
};

enum phase {
    PHASE_GREETING, // of the client
    PHASE_REQUEST,  // or a login before it
    PHASE_ASKED,
    PHASE_METHOD, // of the server
    PHASE_STATUS,
    PHASE_REPLY,
    PHASE_PEER, // the second reply to a bind
    PHASE_OVER,
};

struct socks {
    uint8_t version;   // 0: nothing was read yet
    uint8_t client;    // its side
    uint8_t phases[2]; // by side
    bool told;         // the record was emitted
    bool agreed;       // the server speaks SOCKS too
    bool has_method, has_status, has_reply, has_peer;
    uint8_t method, status;
    nanos began;
    uint64_t from[2], to[2]; // by side: positions of what was read
    struct socks_name user;
    struct socks_request request;
    struct socks_reply reply;
    struct socks_end peer;
};
_Static_assert(sizeof(struct socks) <= DISSECT_STATE_MAX, "a state is bounded");

// What one step made of what is unread.
enum step {
    STEP_ON,
    STEP_SHORT,    // more bytes are needed
    STEP_WAIT,     // the other side must speak first
    STEP_BAD,      // it is not SOCKS
    STEP_OVER,     // nothing more can be made of it
    STEP_HAND_OVER // what follows is something else
};

// ---- the record ---------------------------------------------------------------------------------

static bytes name_bytes(const struct socks_name *name)
{
    return bytes_of(name->text, name->length);
}

static void put_end(struct row *row, const struct socks_end *end, unsigned first)
{
    if (end->has_address) row_address(row, first, end->address);
    else row_text(row, first + 1, name_bytes(&end->name));
    row_uint(row, first + 2, end->port);
}

static void put_reply(struct row *row, const struct socks *s)
{
    row_uint(row, SOCKS_REPLY, s->reply.code);
    row_text(row, SOCKS_REPLY_NAME, bytes_text(socks_reply_name(s->reply.code, s->version)));
    put_end(row, &s->reply.end, SOCKS_BOUND_ADDR);
    if (!s->has_peer) return;
    if (s->peer.has_address) row_address(row, SOCKS_PEER_ADDR, s->peer.address);
    row_uint(row, SOCKS_PEER_PORT, s->peer.port);
}

static void socks_tell(struct dissect *d, struct socks *s)
{
    if (s->told || !s->version) return;
    s->told = true;
    struct row *row = dissect_row(d, &KIND, s->client, s->from[s->client], s->began);
    for (unsigned side = 0; side < 2; side++)
        if (s->to[side]) row_range(row, side, s->from[side], s->to[side] - s->from[side]);
    row_uint(row, SOCKS_VERSION, s->version);
    if (s->request.command) {
        row_text(row, SOCKS_COMMAND, bytes_text(socks_command_name(s->request.command)));
        put_end(row, &s->request.end, SOCKS_REQUEST_ADDR);
    }
    if (s->has_method) row_text(row, SOCKS_METHOD, bytes_text(socks_method_name(s->method)));
    if (s->user.length) row_text(row, SOCKS_USERNAME, name_bytes(&s->user));
    if (s->has_status) row_uint(row, SOCKS_LOGGED_IN, s->status == 0);
    if (s->has_reply) put_reply(row, s);
    dissect_emit(d, row);
}

// ---- what the client says -----------------------------------------------------------------------

static enum step step_of(enum socks_read read)
{
    return read == SOCKS_READ ? STEP_ON : read == SOCKS_BAD ? STEP_BAD : STEP_SHORT;
}

static enum step client_greeting(struct socks *s, struct reader *r)
{
    bytes methods;
    enum step step =
        step_of(s->version == SOCKS_VERSION_5 ? socks_read_greeting(r, &methods)
                                              : socks_read_request_4(r, &s->request, &s->user));
    if (step != STEP_ON) s->request.command = 0;
    else s->phases[s->client] = s->version == SOCKS_VERSION_5 ? PHASE_REQUEST : PHASE_ASKED;
    return step;
}

static enum step client_request(struct socks *s, struct reader *r)
{
    struct reader peek = *r;
    uint8_t first = read_u8(&peek);
    if (peek.bad) return STEP_SHORT;
    if (first != SOCKS_VERSION_5) return step_of(socks_read_login(r, &s->user));
    struct socks_request request;
    enum step step = step_of(socks_read_request_5(r, &request));
    if (step != STEP_ON) return step;
    s->request = request;
    s->phases[s->client] = PHASE_ASKED;
    return STEP_ON;
}

static enum step client_step(struct socks *s, struct reader *r, bool last)
{
    switch (s->phases[s->client]) {
    case PHASE_GREETING:
        return client_greeting(s, r);
    case PHASE_REQUEST:
        return client_request(s, r);
    default:
        break;
    }
    if (!reader_left(r)) return STEP_SHORT;
    return last || reader_left(r) >= WAITING_MAX ? STEP_HAND_OVER : STEP_WAIT;
}

// ---- what the server says -----------------------------------------------------------------------

static enum step server_method(struct socks *s, struct reader *r)
{
    uint8_t method;
    enum step step = step_of(socks_read_method(r, &method));
    if (step != STEP_ON) return step;
    s->method = method;
    s->has_method = true;
    bool is_open = method == SOCKS_METHOD_NONE || method == SOCKS_METHOD_PASSWORD;
    s->phases[s->client ^ 1] = method == SOCKS_METHOD_PASSWORD ? PHASE_STATUS : PHASE_REPLY;
    return is_open ? STEP_ON : STEP_OVER;
}

static enum step server_status(struct socks *s, struct reader *r)
{
    uint8_t status;
    enum step step = step_of(socks_read_status(r, &status));
    if (step != STEP_ON) return step;
    s->status = status;
    s->has_status = true;
    s->phases[s->client ^ 1] = PHASE_REPLY;
    return status ? STEP_OVER : STEP_ON;
}

// The second reply says who came; a refusal takes the place of the first.
static enum step server_replied(struct socks *s, const struct socks_reply *reply)
{
    bool is_success = socks_reply_is_success(reply, s->version);
    if (s->phases[s->client ^ 1] == PHASE_PEER && is_success) {
        s->peer = reply->end;
        s->has_peer = true;
        return STEP_HAND_OVER;
    }
    s->reply = *reply;
    s->has_reply = true;
    if (!is_success) return STEP_OVER;
    if (s->request.command == SOCKS_BIND) s->phases[s->client ^ 1] = PHASE_PEER;
    if (s->request.command == SOCKS_BIND) return STEP_ON;
    bool is_stream = s->request.command == SOCKS_CONNECT || !s->request.command;
    return is_stream ? STEP_HAND_OVER : STEP_OVER;
}

static enum step server_reply(struct socks *s, struct reader *r, bool last)
{
    struct socks_reply reply;
    bool is_late = last || reader_left(r) >= WAITING_MAX;
    enum step step = step_of(s->version == SOCKS_VERSION_5 ? socks_read_reply_5(r, &reply)
                                                           : socks_read_reply_4(r, &reply));
    if (step != STEP_ON) return step;
    if (!s->request.command && !is_late) return STEP_WAIT;
    return server_replied(s, &reply);
}

static enum step server_step(struct socks *s, struct reader *r, bool last)
{
    switch (s->phases[s->client ^ 1]) {
    case PHASE_METHOD:
        return server_method(s, r);
    case PHASE_STATUS:
        return server_status(s, r);
    default:
        return server_reply(s, r, last);
    }
}

// ---- the stream ---------------------------------------------------------------------------------

static enum recognition socks_recognise(const struct piece *first, enum transport transport)
{
    struct reader r = reader_of(first->data), five = r;
    if (transport != TRANSPORT_TCP) return RECOGNISE_NO;
    uint8_t version = read_u8(&r);
    if (r.bad) return RECOGNISE_MORE;
    enum socks_read read = SOCKS_BAD;
    struct socks_request request;
    struct socks_name user;
    bytes methods;
    if (version == SOCKS_VERSION_5) read = socks_read_greeting(&five, &methods);
    if (version == SOCKS_VERSION_4) read = socks_read_request_4(&five, &request, &user);
    if (read == SOCKS_SHORT) return RECOGNISE_MORE;
    return read == SOCKS_READ ? RECOGNISE_YES : RECOGNISE_NO;
}

static void socks_begin(struct dissect *d, struct socks *s, const struct piece *piece)
{
    struct reader r = reader_of(piece->data);
    s->version = read_u8(&r);
    s->client = piece->side;
    s->began = piece->time;
    s->phases[s->client] = PHASE_GREETING;
    s->phases[s->client ^ 1] = s->version == SOCKS_VERSION_5 ? PHASE_METHOD : PHASE_REPLY;
    dissect_client_is(d, s->client);
}

static void socks_over(struct dissect *d, struct socks *s)
{
    socks_tell(d, s);
    s->phases[0] = s->phases[1] = PHASE_OVER;
}

static void socks_hand_over(struct dissect *d, struct socks *s)
{
    socks_tell(d, s);
    dissect_tunnel(d, "socks");
    dissect_switch(d, NULL);
}

static struct progress socks_end_of(struct dissect *d, struct socks *s, const struct piece *piece,
                                    enum step step, size_t used)
{
    struct progress go = {.used = used};
    if (step == STEP_SHORT && !piece->last) go.want = piece->data.n - used + 1;
    if (step == STEP_HAND_OVER) socks_hand_over(d, s);
    if (step == STEP_BAD && !s->agreed && !s->request.command)
        return (struct progress){.verdict = DISSECT_NOT_MINE};
    if (step == STEP_BAD) {
        bytes rest = bytes_after(piece->data, used);
        uint64_t at = piece->position + used;
        dissect_anomaly(d, "socks_malformed", piece->side, at, dissect_time_at(d, piece->side, at),
                        bytes_first(rest, MALFORMED_SHOWN));
    }
    if (step != STEP_BAD && step != STEP_OVER) return go;
    socks_over(d, s);
    return (struct progress){.verdict = DISSECT_STOP};
}

static struct progress socks_stream(struct dissect *d, const struct piece *piece)
{
    struct socks *s = dissect_state(d);
    if (!s->version) socks_begin(d, s, piece);
    uint8_t side = piece->side;
    if (s->phases[side] == PHASE_OVER) return (struct progress){.verdict = DISSECT_STOP};
    if (!s->to[side]) s->from[side] = piece->position;
    enum step step = STEP_ON;
    size_t used = 0;
    while (step == STEP_ON) {
        struct reader r = reader_of(bytes_after(piece->data, used));
        size_t left = reader_left(&r);
        step =
            side == s->client ? client_step(s, &r, piece->last) : server_step(s, &r, piece->last);
        bool is_read = step != STEP_SHORT && step != STEP_WAIT && step != STEP_BAD;
        if (is_read) used += left - reader_left(&r);
        if (is_read && side != s->client) s->agreed = true;
        s->to[side] = piece->position + used;
    }
    return socks_end_of(d, s, piece, step, used);
}

// What is missing may have been any of it: what follows is looked at anew.
static bool socks_gap(struct dissect *d, uint8_t side, uint64_t position, uint64_t length)
{
    struct socks *s = dissect_state(d);
    (void)side;
    (void)position;
    (void)length;
    if (s->phases[0] == PHASE_OVER) return false;
    socks_tell(d, s);
    if (s->request.command) dissect_tunnel(d, "socks");
    dissect_switch(d, NULL);
    return true;
}

static void socks_end(struct dissect *d)
{
    socks_tell(d, dissect_state(d));
}

const struct dissector socks_dissector = {
    .name = "socks",
    .transports = TRANSPORT_TCP,
    .ports = {1080},
    .state_size = sizeof(struct socks),
    .kinds = {&KIND},
    .recognise = socks_recognise,
    .stream = socks_stream,
    .gap = socks_gap,
    .end = socks_end,
};
