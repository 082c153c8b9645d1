// The row of a connection: begun with its first record, held while the handshake goes on, emitted
// when it ends.
#include <assert.h>

#include "dissect/tls_names.h"
#include "dissect/tls_state.h"

static const struct field FIELDS[] = {
    RECORD_COMMON_FIELDS,
    {"version", FIELD_TEXT, NULL, "Version that was agreed on", "tls.version", NULL, 0},
    {"version_num", FIELD_UINT, NULL, "The same as a number", NULL, NULL, 0},
    {"client_version", FIELD_UINT, NULL, "Version in the client's hello, 771 at most", NULL, NULL,
     0},
    {"cipher", FIELD_TEXT, NULL, "Cipher suite that was chosen", "tls.cipher", NULL, 0},
    {"cipher_num", FIELD_UINT, NULL, "The same as a number", NULL, NULL, 0},
    {"curve", FIELD_TEXT, NULL, "Group of the key exchange", "tls.curve", NULL, 0},
    {"server_name", FIELD_TEXT, NULL, "Host that the client asked for (SNI)",
     "tls.client.server_name", NULL, 0},
    {"resumed", FIELD_BOOL, NULL, "An earlier session was taken up", "tls.resumed", NULL, 0},
    {"last_alert", FIELD_TEXT, NULL, "The last alert that was not encrypted", NULL, NULL, 0},
    {"next_protocol", FIELD_TEXT, NULL, "Protocol that the server chose (ALPN)",
     "tls.next_protocol", NULL, 0},
    {"established", FIELD_BOOL, NULL, "The handshake was completed", "tls.established", NULL, 0},
    {"ssl_history", FIELD_TEXT, NULL,
     "Messages in their order, a letter each, the client's in capitals", NULL, NULL, 0},
    {"client_ciphers", FIELD_UINTS, NULL, "Cipher suites that the client offered",
     "tls.client.supported_ciphers", NULL, 0},
    {"client_alpn", FIELD_TEXTS, NULL, "Protocols that the client offered (ALPN)", NULL, NULL, 0},
    {"client_extensions", FIELD_UINTS, NULL, "Extensions in the client's hello", NULL, NULL, 0},
    {"server_extensions", FIELD_UINTS, NULL, "Extensions in the server's hello", NULL, NULL, 0},
    {"supported_groups", FIELD_UINTS, NULL, "Groups that the client offered", NULL, NULL, 0},
    {"signature_algorithms", FIELD_UINTS, NULL, "Signature algorithms that the client offered",
     NULL, NULL, 0},
    {"supported_versions", FIELD_UINTS, NULL, "Versions that the client offered by extension", NULL,
     NULL, 0},
    {"ja3", FIELD_TEXT, NULL, "Fingerprint of the client's hello", "tls.client.ja3", NULL, 0},
    {"ja3s", FIELD_TEXT, NULL, "Fingerprint of the server's hello", "tls.server.ja3s", NULL, 0},
    {"ja4", FIELD_TEXT, NULL, "Fingerprint of the client's hello, sorted", NULL, NULL, 0},
    {"cert_count", FIELD_UINT, NULL, "Certificates that the server showed in the clear", NULL, NULL,
     0},
    {"cert_fingerprints", FIELD_TEXTS, NULL, "SHA-256 of each of them", "tls.server.hash.sha256",
     "cert_chain_fps", 0},
    {"client_cert_fingerprints", FIELD_TEXTS, NULL, "SHA-256 of each certificate of the client",
     "tls.client.hash.sha256", "client_cert_chain_fps", 0},
    {"subject", FIELD_TEXT, NULL, "Whom the server's certificate names", "tls.server.subject", NULL,
     0},
    {"issuer", FIELD_TEXT, NULL, "Who signed it", "tls.server.issuer", NULL, 0},
    {"sni_matches_cert", FIELD_BOOL, NULL, "It names the host that was asked for", NULL, NULL, 0},
    {"client_app_bytes", FIELD_UINT, "bytes", "Length of the client's application data records",
     NULL, NULL, 0},
    {"server_app_bytes", FIELD_UINT, "bytes", "Length of the server's application data records",
     NULL, NULL, 0},
    {"client_records", FIELD_UINT, NULL, "Records of the client", NULL, NULL, 0},
    {"server_records", FIELD_UINT, NULL, "Records of the server", NULL, NULL, 0},
};
_Static_assert(sizeof FIELDS / sizeof *FIELDS == TLS_FIELD_COUNT, "a row for each field");

const struct record_kind tls_kind = {
    .name = "tls",
    .help = "A connection under TLS or SSL, by its handshake",
    .fields = FIELDS,
    .field_count = TLS_FIELD_COUNT,
};

// ---- the row ------------------------------------------------------------------------------------

void tls_session_keep(const struct tls_place *at, struct row *row)
{
    assert(!at->s->held && !at->s->emitted);
    at->s->held = dissect_hold(at->d, row);
    if (at->s->held) return;
    dissect_emit(at->d, row);
    at->s->emitted = true;
}

struct row *tls_session_take(const struct tls_place *at)
{
    if (!at->s->held) return NULL;
    struct row *row = dissect_take(at->d, at->s->held);
    at->s->held = 0;
    return row;
}

void tls_session_begin(const struct tls_place *at)
{
    struct tls_state *s = at->s;
    struct tls_side *side = &s->sides[at->side];
    if (!side->seen) {
        side->seen = true;
        side->begin = side->clear_end = at->position;
    }
    if (s->begun) return;
    s->begun = true;
    nanos ts = dissect_time_at(at->d, at->side, at->position);
    struct row *row = dissect_row(at->d, &tls_kind, at->side, at->position, ts);
    s->id = dissect_row_id(at->d, row);
    tls_session_keep(at, row);
}

void tls_session_role(const struct tls_place *at, bool is_client)
{
    struct tls_state *s = at->s;
    if (s->client_known) return;
    s->client_known = true;
    s->client = is_client ? at->side : at->side ^ 1;
    dissect_client_is(at->d, s->client);
}

void tls_session_history(struct tls_state *s, uint8_t side, char letter)
{
    assert(side < 2 && letter >= 'A' && letter <= 'Z');
    if (s->history_length == TLS_HISTORY_MAX) return;
    bool is_client = tls_is_client(s, side);
    s->history[s->history_length++] = is_client ? letter : (char)(letter + ('a' - 'A'));
}

void tls_anomaly(const struct tls_place *at, const char *name, bytes detail)
{
    nanos time = dissect_time_at(at->d, at->side, at->position);
    dissect_anomaly(at->d, name, at->side, at->position, time, detail);
}

// ---- what is known in the end -------------------------------------------------------------------

static void put_version(struct row *row, const struct tls_state *s)
{
    char text[TLS_NUMBER_TEXT_MAX];
    uint16_t version = s->version;
    // Without hellos the records themselves are all there is; those of TLS 1.3 say 1.2.
    if (!version && !s->client_hello) version = s->record_version;
    if (!version) return;
    row_text(row, TLS_VERSION, bytes_text(tls_version_text(version, text)));
    row_uint(row, TLS_VERSION_NUM, version);
}

static void put_choices(struct row *row, const struct tls_state *s)
{
    char text[TLS_NUMBER_TEXT_MAX];
    if (s->has_cipher) {
        const char *name = tls_cipher_name(s->cipher);
        row_text(row, TLS_CIPHER, bytes_text(tls_known_or_number(name, s->cipher, text)));
        row_uint(row, TLS_CIPHER_NUM, s->cipher);
    }
    if (s->group) {
        const char *name = tls_group_name(s->group);
        row_text(row, TLS_CURVE, bytes_text(tls_known_or_number(name, s->group, text)));
    }
    if (s->has_alert) {
        const char *name = tls_alert_name(s->alert);
        row_text(row, TLS_LAST_ALERT, bytes_text(tls_known_or_number(name, s->alert, text)));
    }
}

// Up to TLS 1.2 the server says so by echoing the identifier (RFC 5246 section 7.4.1.3), or takes a
// ticket and just goes on without showing who it is (RFC 5077 section 3.1); in TLS 1.3 by choosing
// a key from before.
static bool is_resumed(const struct tls_state *s)
{
    if (!s->server_hello) return false;
    if (tls_is_13(s)) return s->pre_shared;
    return s->session_id_echoed || (s->sides[s->client ^ 1].ccs && !s->server_flight);
}

// Both sides have changed to encryption and sent what can only be the end of the handshake.
static bool is_established(const struct tls_state *s)
{
    const struct tls_side *client = &s->sides[s->client], *server = &s->sides[s->client ^ 1];
    if (tls_is_13(s)) return client->sealed_data && server->app_bytes > 0;
    if (client->app_bytes > 0 && server->app_bytes > 0) return true;
    return client->sealed_handshake && server->sealed_handshake;
}

static void put_sides(struct row *row, const struct tls_state *s)
{
    const struct tls_side *client = &s->sides[s->client], *server = &s->sides[s->client ^ 1];
    row_uint(row, TLS_CLIENT_APP_BYTES, client->app_bytes);
    row_uint(row, TLS_SERVER_APP_BYTES, server->app_bytes);
    row_uint(row, TLS_CLIENT_RECORDS, client->records);
    row_uint(row, TLS_SERVER_RECORDS, server->records);
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_side *side = &s->sides[i];
        // Who was not seen to greet did so before, in bytes that may be missing.
        bool has_hello = tls_is_client(s, (uint8_t)i) ? s->client_hello : s->server_hello;
        uint64_t from = has_hello ? side->begin : 0;
        if (side->seen) row_range(row, i, from, side->clear_end - from);
        // Records are missing whole, or cannot be told from others.
        if (side->uncertain) row_uint(row, COMMON_INCOMPLETE, 1);
    }
}

void tls_session_end(struct dissect *d, struct tls_state *s)
{
    const struct tls_place at = {.d = d, .s = s};
    struct row *row = tls_session_take(&at);
    if (!row) return;
    put_version(row, s);
    put_choices(row, s);
    row_uint(row, TLS_RESUMED, is_resumed(s));
    row_uint(row, TLS_ESTABLISHED, is_established(s));
    if (s->history_length) row_text(row, TLS_SSL_HISTORY, bytes_of(s->history, s->history_length));
    if (s->cert_count) row_uint(row, TLS_CERT_COUNT, s->cert_count);
    put_sides(row, s);
    dissect_emit(d, row);
    s->emitted = true;
}
