// Certificates as records: the fields, and how each gets its value.
#include "dissect/x509.h"
#include "dissect/x509_names.h"

enum { SERIAL_MAX = 64, OID_TEXT_MAX = 128 };

static const struct field FIELDS[] = {
    RECORD_COMMON_FIELDS,
    {"tls_id", FIELD_ID, NULL, "The TLS connection that it was shown in", NULL, NULL, 0},
    {"chain_position", FIELD_UINT, NULL, "Place in the chain, 0 is who showed it", NULL, "depth",
     0},
    {"is_client_cert", FIELD_BOOL, NULL, "The client showed it", NULL, "client_cert", 0},
    {"fingerprint", FIELD_HASH, NULL, "SHA-256 of the certificate", "file.hash.sha256", NULL, 0},
    {"sha1", FIELD_HASH, NULL, "SHA-1 of the certificate", "file.hash.sha1", NULL, 0},
    {"certificate_version", FIELD_UINT, NULL, "1 to 3", "file.x509.version_number",
     "certificate.version", 0},
    {"serial", FIELD_TEXT, NULL, "Serial number in hexadecimal digits", "file.x509.serial_number",
     "certificate.serial", 0},
    {"subject", FIELD_TEXT, NULL, "Whom it names (RFC 4514)",
     "file.x509.subject.distinguished_name", "certificate.subject", 0},
    {"issuer", FIELD_TEXT, NULL, "Who signed it (RFC 4514)", "file.x509.issuer.distinguished_name",
     "certificate.issuer", 0},
    {"not_valid_before", FIELD_TIME, NULL, "Valid from", "file.x509.not_before",
     "certificate.not_valid_before", 0},
    {"not_valid_after", FIELD_TIME, NULL, "Valid until", "file.x509.not_after",
     "certificate.not_valid_after", 0},
    {"key_alg", FIELD_TEXT, NULL, "Algorithm of its key", "file.x509.public_key_algorithm",
     "certificate.key_alg", 0},
    {"sig_alg", FIELD_TEXT, NULL, "Algorithm of the signature", "file.x509.signature_algorithm",
     "certificate.sig_alg", 0},
    {"key_type", FIELD_TEXT, NULL, "rsa, dsa, ec, ed25519, ...", NULL, "certificate.key_type", 0},
    {"key_length", FIELD_UINT, "bits", "Length of its key", "file.x509.public_key_size",
     "certificate.key_length", 0},
    {"exponent", FIELD_UINT, NULL, "Exponent of an RSA key", "file.x509.public_key_exponent",
     "certificate.exponent", 0},
    {"curve", FIELD_TEXT, NULL, "Curve of an elliptic key; explicit when it is spelt out",
     "file.x509.public_key_curve", "certificate.curve", 0},
    {"san_dns", FIELD_TEXTS, NULL, "Host names it is for", "file.x509.alternative_names", "san.dns",
     0},
    {"san_uri", FIELD_TEXTS, NULL, "URIs it is for", NULL, "san.uri", 0},
    {"san_email", FIELD_TEXTS, NULL, "Mail addresses it is for", NULL, "san.email", 0},
    {"san_ip", FIELD_ADDRESSES, NULL, "Addresses it is for", NULL, "san.ip", 0},
    {"basic_constraints_ca", FIELD_BOOL, NULL, "May sign certificates", NULL,
     "basic_constraints.ca", 0},
    {"path_length", FIELD_UINT, NULL, "How many more may follow below it", NULL,
     "basic_constraints.path_len", 0},
    {"self_signed", FIELD_BOOL, NULL, "Subject and issuer are the same", NULL, NULL, 0},
};
_Static_assert(sizeof FIELDS / sizeof *FIELDS == X509_FIELD_COUNT, "a row for each field");

const struct record_kind x509_kind = {
    .name = "x509",
    .help = "A certificate that was shown in the clear",
    .fields = FIELDS,
    .field_count = X509_FIELD_COUNT,
};

// ---- numbers ------------------------------------------------------------------------------------

static bytes without_zeros(bytes number)
{
    while (number.n > 1 && number.p[0] == 0) number = bytes_after(number, 1);
    return number;
}

static uint64_t bits_of(bytes number)
{
    number = without_zeros(number);
    if (number.n == 0) return 0;
    unsigned top = 0;
    for (unsigned first = number.p[0]; first; first >>= 1) top++;
    return (number.n - 1) * 8 + top;
}

static void put_hex(struct buf *text, bytes number)
{
    static const char digits[] = "0123456789ABCDEF";
    struct reader r = reader_of(number);
    while (reader_left(&r) > 0) {
        uint8_t c = read_u8(&r);
        buf_u8(text, (uint8_t)digits[c >> 4]);
        buf_u8(text, (uint8_t)digits[c & 15]);
    }
}

// Serial numbers should be positive and at most 20 bytes (RFC 5280 section 4.1.2.2); some are
// neither.
static void put_serial(struct row *row, bytes serial)
{
    char memory[2 * SERIAL_MAX + 2];
    uint8_t magnitude[SERIAL_MAX];
    struct buf text = buf_on(memory, sizeof memory);
    serial = bytes_first(serial, SERIAL_MAX);
    if (serial.n > 0 && serial.p[0] & 0x80) {
        unsigned carry = 1;
        for (size_t i = serial.n; i-- > 0; carry >>= 8) {
            carry += (uint8_t)~serial.p[i];
            magnitude[i] = (uint8_t)carry;
        }
        buf_u8(&text, '-');
        serial = bytes_of(magnitude, serial.n);
    }
    put_hex(&text, without_zeros(serial));
    row_text(row, X509_SERIAL, buf_bytes(&text));
}

// ---- algorithms and keys ------------------------------------------------------------------------

static void put_algorithm(struct row *row, unsigned field, bytes oid)
{
    const char *name = x509_algorithm_name(oid);
    char memory[OID_TEXT_MAX];
    struct buf text = buf_on(memory, sizeof memory);
    if (name) buf_text(&text, name);
    else x509_oid_format(&text, oid);
    row_text(row, field, buf_bytes(&text));
}

// RFC 8017 appendix A.1.1.
static void put_rsa(struct row *row, const struct x509 *c)
{
    struct reader outer = reader_of(c->key);
    struct reader key = der_enter(&outer, DER_SEQUENCE);
    bytes modulus = der_expect(&key, DER_INTEGER);
    bytes exponent = without_zeros(der_expect(&key, DER_INTEGER));
    if (key.bad) return;
    row_uint(row, X509_KEY_LENGTH, bits_of(modulus));
    if (exponent.n > 8) return;
    uint64_t v = 0;
    struct reader r = reader_of(exponent);
    while (reader_left(&r) > 0) v = v << 8 | read_u8(&r);
    row_uint(row, X509_EXPONENT, v);
}

// RFC 5480 section 2.1.1. Curves that are spelt out are forbidden, and were an attack
// (CVE-2020-0601).
static void put_curve(struct row *row, const struct x509 *c)
{
    unsigned bits = 0;
    const char *name = "explicit";
    char memory[OID_TEXT_MAX];
    struct buf text = buf_on(memory, sizeof memory);
    if (c->key_parameters.tag == DER_OID) {
        name = x509_curve_name(c->key_parameters.body, &bits);
        if (!name) x509_oid_format(&text, c->key_parameters.body);
    }
    if (name) buf_text(&text, name);
    row_text(row, X509_CURVE, buf_bytes(&text));
    // An uncompressed point is a byte and two numbers.
    row_uint(row, X509_KEY_LENGTH, bits ? bits : c->key.n / 2 * 8);
}

static void put_dsa(struct row *row, const struct x509 *c)
{
    struct reader parameters = reader_of(c->key_parameters.body);
    bytes p = der_expect(&parameters, DER_INTEGER);
    if (p.n > 0) row_uint(row, X509_KEY_LENGTH, bits_of(p));
}

static void put_key(struct row *row, const struct x509 *c)
{
    put_algorithm(row, X509_KEY_ALG, c->key_algorithm);
    const char *type = x509_key_type(c->key_algorithm);
    if (type) row_text(row, X509_KEY_TYPE, bytes_text(type));
    bytes t = bytes_text(type ? type : "");
    if (bytes_equal(t, bytes_text("rsa"))) put_rsa(row, c);
    else if (bytes_equal(t, bytes_text("ec"))) put_curve(row, c);
    else if (bytes_equal(t, bytes_text("dsa"))) put_dsa(row, c);
    else row_uint(row, X509_KEY_LENGTH, (uint64_t)c->key.n * 8);
}

// ---- names and the rest -------------------------------------------------------------------------

static void put_name(struct row *row, unsigned field, bytes name)
{
    char memory[X509_NAME_TEXT_MAX];
    struct buf text = buf_on(memory, sizeof memory);
    x509_name_format(&text, name);
    row_text(row, field, buf_bytes(&text));
}

static void put_address(struct row *row, bytes address)
{
    struct reader r = reader_of(address);
    if (address.n == 4) row_address(row, X509_SAN_IP, address_v4(read_be32(&r)));
    if (address.n != 16) return;
    uint64_t hi = read_be64(&r), lo = read_be64(&r);
    row_address(row, X509_SAN_IP, (struct address){hi, lo});
}

static void put_alternative_names(struct row *row, bytes list)
{
    struct reader names = reader_of(list);
    for (unsigned i = 0; i < X509_NAMES_MAX && reader_left(&names) > 0; i++) {
        struct der name = der_next(&names);
        if (name.tag == X509_ALTERNATIVE_DNS) row_text(row, X509_SAN_DNS, name.body);
        if (name.tag == X509_ALTERNATIVE_URI) row_text(row, X509_SAN_URI, name.body);
        if (name.tag == X509_ALTERNATIVE_EMAIL) row_text(row, X509_SAN_EMAIL, name.body);
        if (name.tag == X509_ALTERNATIVE_ADDRESS) put_address(row, name.body);
    }
}

// RFC 5280 section 4.2.1.9: both members may be missing.
static void put_basic_constraints(struct row *row, bytes constraints)
{
    if (!constraints.p) return;
    struct reader r = reader_of(constraints);
    bool ca = false;
    if (der_at(&r, DER_BOOLEAN)) {
        struct reader value = der_enter(&r, DER_BOOLEAN);
        ca = read_u8(&value) != 0;
    }
    row_uint(row, X509_BASIC_CONSTRAINTS_CA, ca);
    if (!der_at(&r, DER_INTEGER)) return;
    bytes length = without_zeros(der_expect(&r, DER_INTEGER));
    if (length.n == 1) row_uint(row, X509_PATH_LENGTH, length.p[0]);
}

static void put_validity(struct row *row, const struct x509 *c)
{
    nanos t;
    if (x509_time(&c->not_before, &t)) row_time(row, X509_NOT_BEFORE, t);
    if (x509_time(&c->not_after, &t)) row_time(row, X509_NOT_AFTER, t);
}

void x509_put(struct row *row, const struct x509 *c)
{
    row_uint(row, X509_VERSION, c->version);
    put_serial(row, c->serial);
    put_name(row, X509_SUBJECT, c->subject);
    put_name(row, X509_ISSUER, c->issuer);
    put_validity(row, c);
    put_key(row, c);
    put_algorithm(row, X509_SIG_ALG, c->signature_algorithm);
    put_basic_constraints(row, c->basic_constraints);
    row_uint(row, X509_SELF_SIGNED, bytes_equal(c->subject, c->issuer));
    put_alternative_names(row, c->alternative_names); // last: they may use up the row
}
