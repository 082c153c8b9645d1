// Certificates that are shown: RFC 5246 section 7.4.2. Those of TLS 1.3 are encrypted and never
// seen here.
#include <assert.h>

#include "base/hash.h"
#include "dissect/tls_state.h"
#include "dissect/x509.h"

enum {
    NAME_KEPT_MAX = 1024
}; // of subject and issuer in the connection's row; all of it is in x509

struct chain {
    unsigned count;
    bytes certificates[TLS_CHAIN_MAX];
    uint8_t fingerprints[TLS_CHAIN_MAX][SHA256_SIZE];
    struct x509 leaf;
    bool leaf_read;
};

static void chain_add(struct chain *chain, bytes certificate)
{
    assert(chain->count < TLS_CHAIN_MAX);
    sha256_of(certificate, chain->fingerprints[chain->count]);
    chain->certificates[chain->count++] = certificate;
}

static void chain_read(const struct tls_place *at, struct chain *chain, bytes body)
{
    struct reader r = reader_of(body);
    struct reader list = read_sub(&r, read_be24(&r));
    if (r.bad) list = reader_of(bytes_after(body, 3));
    while (reader_left(&list) > 0 && chain->count < TLS_CHAIN_MAX) {
        bytes certificate = read_bytes(&list, read_be24(&list));
        if (!list.bad) chain_add(chain, certificate);
    }
    if (r.bad || list.bad) tls_anomaly(at, "tls_certificate_list_malformed", bytes_first(body, 16));
    else if (reader_left(&list) > 0) tls_anomaly(at, "tls_chain_too_long", bytes_first(body, 3));
}

// ---- what the connection's row says of it -------------------------------------------------------

static void put_name(struct row *row, unsigned field, bytes name)
{
    char memory[X509_NAME_TEXT_MAX];
    struct buf text = buf_on(memory, sizeof memory);
    x509_name_format(&text, name);
    row_text(row, field, bytes_first(buf_bytes(&text), NAME_KEPT_MAX));
}

static void put_leaf(struct row *row, const struct tls_state *s, const struct x509 *leaf)
{
    put_name(row, TLS_SUBJECT, leaf->subject);
    put_name(row, TLS_ISSUER, leaf->issuer);
    if (s->host_length == 0) return;
    row_uint(row, TLS_SNI_MATCHES_CERT, x509_matches_host(leaf, bytes_of(s->host, s->host_length)));
}

static void put_fingerprints(struct row *row, unsigned field, const struct chain *chain)
{
    for (unsigned i = 0; i < chain->count; i++) {
        char text[HEX_SHA256_SIZE];
        hex_format(text, bytes_of(chain->fingerprints[i], SHA256_SIZE));
        row_text(row, field, bytes_text(text));
    }
}

static void put_chain(const struct tls_place *at, const struct chain *chain, bool is_client)
{
    if (!is_client) at->s->cert_count = chain->count;
    struct row *row = tls_session_take(at);
    if (!row) return;
    put_fingerprints(row, is_client ? TLS_CLIENT_CERT_FINGERPRINTS : TLS_CERT_FINGERPRINTS, chain);
    if (!is_client && chain->leaf_read) put_leaf(row, at->s, &chain->leaf);
    tls_session_keep(at, row);
}

// ---- one record for each ------------------------------------------------------------------------

static void put_hashes(struct row *row, const struct chain *chain, unsigned position)
{
    uint8_t digest[SHA1_SIZE];
    struct sha1 h;
    sha1_init(&h);
    sha1_add(&h, chain->certificates[position]);
    sha1_end(&h, digest);
    row_hash(row, X509_FINGERPRINT, bytes_of(chain->fingerprints[position], SHA256_SIZE));
    row_hash(row, X509_SHA1, bytes_of(digest, sizeof digest));
}

static void tell_broken(const struct tls_place *at, const struct x509 *c, bytes certificate,
                        bool is_read)
{
    bool is_spelt_out = is_read && c->key_parameters.tag == DER_SEQUENCE &&
                        c->key_algorithm.n == 7 &&
                        memcmp(c->key_algorithm.p, "\x2a\x86\x48\xce\x3d\x02\x01", 7) == 0;
    if (!is_read) tls_anomaly(at, "x509_unreadable", certificate);
    if (is_spelt_out) tls_anomaly(at, "x509_explicit_curve", c->key_parameters.whole);
}

// The place of each is where the message begins; its number in the chain tells it from the others.
static void emit_certificate(const struct tls_place *at, const struct chain *chain,
                             unsigned position, bool is_client)
{
    bytes certificate = chain->certificates[position];
    struct x509 c;
    bool is_read = x509_read(&c, certificate);
    tell_broken(at, &c, certificate, is_read);
    nanos ts = dissect_time_at(at->d, at->side, at->position);
    struct row *row = dissect_row(at->d, &x509_kind, at->side, at->position, ts);
    row->ordinal = position;
    row_id(row, X509_TLS_ID, at->s->id);
    row_uint(row, X509_CHAIN_POSITION, position);
    row_uint(row, X509_IS_CLIENT_CERT, is_client);
    put_hashes(row, chain, position);
    if (is_read) x509_put(row, &c);
    row_range(row, at->side, at->position, at->length);
    dissect_emit(at->d, row);
}

static void chain_tell(const struct tls_place *at, struct chain *chain)
{
    struct tls_side *side = &at->s->sides[at->side];
    bool is_client = tls_is_client(at->s, at->side);
    if (chain->count == 0) return;
    if (side->chains == TLS_CHAINS_MAX) return;
    chain->leaf_read = x509_read(&chain->leaf, chain->certificates[0]);
    // What comes later, when a handshake is repeated, stands in records of its own.
    if (side->chains++ == 0) put_chain(at, chain, is_client);
    for (unsigned i = 0; i < chain->count; i++) emit_certificate(at, chain, i, is_client);
}

void tls_chain(const struct tls_place *at, bytes body)
{
    struct chain chain = {.count = 0};
    chain_read(at, &chain, body);
    chain_tell(at, &chain);
}

void tls_chain_ssl2(const struct tls_place *at, bytes certificate)
{
    struct chain chain = {.count = 0};
    chain_add(&chain, certificate);
    chain_tell(at, &chain);
}
