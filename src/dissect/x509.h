// X.509 certificates (RFC 5280) as records of kind `x509`.
//
// A certificate is taken apart into views of its own bytes by a DER reader of our own
// (dissect/der.h): a general parser costs more than the whole handshake around it. Nothing is
// verified; what cannot be read is left out.
//
// Thread: plain values, no shared state. Views are valid as long as the certificate's bytes.
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "dissect/der.h"
#include "record/kind.h"
#include "record/row.h"

enum { X509_NAME_TEXT_MAX = 2048, X509_NAME_PARTS_MAX = 64, X509_NAMES_MAX = 4096 };

enum x509_field {
    X509_TLS_ID = COMMON_COUNT,
    X509_CHAIN_POSITION,
    X509_IS_CLIENT_CERT,
    X509_FINGERPRINT,
    X509_SHA1,
    X509_VERSION,
    X509_SERIAL,
    X509_SUBJECT,
    X509_ISSUER,
    X509_NOT_BEFORE,
    X509_NOT_AFTER,
    X509_KEY_ALG,
    X509_SIG_ALG,
    X509_KEY_TYPE,
    X509_KEY_LENGTH,
    X509_EXPONENT,
    X509_CURVE,
    X509_SAN_DNS,
    X509_SAN_URI,
    X509_SAN_EMAIL,
    X509_SAN_IP,
    X509_BASIC_CONSTRAINTS_CA,
    X509_PATH_LENGTH,
    X509_SELF_SIGNED,
    X509_FIELD_COUNT,
};

// GeneralName (RFC 5280 section 4.2.1.6) by its tag.
enum x509_alternative {
    X509_ALTERNATIVE_EMAIL = DER_CONTEXT + 1,
    X509_ALTERNATIVE_DNS = DER_CONTEXT + 2,
    X509_ALTERNATIVE_URI = DER_CONTEXT + 6,
    X509_ALTERNATIVE_ADDRESS = DER_CONTEXT + 7,
};

extern const struct record_kind x509_kind;

struct x509 {
    unsigned version;
    bytes serial;
    bytes issuer, subject; // whole elements
    struct der not_before, not_after;
    bytes signature_algorithm; // OBJECT IDENTIFIER
    bytes key_algorithm;       // OBJECT IDENTIFIER
    struct der key_parameters; // tag 0 where there are none
    bytes key;                 // content of the bit string
    bytes alternative_names;   // content of the extension; empty where it is missing
    bytes basic_constraints;   // likewise
};

// False when it is not a certificate; then `c` is empty.
bool x509_read(struct x509 *c, bytes certificate);

// Sets the fields from X509_VERSION on.
void x509_put(struct row *row, const struct x509 *c);

// A distinguished name as RFC 4514 section 2 writes it, most specific part first, characters
// outside ASCII as they are.
void x509_name_format(struct buf *text, bytes name);
// The last value of an attribute in it; empty when there is none.
bytes x509_name_attribute(bytes name, bytes oid);
// "1.2.840.113549", from the content of an OBJECT IDENTIFIER.
void x509_oid_format(struct buf *text, bytes oid);

// Whether the certificate was issued for `host` (RFC 6125 section 6.4): by its alternative names,
// by CN where it has none.
bool x509_matches_host(const struct x509 *c, bytes host);

// UTCTime or GeneralizedTime; what lies outside the range of `nanos` (RFC 5280 section 4.1.2.5:
// 9999 means for ever) is moved to its end. False when it is not a time.
bool x509_time(const struct der *time, nanos *t);
