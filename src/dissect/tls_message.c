// Handshake messages in the clear, and what a connection learns from them.
#include "dissect/tls_fingerprint.h"
#include "dissect/tls_hello.h"
#include "dissect/tls_names.h"
#include "dissect/tls_state.h"

enum {
    NAMED_CURVE = 3,           // RFC 8422 section 5.4
    PROTOCOLS_SIZE_MAX = 1024, // of a client's list that is kept: a row must have room for the rest
};

// Zeek's letters for message types; 0 for types that are not known.
static char message_letter(uint8_t type)
{
    static const char LETTERS[] = "HCSVTEJ\0O\0\0XKRNYG\0\0\0FWUAPZ";
    if (type == 254) return 'M'; // message_hash
    if (type == 67) return 'Z';  // next_protocol, a draft that came into use
    return type < sizeof LETTERS - 1 ? LETTERS[type] : '\0';
}

bool tls_message_is_known(uint8_t type)
{
    return message_letter(type) != '\0';
}

// ---- lists of a hello ---------------------------------------------------------------------------

static void put_list(struct row *row, unsigned field, bytes list)
{
    uint16_t v;
    for (unsigned i = 0; i < ROW_LIST_MAX && tls_list_next(&list, &v); i++) row_uint(row, field, v);
}

static void put_extensions(struct row *row, unsigned field, bytes extensions)
{
    struct reader r = reader_of(extensions);
    struct tls_extension e;
    for (unsigned i = 0; i < ROW_LIST_MAX && tls_extension_next(&r, &e); i++)
        row_uint(row, field, e.type);
}

static void put_alpn(struct row *row, bytes list)
{
    bytes name;
    list = bytes_first(list, PROTOCOLS_SIZE_MAX);
    for (unsigned i = 0; i < ROW_LIST_MAX && tls_alpn_next(&list, &name); i++)
        row_text(row, TLS_CLIENT_ALPN, name);
}

// Cipher suites of SSL 2.0 have three bytes; those of SSL 3.0 begin with a zero there.
static void put_ssl2_ciphers(struct row *row, bytes list)
{
    struct reader r = reader_of(list);
    for (unsigned i = 0; i < ROW_LIST_MAX && reader_left(&r) >= 3; i++)
        row_uint(row, TLS_CLIENT_CIPHERS, read_be24(&r));
}

// ---- ClientHello --------------------------------------------------------------------------------

static void put_fingerprints(struct row *row, const struct tls_hello *hello)
{
    char ja3[JA3_TEXT_SIZE], ja4[JA4_TEXT_SIZE];
    tls_ja3(ja3, hello);
    row_text(row, TLS_JA3, bytes_text(ja3));
    if (tls_ja4(ja4, hello)) row_text(row, TLS_JA4, bytes_text(ja4));
}

static void put_client_hello(struct row *row, const struct tls_hello *hello)
{
    row_uint(row, TLS_CLIENT_VERSION, hello->version);
    if (hello->is_ssl2) {
        put_ssl2_ciphers(row, hello->ciphers);
        return;
    }
    bytes name = bytes_first(hello->server_name, TLS_HOST_MAX); // RFC 1035 section 2.3.4
    if (name.n) row_text(row, TLS_SERVER_NAME, name);
    put_list(row, TLS_CLIENT_CIPHERS, hello->ciphers);
    put_alpn(row, hello->alpn);
    put_extensions(row, TLS_CLIENT_EXTENSIONS, hello->extensions);
    put_list(row, TLS_SUPPORTED_GROUPS, hello->groups);
    put_list(row, TLS_SIGNATURE_ALGORITHMS, hello->signature_algorithms);
    put_list(row, TLS_SUPPORTED_VERSIONS, hello->supported_versions);
    put_fingerprints(row, hello);
}

static void keep_client_hello(struct tls_state *s, const struct tls_hello *hello)
{
    s->client_hello = true;
    s->early_data = hello->has_early_data;
    if (hello->session_id.n <= TLS_SESSION_ID_MAX) {
        s->session_id_length = (uint8_t)hello->session_id.n;
        if (hello->session_id.n) memcpy(s->session_id, hello->session_id.p, hello->session_id.n);
    }
    if (hello->server_name.n > 0 && hello->server_name.n <= TLS_HOST_MAX) {
        s->host_length = (uint8_t)hello->server_name.n;
        memcpy(s->host, hello->server_name.p, hello->server_name.n);
    }
}

// The second one, which a HelloRetryRequest asks for, says the same (RFC 8446 section 4.1.2).
static void client_hello_learn(const struct tls_place *at, const struct tls_hello *hello)
{
    if (at->s->client_hello) return;
    keep_client_hello(at->s, hello);
    struct row *row = tls_session_take(at);
    if (!row) return;
    put_client_hello(row, hello);
    tls_session_keep(at, row);
}

static void client_hello(const struct tls_place *at, bytes body)
{
    struct tls_hello hello;
    if (!tls_client_hello(&hello, body)) {
        tls_anomaly(at, "tls_hello_malformed", body);
        return;
    }
    if (hello.malformed) tls_anomaly(at, "tls_extension_malformed", hello.extensions);
    client_hello_learn(at, &hello);
}

// ---- ServerHello --------------------------------------------------------------------------------

static void put_server_hello(struct row *row, const struct tls_hello *hello)
{
    char ja3s[JA3_TEXT_SIZE];
    bytes protocols = hello->alpn, protocol;
    if (tls_alpn_next(&protocols, &protocol)) row_text(row, TLS_NEXT_PROTOCOL, protocol);
    put_extensions(row, TLS_SERVER_EXTENSIONS, hello->extensions);
    tls_ja3s(ja3s, hello);
    row_text(row, TLS_JA3S, bytes_text(ja3s));
}

static bool is_echo(const struct tls_state *s, bytes session_id)
{
    return session_id.n > 0 &&
           bytes_equal(session_id, bytes_of(s->session_id, s->session_id_length));
}

static void server_hello_learn(const struct tls_place *at, const struct tls_hello *hello)
{
    struct tls_state *s = at->s;
    s->version = hello->selected_version ? hello->selected_version : hello->version;
    if (tls_is_retry(hello)) {
        s->retry = true;
        return;
    }
    if (s->server_hello) return;
    s->server_hello = true;
    s->cipher = hello->cipher;
    s->has_cipher = true;
    s->group = hello->selected_group;
    s->pre_shared = hello->has_pre_shared_key;
    s->session_id_echoed = is_echo(s, hello->session_id);
    struct row *row = tls_session_take(at);
    if (!row) return;
    put_server_hello(row, hello);
    tls_session_keep(at, row);
}

static void server_hello(const struct tls_place *at, bytes body)
{
    struct tls_hello hello;
    if (!tls_server_hello(&hello, body)) {
        tls_anomaly(at, "tls_hello_malformed", body);
        return;
    }
    if (hello.malformed) tls_anomaly(at, "tls_extension_malformed", hello.extensions);
    server_hello_learn(at, &hello);
}

// ---- the others ---------------------------------------------------------------------------------

// Only with elliptic curves does it begin with the curve (RFC 8422 section 5.4).
static void server_key_exchange(struct tls_state *s, bytes body)
{
    const char *cipher = s->has_cipher ? tls_cipher_name(s->cipher) : NULL;
    if (!cipher || !strstr(cipher, "ECDH")) return;
    struct reader r = reader_of(body);
    uint8_t type = read_u8(&r);
    uint16_t group = read_be16(&r);
    if (!r.bad && type == NAMED_CURVE) s->group = group;
}

static bool is_of_server(uint8_t type)
{
    return type == TLS_SERVER_HELLO || type == TLS_SERVER_KEY_EXCHANGE ||
           type == TLS_SERVER_HELLO_DONE || type == TLS_CERTIFICATE // the first one is the server's
           || type == TLS_CERTIFICATE_REQUEST || type == TLS_NEW_SESSION_TICKET ||
           type == TLS_CERTIFICATE_STATUS || type == TLS_HELLO_RETRY_REQUEST ||
           type == TLS_HELLO_REQUEST;
}

static bool is_of_client(uint8_t type)
{
    return type == TLS_CLIENT_HELLO || type == TLS_CLIENT_KEY_EXCHANGE ||
           type == TLS_CERTIFICATE_VERIFY;
}

static bool is_of_full_handshake(uint8_t type)
{
    return type == TLS_CERTIFICATE || type == TLS_SERVER_KEY_EXCHANGE ||
           type == TLS_SERVER_HELLO_DONE;
}

static void note_message(const struct tls_place *at, uint8_t type)
{
    struct tls_state *s = at->s;
    s->sides[at->side].handshake = true;
    if (is_of_client(type)) tls_session_role(at, true);
    if (is_of_server(type)) tls_session_role(at, false);
    if (!tls_is_client(s, at->side) && is_of_full_handshake(type)) s->server_flight = true;
}

void tls_message(const struct tls_place *at, uint8_t type, bytes body)
{
    note_message(at, type);
    bool had_retry = at->s->retry;
    switch (type) {
    case TLS_CLIENT_HELLO:
        client_hello(at, body);
        break;
    case TLS_SERVER_HELLO:
        server_hello(at, body);
        break;
    case TLS_CERTIFICATE:
        tls_chain(at, body);
        break;
    case TLS_SERVER_KEY_EXCHANGE:
        server_key_exchange(at->s, body);
        break;
    default:
        break;
    }
    // A ServerHello that asks for another ClientHello has the letter of the message that it stands
    // for.
    bool is_retry = at->s->retry && !had_retry;
    tls_session_history(at->s, at->side, is_retry ? 'J' : message_letter(type));
}

// ---- SSL 2.0 ------------------------------------------------------------------------------------

static void ssl2_chosen(const struct tls_place *at, const struct tls_hello *hello)
{
    struct tls_state *s = at->s;
    s->ssl2 = s->server_hello = true;
    s->version = TLS_SSL_2;
    // The server lists what both can do, and the client chooses; with one there is no choice.
    struct reader r = reader_of(hello->ciphers);
    s->has_cipher = hello->ciphers.n == 3;
    if (s->has_cipher) s->cipher = read_be24(&r);
}

bool tls_message_ssl2(const struct tls_place *at, bytes record)
{
    struct tls_hello hello;
    bytes certificate;
    bool is_client = tls_client_hello_ssl2(&hello, record);
    if (!is_client && !tls_server_hello_ssl2(&hello, record, &certificate)) return false;
    tls_session_begin(at);
    at->s->sides[at->side].handshake = true;
    tls_session_role(at, is_client);
    tls_session_history(at->s, at->side, is_client ? 'C' : 'S');
    if (is_client) {
        client_hello_learn(at, &hello);
        return true;
    }
    ssl2_chosen(at, &hello);
    if (certificate.n) tls_chain_ssl2(at, certificate);
    return true;
}
