// What the parts of the TLS dissector share: the fields of a `tls` record, and what is remembered
// of a connection.
//
// tls.c walks records and hands over handshake messages; tls_message.c learns from them;
// tls_session.c keeps the row of the connection, from its first record to its end. Sides are those
// of the conversation; who is the client is known from the first hello.
//
// Thread: the lane that owns the conversation. The state has no pointers.
#pragma once

#include "dissect/dissect.h"

enum tls_field {
    TLS_VERSION = COMMON_COUNT,
    TLS_VERSION_NUM,
    TLS_CLIENT_VERSION,
    TLS_CIPHER,
    TLS_CIPHER_NUM,
    TLS_CURVE,
    TLS_SERVER_NAME,
    TLS_RESUMED,
    TLS_LAST_ALERT,
    TLS_NEXT_PROTOCOL,
    TLS_ESTABLISHED,
    TLS_SSL_HISTORY,
    TLS_CLIENT_CIPHERS,
    TLS_CLIENT_ALPN,
    TLS_CLIENT_EXTENSIONS,
    TLS_SERVER_EXTENSIONS,
    TLS_SUPPORTED_GROUPS,
    TLS_SIGNATURE_ALGORITHMS,
    TLS_SUPPORTED_VERSIONS,
    TLS_JA3,
    TLS_JA3S,
    TLS_JA4,
    TLS_CERT_COUNT,
    TLS_CERT_FINGERPRINTS,
    TLS_CLIENT_CERT_FINGERPRINTS,
    TLS_SUBJECT,
    TLS_ISSUER,
    TLS_SNI_MATCHES_CERT,
    TLS_CLIENT_APP_BYTES,
    TLS_SERVER_APP_BYTES,
    TLS_CLIENT_RECORDS,
    TLS_SERVER_RECORDS,
    TLS_FIELD_COUNT,
};

extern const struct record_kind tls_kind;

enum tls_content {
    TLS_CHANGE_CIPHER_SPEC = 20,
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    TLS_APPLICATION_DATA = 23,
    TLS_HEARTBEAT = 24,
};

enum tls_message_type {
    TLS_HELLO_REQUEST = 0,
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_NEW_SESSION_TICKET = 4,
    TLS_HELLO_RETRY_REQUEST = 6,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_KEY_EXCHANGE = 12,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_SERVER_HELLO_DONE = 14,
    TLS_CERTIFICATE_VERIFY = 15,
    TLS_CLIENT_KEY_EXCHANGE = 16,
    TLS_CERTIFICATE_STATUS = 22,
};

enum {
    TLS_HISTORY_MAX = 64,
    TLS_SESSION_ID_MAX = 32,
    TLS_HOST_MAX = 255,
    TLS_CHAIN_MAX = 16, // certificates of a message
    TLS_CHAINS_MAX = 4, // messages with certificates that a side may send
};

// How far a message that spans records was walked, from where it begins.
struct tls_join {
    bool begun;
    uint8_t head[4];      // its type and length
    uint32_t have;        // bytes of it, with head
    uint32_t seen;        // the same with the headers of records between them
    uint32_t record_left; // of the record that was reached
    uint32_t records;     // that were begun
};

struct tls_side {
    uint64_t begin;     // of the first record
    uint64_t clear_end; // behind the last one that was not encrypted
    uint64_t app_bytes;
    uint32_t records;
    uint32_t record_left; // of a handshake record whose header is done with
    struct tls_join join;
    uint32_t discard; // of a message that is too long to be shown
    uint32_t scanned; // since a gap, in search of a record
    uint8_t chains;   // messages with certificates
    bool seen;
    bool lost;             // behind a gap, and no record found yet
    bool uncertain;        // there was a gap: what looks clear may be encrypted
    bool ccs;              // sent ChangeCipherSpec, or something that cannot be read
    bool handshake;        // sent a message in the clear
    bool sealed_handshake; // sent an encrypted handshake record
    bool sealed_data;      // sent application data long enough for a Finished message
};

struct tls_state {
    struct tls_side sides[2];
    struct record_id id; // of the row
    uint32_t held;       // the row
    bool begun, emitted;
    bool client_known;
    uint8_t client; // side
    bool client_hello, server_hello, retry;
    bool ssl2;          // the server agreed to SSL 2.0: records have its form from here on
    bool early_data;    // offered by the client
    bool pre_shared;    // a key from before was chosen (TLS 1.3)
    bool server_flight; // messages of a full handshake were seen
    bool has_alert;
    uint8_t alert;
    bool has_cipher;
    uint16_t record_version;
    uint16_t version; // that was chosen; 0: not known
    uint16_t group;   // that was chosen; 0: not known
    uint32_t cipher;
    uint32_t cert_count;
    uint8_t session_id_length;
    uint8_t session_id[TLS_SESSION_ID_MAX];
    bool session_id_echoed;
    uint8_t host_length;
    uint8_t host[TLS_HOST_MAX];
    uint8_t history_length;
    char history[TLS_HISTORY_MAX];
};

// Where something was found.
struct tls_place {
    struct dissect *d;
    struct tls_state *s;
    uint8_t side;
    uint64_t position;
    uint64_t length; // of a message in its records, headers between them and all
};

// What this side sends next is not encrypted for sure: its handshake was seen, and no change of it.
static inline bool tls_side_is_clear(const struct tls_side *side)
{
    return side->handshake && !side->ccs && !side->uncertain;
}

static inline bool tls_is_client(const struct tls_state *s, uint8_t side)
{
    return side == s->client;
}

static inline bool tls_is_13(const struct tls_state *s)
{
    return s->version == 0x0304 || s->version >> 8 == 0x7f;
}

// ---- tls_session.c ------------------------------------------------------------------------------

// Begins the row, or the part of this side in it, with the record at `at`.
void tls_session_begin(const struct tls_place *at);
// The row to add to, NULL when it is gone already; given back by tls_session_keep before any other
// row is made.
struct row *tls_session_take(const struct tls_place *at);
void tls_session_keep(const struct tls_place *at, struct row *row);
// The side of `at` is the client, or is not, unless that is known already.
void tls_session_role(const struct tls_place *at, bool is_client);
// One letter of Zeek's ssl_history, given in upper case; the server's become small.
void tls_session_history(struct tls_state *s, uint8_t side, char letter);
void tls_session_end(struct dissect *d, struct tls_state *s);
void tls_anomaly(const struct tls_place *at, const char *name, bytes detail);

// ---- tls_message.c ------------------------------------------------------------------------------

bool tls_message_is_known(uint8_t type);
// One whole handshake message in the clear.
void tls_message(const struct tls_place *at, uint8_t type, bytes body);
// A hello of SSL 2.0; false when it is none.
bool tls_message_ssl2(const struct tls_place *at, bytes record);

// ---- tls_chain.c --------------------------------------------------------------------------------

// The body of a Certificate message up to TLS 1.2, and the one certificate of SSL 2.0.
void tls_chain(const struct tls_place *at, bytes body);
void tls_chain_ssl2(const struct tls_place *at, bytes certificate);
