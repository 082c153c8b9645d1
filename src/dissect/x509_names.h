// What the object identifiers in certificates are called. `oid` is the content of an OBJECT
// IDENTIFIER; the names are constant, NULL for those that are not known.
#pragma once

#include "base/bytes.h"

const char *x509_attribute_name(bytes oid); // of distinguished names: "CN", "emailAddress"
const char *x509_algorithm_name(bytes oid); // "rsaEncryption", "sha256WithRSAEncryption"
const char *x509_key_type(bytes oid);       // "rsa", "ec", "ed25519"; NULL for signature algorithms
const char *x509_curve_name(bytes oid, unsigned *key_bits); // "prime256v1"; bits of its order
